"""Temporary folders that do not outlive their process for long, even if that is killed.

Each holds a note of the process that made it. Whoever makes the next one removes those of this
user whose process is gone.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from kame_ros.trust.private_folder import read_private, write_private

_PREFIX = 'kame-'
_NOTE = '.made-by.json'


def make(purpose: str = '') -> Path:
    """A new folder of this process, after those of dead ones were removed. Raises OSError."""
    sweep()
    folder = Path(tempfile.mkdtemp(prefix=f'{_PREFIX}{purpose}'))
    note = {'pid': os.getpid(), 'began': began(os.getpid())}
    write_private(folder / _NOTE, json.dumps(note))
    return folder


def sweep(root: Path | None = None) -> list[Path]:
    """Removes the folders whose process has ended; gives those that it removed."""
    removed = []
    for folder in sorted((root or Path(tempfile.gettempdir())).glob(f'{_PREFIX}*')):
        if _is_ours(folder) and _is_left(folder):
            shutil.rmtree(folder, ignore_errors=True)
            removed.append(folder)
    return removed


def began(pid: int) -> str:
    """When a process was started, in the kernel's ticks; empty: there is none, or none can tell."""
    try:
        with open(f'/proc/{pid}/stat', encoding='utf-8', errors='replace') as file:
            fields = file.read().rpartition(')')[2].split()
    except OSError:
        return ''
    return fields[19] if fields[0] not in 'ZX' else ''  # proc(5): the state, and starttime


def _is_ours(folder: Path) -> bool:
    with suppress(OSError):
        found = folder.lstat()
        return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()
    return False


def _is_left(folder: Path) -> bool:
    """Whether its process is gone for sure: what has no note is left alone."""
    try:
        note = json.loads(read_private(folder / _NOTE))
        pid, when = int(note['pid']), str(note['began'])
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return False
    return bool(when) and began(pid) != when
