"""A folder to make something in, next to where it will lie; none stays when a process is killed."""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_LOCK = '.in-use'  # the kernel lets go of it when its process ends, in whatever way
_OLD_S = 24 * 3600.0  # s: one without a lock is of a process that died at once


@contextmanager
def work_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """An empty folder below a new `parent/prefix…`, which is removed afterwards.

    First those of this user are removed that a killed process has left. Raises OSError.
    """
    sweep(parent, prefix)
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    try:
        with open(folder / _LOCK, 'w', encoding='utf-8') as lock:
            with suppress(OSError):  # not every file system has locks
                fcntl.flock(lock, fcntl.LOCK_EX)
            work = folder / 'work'
            work.mkdir(mode=0o700)
            yield work
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep(parent: Path, prefix: str) -> None:
    """Removes what killed processes have left."""
    for folder in sorted(parent.glob(f'{prefix}*')):
        with suppress(OSError):
            found = folder.lstat()
            if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and _is_left(folder):
                shutil.rmtree(folder, ignore_errors=True)


def _is_left(folder: Path) -> bool:
    """Whether nobody uses it. Raises OSError where that cannot be told, or somebody does."""
    try:
        number = os.open(folder / _LOCK, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return time.time() - folder.stat().st_mtime > _OLD_S
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        os.close(number)
    return True
