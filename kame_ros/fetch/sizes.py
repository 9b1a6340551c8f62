"""Bytes in words, and whether a disk has room for them."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

from kame_ros.fetch.errors import FetchError

_SPARE = 200_000_000  # bytes that a disk keeps for others
_UNITS = ((1e12, 'TB'), (1e9, 'GB'), (1e6, 'MB'), (1e3, 'kB'))
NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


def in_words(size: float) -> str:
    """A number of bytes as people say it, such as 31.3 GB."""
    for unit, name in _UNITS:
        if size >= unit * 0.9995:
            count = size / unit
            return f'{count:.{2 if count < 9.995 else 1 if count < 99.95 else 0}f} {name}'
    return f'{size:.0f} B'


def free_bytes(folder: Path) -> int:
    """The room on the disk of a folder, which need not be there yet."""
    while not folder.is_dir() and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(folder).free


def check_room(folder: Path, size: int, how_else: str) -> None:
    """Raises FetchError where the disk of `folder` has no room for `size` more bytes."""
    free = free_bytes(folder)
    if size + _SPARE > free:
        raise FetchError(
            f'{in_words(size)} are to come, and the disk of {folder} has {in_words(free)} free: '
            f'free some space, or {how_else}'
        )


def is_full(error: OSError) -> bool:
    """Whether an error says that there is no room."""
    return error.errno in NO_ROOM
