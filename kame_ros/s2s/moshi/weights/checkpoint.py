"""Finds a Moshi or KAME checkpoint, in a folder or in the cache of the Hugging Face hub.

What a checkpoint may look like (moshi/models/loaders.py, and what is published):

- a config.json that names the weights, Mimi and the tokeniser, or leaves some or all of them out;
  no config.json at all is Moshi. Names may be `hf://OWNER/NAME/FILE` or `file:///PATH`;
- a config.json that tells nothing of the language model (PersonaPlex): it is Moshi's;
- moshi_lm_kwargs.json, which kame_finetune writes instead, with no Mimi and no tokeniser beside it;
- one safetensors file, or shards with an index.

Mimi and the tokeniser that a checkpoint neither has nor names are those of Moshi's repository.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kame_ros.s2s.moshi.weights import moshi_7b
from kame_ros.s2s.moshi.weights.errors import CheckpointError, NotHere
from kame_ros.s2s.moshi.weights.places import CachedHub, FileName, FilePlace, Folder, read_name

CONFIG = 'config.json'
FINETUNED = 'moshi_lm_kwargs.json'  # of kame_finetune, tools/clean_moshi.py
# Keys of config.json that are not arguments of the language model; moshi/models/loaders.py.
NOT_FOR_THE_LM = (
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
    'quantize',  # bitsandbytes' int8, which is told from the file itself
    'version',  # of PersonaPlex
)
_LM_MARKS = ('dim', 'n_q', 'dep_q', 'num_layers')  # a config with none of them is Moshi's


@dataclass(frozen=True)
class Checkpoint:
    """The files of a model and what config.json says about it. Nothing is loaded yet.

    `lm_kwargs` are those of the model that is built. It may speak through fewer codebooks than
    `trained_dep_q`, those of the file: see `_only_what_it_says`.
    """

    where: str
    lm_files: tuple[Path, ...]
    mimi_file: Path | None  # None if it was not asked for
    tokenizer_file: Path
    lm_kwargs: dict[str, Any]
    mimi_config: dict[str, Any] | None = None
    lm_gen_config: dict[str, Any] = field(default_factory=dict)
    lora_file: Path | None = None
    lora_scaling: float = 2.0
    trained_dep_q: int = 0
    finetuned: bool = False  # kame_finetune wrote it

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
    place: FilePlace | None = None,
) -> Checkpoint:
    """Finds the files of a checkpoint. Nothing is downloaded: `kame get` does that.

    `where` is a folder, or a repository of the hub such as `SakanaAI/kame` whose files are in its
    cache; `lora` is a file of LoRA weights, which otherwise config.json may name. Without `weights`
    only what describes the model is looked for: config.json and the tokeniser; with `codec` also
    the codec. `place` gives the files, instead of `where`. Raises CheckpointError for what is
    missing.
    """
    place = place or place_of(where, revision or '')
    return _describe(where, place, lora, weights, weights if codec is None else codec)


def place_of(where: str, revision: str = '') -> FilePlace:
    """Where the files of a checkpoint are. Raises CheckpointError for what is no such place."""
    folder = Path(os.path.expanduser(where))
    if os.path.isdir(folder):
        return Folder(folder)
    if os.path.isfile(folder):
        raise CheckpointError(
            f'{where} is a file: give the folder that has it, with its config.json beside it'
        )
    if where.startswith(('/', '.', '~')) or where.count('/') != 1:
        raise CheckpointError(
            f'there is no folder {where}: give a folder with config.json and weights, or the name '
            'of a repository on the Hugging Face hub, such as SakanaAI/kame'
        )
    return CachedHub(where, revision)


def _describe(
    where: str, place: FilePlace, lora: str, weights: bool, with_codec: bool
) -> Checkpoint:
    def need(name: FileName) -> Path:
        path = place.get(name)
        if path is None:
            raise place.lacks(name)
        return path

    def named(key: str) -> FileName | None:
        try:
            return read_name(config[key]) if config.get(key) else None
        except CheckpointError as error:
            raise CheckpointError(f'{key} of {where}: {error}') from error

    found = _read_json(place.get(FileName(CONFIG)))
    finetuned = _read_json(place.get(FileName(FINETUNED))) if found is None else None
    config = found if found is not None else finetuned if finetuned is not None else {}
    kwargs, trained = _lm_kwargs(f'{FINETUNED if finetuned else CONFIG} of {where}', config)
    if lora and not os.path.isfile(lora):
        raise CheckpointError(f'there is no file {lora} with LoRA weights')
    lora_name = named('lora_name')
    lora_file = Path(lora) if lora else need(lora_name) if lora_name and weights else None
    mimi_config = named('mimi_config_name')
    mimi = None
    lm_files = (
        _lm_files(named('moshi_name') or FileName(moshi_7b.WEIGHTS), place, need) if weights else ()
    )
    if with_codec:
        mimi = _own_or_moshis(named('mimi_name'), moshi_7b.MIMI, place, 'Mimi')
    return Checkpoint(
        where=where,
        lm_files=lm_files,
        mimi_file=mimi,
        tokenizer_file=_own_or_moshis(
            named('tokenizer_name'), moshi_7b.TOKENIZER, place, 'tokeniser'
        ),
        lm_kwargs=kwargs,
        mimi_config=_read_json(need(mimi_config)) if mimi_config else None,
        lm_gen_config=_object(where, config, 'lm_gen_config'),
        lora_file=lora_file,
        lora_scaling=_scaling(where, config.get('lora_scaling', 2.0)),
        trained_dep_q=trained,
        finetuned=finetuned is not None,
    )


def _lm_kwargs(source: str, config: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """The arguments of the language model, and how many codebooks it was trained to say."""
    kwargs = {key: value for key, value in config.items() if key not in NOT_FOR_THE_LM}
    if not any(key in config for key in _LM_MARKS):
        kwargs = {**moshi_7b.LM, **kwargs}
    for key in ('dep_q', 'n_q', *(key for key in ('card', 'text_card') if key in kwargs)):
        if not isinstance(kwargs.get(key), int) or isinstance(kwargs[key], bool):
            raise CheckpointError(f'{source} has no whole number {key!r}')
    return _only_what_it_says(kwargs), kwargs['dep_q']


def _only_what_it_says(kwargs: dict[str, Any]) -> dict[str, Any]:
    """The model without what it makes of the user.

    PersonaPlex, and kame_finetune on its way, predict the user's codebooks behind their own: all
    `n_q` of them. The depth transformer makes one after the other, so that those of the robot are
    the same without the rest; and what the user says is heard.
    """
    if kwargs['dep_q'] != kwargs['n_q'] or kwargs['n_q'] % 2 or kwargs['n_q'] < 2:
        return kwargs
    own = kwargs['n_q'] // 2
    cut = {**kwargs, 'dep_q': own}
    if isinstance(kwargs.get('depformer_context'), int):
        cut['depformer_context'] = min(own, kwargs['depformer_context'])
    schedule = kwargs.get('depformer_weights_per_step_schedule')
    if isinstance(schedule, list):
        cut['depformer_weights_per_step_schedule'] = schedule[:own]
    return cut


def _own_or_moshis(name: FileName | None, default: str, place: FilePlace, what: str) -> Path:
    """The file that is named, or the one of the usual name, or else that of Moshi's repository."""
    if name is not None:
        path = place.get(name)
        if path is None:
            raise place.lacks(name)
        return path
    path = place.get(FileName(default)) or place.get(FileName(default, moshi_7b.REPOSITORY))
    if path is None:
        if place.get(FileName(moshi_7b.WEIGHTS)) is None and isinstance(place, CachedHub):
            raise place.lacks(FileName(default))  # nothing of it is here
        raise NotHere(
            f'{place.where} has no {what} of its own ({default}), and that of '
            f'{moshi_7b.REPOSITORY} is not on this machine: get it with "kame get mimi"',
            'mimi',
        )
    return path


def _lm_files(
    name: FileName, place: FilePlace, need: Callable[[FileName], Path]
) -> tuple[Path, ...]:
    """One file, or the shards that an index names."""
    if why := _other_format(name.path):
        raise CheckpointError(f'{place.where} names {name}: {why}')
    one = place.get(name)
    if one is not None and not name.path.endswith('.json'):
        return (one,)
    beside = FileName(f'{name.path}.index.json', name.repository, name.here)
    index = _read_json(one or place.get(beside))
    if index is None:
        if why := _instead(place):
            raise CheckpointError(f'{place.where} has no {name}: {why}')
        return (need(name),)
    shards = index.get('weight_map')
    if not isinstance(shards, dict) or not shards:
        raise CheckpointError(f'the index of {name} has no weight_map')
    folder = name.path.rpartition('/')[0]
    paths = []
    for shard in sorted({read_name(value).path for value in shards.values()}):
        path = '/'.join(filter(None, (folder, shard)))
        paths.append(need(FileName(path, name.repository, name.here)))
    return tuple(paths)


def _other_format(name: str) -> str:
    if name.endswith('.gguf'):
        return 'GGUF is read by moshi.cpp and candle; take the PyTorch weights of this model'
    if name.endswith(('.pt', '.pth', '.bin', '.ckpt')):
        return (
            'pickles of torch may run anything when they are read, and are not; save the weights '
            'as safetensors'
        )
    return ''


def _instead(place: FilePlace) -> str:
    """What is there instead of the weights, and what to do with it."""
    if place.get(FileName('lora.safetensors')):
        return (
            'it has only LoRA weights (lora.safetensors): give what they were trained on as '
            's2s.moshi.weights, and that file as s2s.moshi.lora'
        )
    if place.get(FileName('latest')) or place.get(FileName('zero_to_fp32.py')):
        return (
            'it is a folder of DeepSpeed: run zero_to_fp32 and then clean_moshi of kame_finetune, '
            'and give the folder that they write'
        )
    if place.get(FileName('pytorch_model.bin')):
        return 'save pytorch_model.bin as safetensors (clean_moshi of kame_finetune does)'
    return ''


def _object(where: str, config: dict[str, Any], key: str) -> dict[str, Any]:
    value = config.get(key) or {}
    if not isinstance(value, dict):
        raise CheckpointError(f'{key} of {where} should be a JSON object')
    return value


def _scaling(where: str, value: Any) -> float:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not abs(value) < 1e30:  # nor is NaN
        raise CheckpointError(f'lora_scaling of {where} should be a number, not {value!r}')
    return float(value)


def _read_json(path: Path | None) -> dict[str, Any] | None:
    if path is None:
        return None
    try:
        value = json.loads(path.read_text(encoding='utf-8'))
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f'{path} is not JSON: {error}') from error
    except OSError as error:
        raise CheckpointError(f'cannot read {path}: {error.strerror}') from error
    if not isinstance(value, dict):
        raise CheckpointError(f'{path} should hold a JSON object')
    return value
