"""Whether a checkpoint has the very Mimi that data were encoded with; others read other codes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kame_ros.training.data.dialogue import DataError
from kame_ros.training.data.inputs import digest

if TYPE_CHECKING:
    from kame_ros.s2s.moshi.weights.checkpoint import Checkpoint


def codec_file(checkpoint: Checkpoint) -> str:
    """What tells the Mimi of a checkpoint from another one; nothing if it was not asked for."""
    return digest(checkpoint.mimi_file) if checkpoint.mimi_file is not None else ''


def check(wanted: str, checkpoint: Checkpoint) -> None:
    """Raises DataError if the checkpoint's Mimi is not the one of `wanted`, a `codec_file`."""
    if codec_file(checkpoint) != wanted:
        raise DataError(
            f'{checkpoint.where} has another Mimi than the data were encoded with: name the '
            'checkpoint that they were prepared for, or prepare them anew'
        )
