"""Writes what a run has trained as a checkpoint that the moshi front-end loads."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from kame_ros.s2s.moshi.weights import load
from kame_ros.s2s.moshi.weights.checkpoint import Checkpoint
from kame_ros.s2s.moshi.weights.safetensors_file import SafetensorsFile
from kame_ros.training.config import LoraConfig

WHOLE, LORA, TOKENIZER = 'model.safetensors', 'lora.safetensors', 'tokenizer.model'
MIMI, MIMI_CONFIG = 'mimi.safetensors', 'mimi.json'


@dataclass(frozen=True)
class Surroundings:
    """What a checkpoint has beside the weights; `mimi` is the checkpoint that has the codec."""

    lm_kwargs: dict[str, Any]
    tokenizer: bytes
    mimi: Checkpoint
    lm_gen_config: dict[str, Any] | None = None


def write_whole(weights: Mapping[str, Tensor], around: Surroundings, folder: Path) -> Path:
    """Writes a model in bfloat16; gives `folder`. Raises OSError if the disk is full."""
    folder.mkdir(parents=True, exist_ok=True)
    _save(weights, folder / WHOLE)
    return _surround(around, folder, {'moshi_name': WHOLE})


def write_lora(
    weights: Mapping[str, Tensor],
    around: Surroundings,
    base: Checkpoint,
    lora: LoraConfig,
    folder: Path,
) -> Path:
    """Writes lora.safetensors, with links to the base that it is for; gives `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    _save(weights, folder / LORA)
    named = {
        'moshi_name': _link_base(base, folder),
        'lora_name': LORA,
        'lora': True,
        'lora_rank': lora.rank,
        'lora_scaling': lora.scaling,
    }
    return _surround(around, folder, named)


def write_merged(
    weights: Mapping[str, Tensor],
    around: Surroundings,
    base: Checkpoint,
    lora: LoraConfig,
    folder: Path,
) -> Path:
    """Adds LoRA weights to the base, as the front-end would, and writes the sum."""
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f'{LORA}.new'
    try:
        _save(weights, part)
        both = replace(base, lora_file=part, lora_scaling=lora.scaling)
        model = load.load_lm(both, 'cpu', torch.bfloat16)
    finally:
        part.unlink(missing_ok=True)
    return write_whole(model.state_dict(), around, folder)


def _save(weights: Mapping[str, Tensor], path: Path) -> None:
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    state = {
        key: value.detach().to('cpu', torch.bfloat16).contiguous() for key, value in weights.items()
    }

    def write(new: Path) -> None:
        try:
            save_file(state, new)
            new.chmod(0o644)  # safetensors lets nobody else read it
        except SafetensorError as error:
            raise OSError(f'{path} cannot be written: {error}') from error

    _in_one_go(path, write)


def _in_one_go(path: Path, write: Callable[[Path], object]) -> None:
    """A file that is there is always whole."""
    new = path.with_name(f'{path.name}.writing')
    new.unlink(missing_ok=True)  # of a run that was killed; it may be a link to a file of the base
    try:
        write(new)
        os.replace(new, path)
    finally:
        new.unlink(missing_ok=True)


def _surround(around: Surroundings, folder: Path, named: dict[str, Any]) -> Path:
    """Tokeniser, codec and config.json; the last comes last: with it, a checkpoint is whole."""
    _in_one_go(folder / TOKENIZER, lambda new: new.write_bytes(around.tokenizer))
    config = {
        **around.lm_kwargs,
        **named,
        'tokenizer_name': TOKENIZER,
        'model_type': 'moshi',
    }
    if around.lm_gen_config:
        config['lm_gen_config'] = around.lm_gen_config
    if around.mimi.mimi_file is not None:
        config['mimi_name'] = MIMI
        _link(around.mimi.mimi_file, folder / MIMI)
        if around.mimi.mimi_config is not None:
            config['mimi_config_name'] = MIMI_CONFIG
            text = json.dumps(around.mimi.mimi_config, indent=1)
            _in_one_go(folder / MIMI_CONFIG, lambda new: new.write_text(text))
    text = json.dumps(config, indent=1) + '\n'
    _in_one_go(folder / 'config.json', lambda new: new.write_text(text))
    return folder


def _link_base(base: Checkpoint, folder: Path) -> str:
    """Links the files of the base model, without copying them; gives their `moshi_name`."""
    if len(base.lm_files) == 1:
        _link(base.lm_files[0], folder / WHOLE, copy=False)
        return WHOLE
    places: dict[str, str] = {}
    for path in base.lm_files:
        _link(path, folder / path.name, copy=False)
        with SafetensorsFile(path) as file:
            places |= {key: path.name for key in file.entries}
    text = json.dumps({'weight_map': places}, indent=1)
    index = f'{WHOLE}.index.json'
    _in_one_go(folder / index, lambda new: new.write_text(text))
    return index


def _link(path: Path, target: Path, copy: bool = True) -> None:
    """A hard link, which survives the removal of `path`; on another disk a copy or a soft link."""
    path = path.resolve()

    def make(new: Path) -> None:
        try:
            os.link(path, new)
        except OSError:
            if copy:
                shutil.copyfile(path, new)
            else:
                new.symlink_to(path)

    _in_one_go(target, make)
