"""Finds a Moshi or KAME checkpoint, in a folder or on the Hugging Face hub."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kame_ros.s2s.moshi.safetensors_file import CheckpointError
from kame_ros.s2s.moshi.upstream import loaders

# Keys of config.json that are not arguments of the language model; moshi/models/loaders.py.
NOT_FOR_THE_LM = (
    'codec',  # ours: which codec, if it is not Mimi
    'oracle_ahead',  # ours: how many tokens of an oracle may be fed before they are said, 0: any
    'moshi_name',
    'mimi_name',
    'mimi_config_name',
    'tokenizer_name',
    'lora_name',
    'model_type',
    'lm_gen_config',
    'tts_config',
    'stt_config',
    'model_id',
    'depformer_causal',
    'lora',
    'lora_rank',
    'lora_scaling',
)


CODECS = ('mimi', 'codec2-700c')


@dataclass(frozen=True)
class Checkpoint:
    """The files of a model and what config.json says about it. Nothing is loaded yet."""

    where: str
    lm_files: tuple[Path, ...]
    mimi_file: Path | None  # None for another codec
    tokenizer_file: Path
    lm_kwargs: dict[str, Any]
    mimi_config: dict[str, Any] | None = None
    lm_gen_config: dict[str, Any] = field(default_factory=dict)
    lora_file: Path | None = None
    lora_scaling: float = 2.0
    codec: str = 'mimi'
    oracle_ahead: int = 0

    @property
    def codebooks(self) -> int:
        """Codebooks of the codec that the language model speaks or hears, whichever is more."""
        speaks = self.lm_kwargs['dep_q']
        return max(speaks, self.lm_kwargs['n_q'] - speaks)


def find(
    where: str,
    revision: str | None = None,
    lora: str = '',
    weights: bool = True,
    codec: bool | None = None,
) -> Checkpoint:
    """Finds the files of a checkpoint.

    `where` is a folder, or a repository on the hub such as `SakanaAI/kame`; `lora` is a file of
    LoRA weights, which otherwise config.json may name. Without `weights` only what describes the
    model is looked for and, from the hub, downloaded: config.json and the tokeniser; with `codec`
    also that of the codec. Raises CheckpointError for what is missing.
    """
    folder = Path(os.path.expanduser(where))
    if folder.is_dir():
        get: Callable[[str], Path | None] = lambda name: _existing(folder / name)  # noqa: E731
    elif where.startswith(('/', '.', '~')) or where.count('/') != 1:
        raise CheckpointError(
            f'there is no folder {where}: give a folder with config.json and weights, or the name '
            'of a repository on the Hugging Face hub, such as SakanaAI/kame'
        )
    else:
        get = lambda name: _from_hub(where, name, revision)  # noqa: E731
    return _describe(where, get, lora, weights, weights if codec is None else codec)


def _existing(path: Path) -> Path | None:
    return path if path.is_file() else None


def _from_hub(repo: str, name: str, revision: str | None) -> Path | None:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    try:
        return Path(hf_hub_download(repo, name, revision=revision))
    except LocalEntryNotFoundError as error:
        reason: Exception = error
    except EntryNotFoundError:
        return None
    except Exception as error:  # the hub has many kinds: no such repository, gated, no network
        reason = error
    raise CheckpointError(
        f'cannot get {name} of {repo} from the Hugging Face hub ({type(reason).__name__}). '
        f'Download it where there is a network with "hf download {repo} --local-dir FOLDER", after '
        '"hf auth login" if the weights ask for it, and give that FOLDER'
    ) from reason


def _describe(
    where: str, get: Callable[[str], Path | None], lora: str, weights: bool, with_codec: bool
) -> Checkpoint:
    def need(name: str) -> Path:
        path = get(name)
        if path is None:
            raise CheckpointError(f'{where} has no {name}: the checkpoint is not whole')
        return path

    config = _read_json(get('config.json'))
    kwargs = dict(loaders._lm_kwargs) if config is None else dict(config)
    config = config or {}
    for key in NOT_FOR_THE_LM:
        kwargs.pop(key, None)
    if kwargs.get('quantize'):
        raise CheckpointError(
            f'{where} holds bitsandbytes weights ("quantize": true), which moshi cannot run in '
            'bfloat16: take the bf16 checkpoint, and set the parameter quantise if memory is short'
        )
    for key in ('dep_q', 'n_q'):
        if not isinstance(kwargs.get(key), int):
            raise CheckpointError(f'config.json of {where} has no whole number {key!r}')
    lora_name = config.get('lora_name')
    lora_file = Path(lora) if lora else need(lora_name) if lora_name and weights else None
    mimi_config = config.get('mimi_config_name')
    codec = config.get('codec', 'mimi')
    if codec not in CODECS:
        raise CheckpointError(f'{where} speaks through the unknown codec {codec!r}')
    mimi = config.get('mimi_name', loaders.MIMI_NAME) if codec == 'mimi' and with_codec else None
    lm = config.get('moshi_name', loaders.MOSHI_NAME)
    return Checkpoint(
        where=where,
        lm_files=_lm_files(lm, get, need) if weights else (),
        mimi_file=need(mimi) if mimi else None,
        tokenizer_file=need(config.get('tokenizer_name', loaders.TEXT_TOKENIZER_NAME)),
        lm_kwargs=kwargs,
        mimi_config=_read_json(need(mimi_config)) if mimi_config else None,
        lm_gen_config=config.get('lm_gen_config', {}),
        lora_file=lora_file,
        lora_scaling=float(config.get('lora_scaling', 2.0)),
        codec=codec,
        oracle_ahead=int(config.get('oracle_ahead', 0)),
    )


def _lm_files(
    name: str, get: Callable[[str], Path | None], need: Callable[[str], Path]
) -> tuple[Path, ...]:
    """One file, or the shards that an index names."""
    one = get(name)
    if one is not None and one.suffix != '.json':
        return (one,)
    index = _read_json(one or get(f'{name}.index.json'))
    if index is None:
        return (need(name),)
    shards = index.get('weight_map')
    if not isinstance(shards, dict) or not shards:
        raise CheckpointError(f'the index of {name} has no weight_map')
    return tuple(need(shard) for shard in sorted(set(shards.values())))


def _read_json(path: Path | None) -> dict[str, Any] | None:
    if path is None:
        return None
    try:
        value = json.loads(path.read_text())
    except ValueError as error:
        raise CheckpointError(f'{path} is not JSON: {error}') from error
    if not isinstance(value, dict):
        raise CheckpointError(f'{path} should hold a JSON object')
    return value
