"""The weights of kame-small in a folder, as `kame_ros.s2s.small.model` reads them: float16."""

from __future__ import annotations

import json
import os
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save

from kame_ros.s2s.small.turn_end import PREFIX
from kame_ros.training.run.state import TrainingError
from kame_ros.training.small.model import KameSmall

MODEL, CONFIG = 'model.safetensors', 'config.json'


def write(model: KameSmall, silence: list[int], folder: Path) -> None:
    """Writes the weights and config.json, each whole or not at all. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: w.detach().half().cpu().contiguous() for name, w in model.state_dict().items()}
    (folder / f'{MODEL}.part').write_bytes(save(weights))
    config = {**model.size.as_dict(), 'silence': silence}
    (folder / f'{CONFIG}.part').write_text(json.dumps(config, indent=1) + '\n')
    for name in (MODEL, CONFIG):
        os.replace(folder / f'{name}.part', folder / name)


def read_into(model: KameSmall, folder: Path) -> None:
    """Gives a model the weights of a folder, but for those beside it.

    Raises TrainingError for a folder of none that fit.
    """
    found: dict[str, torch.Tensor] = {}
    try:
        for path in sorted(folder.glob('*.safetensors')):
            found |= load_file(path)
        own = {n: weight.float() for n, weight in found.items() if not n.startswith(PREFIX)}
        model.load_state_dict(own)
    except (OSError, RuntimeError, SafetensorError) as error:
        raise TrainingError(
            f'{folder} has no weights of a kame-small of these sizes: {error}'
        ) from error
