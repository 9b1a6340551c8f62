"""Tells before long work whether its result could be written."""

from __future__ import annotations

import os
from pathlib import Path


def check_writable(path: Path, makes_folder: bool = False) -> None:
    """Raises OSError, in words, for a file that could not be written later.

    `makes_folder`: a folder that is not there will be made then.
    """
    if path.is_dir():
        raise OSError(f'{path} is a folder, not a file')
    folder = path.resolve().parent
    if makes_folder:
        folder = next(each for each in (folder, *folder.parents) if each.exists())
    if not folder.is_dir():
        raise OSError(f'{path} cannot be written: there is no folder {folder}')
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise OSError(f'{path} cannot be written: permission denied')
