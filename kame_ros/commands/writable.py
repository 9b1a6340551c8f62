"""Tells before long work whether its result could be written."""

from __future__ import annotations

import os
from pathlib import Path


def check_writable(path: Path) -> None:
    """Raises OSError, in words, for a file that could not be written later."""
    if path.is_dir():
        raise OSError(f'{path} is a folder, not a file')
    folder = path.resolve().parent
    if not folder.is_dir():
        raise OSError(f'{path} cannot be written: there is no folder {folder}')
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise OSError(f'{path} cannot be written: permission denied')
