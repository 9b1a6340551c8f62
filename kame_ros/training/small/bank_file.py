"""Files of training data: written whole or not at all, and known when they are broken."""

from __future__ import annotations

import hashlib
import os
import zipfile
import zlib
from pathlib import Path

import numpy as np

from kame_ros.s2s.small import pieces, units

_BROKEN = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error)


def write(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Raises OSError; then the file that was there before is still there."""
    scratch = path.with_name(f'.{path.name}')
    try:
        np.savez_compressed(scratch, **arrays)  # type: ignore[arg-type]
        os.replace(scratch, path)
    finally:
        scratch.unlink(missing_ok=True)


def is_whole(path: Path, made_of: str = '') -> bool:
    """Whether all of it can be read, and whether its codes and pieces are those `made_of` names."""
    try:
        with np.load(path) as file:
            for name in file.files:
                file[name]  # reads it, and compares its checksum
            return not made_of or str(file['made_of']) == made_of
    except _BROKEN:
        return False


def made_of(path: Path) -> str:
    """What its codes and pieces are those of; empty where it does not say. Raises ValueError."""
    try:
        with np.load(path) as file:
            return str(file['made_of']) if 'made_of' in file.files else ''
    except _BROKEN as error:
        raise ValueError(f'{path.name} is broken') from error


def books() -> str:
    """A name for the codebooks and the pieces of this package: others have another one."""
    both = (units.FILE, pieces.FILE)
    return hashlib.sha256(b''.join(file.read_bytes() for file in both)).hexdigest()[:16]
