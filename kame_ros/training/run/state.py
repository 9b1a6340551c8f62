"""The state that a run goes on from: written whole or not at all, and read with plain errors."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

import torch

log = logging.getLogger(__name__)
STATE = 'state.pt'


class TrainingError(RuntimeError):
    """A run that cannot go on: its state is damaged or another's, or its loss is no number."""


def write(state: dict[str, Any], folder: Path) -> bool:
    """Writes the state; a full disk is reported, and the state before is kept."""
    new = folder / f'{STATE}.new'
    try:
        torch.save(state, new)
        os.replace(new, folder / STATE)
    except (OSError, RuntimeError) as error:  # torch reports a full disk as RuntimeError
        new.unlink(missing_ok=True)
        log.error(
            'the state of step %d cannot be saved (%s): free some space in %s; training goes on '
            'and the state before is kept', state['step'], error, folder
        )  # fmt: skip
        return False
    return True


def read(folder: Path, device: torch.device) -> dict[str, Any]:
    """Reads the state. Raises TrainingError for a damaged one."""
    path = folder / STATE
    on_gpu = device.type != 'cpu'  # what is copied to a GPU need not be read into memory first
    try:
        state: dict[str, Any] = torch.load(path, map_location='cpu', weights_only=True, mmap=on_gpu)
    except Exception as error:  # torch raises many kinds for a damaged file
        raise TrainingError(
            f'{path} is damaged ({error}): remove it to start over, or restore a copy'
        ) from error
    return state
