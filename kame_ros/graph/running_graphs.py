"""Which graphs run on this machine: `kame up` notes its own, `kame say` finds it."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from kame_ros.trust.private_folder import private_folder, read_private, write_private


@dataclass(frozen=True)
class Note:
    """Where a graph is to be found."""

    pid: int
    config: str
    namespace: str
    domain: int
    discovery: str


def _folder() -> Path:
    folder = private_folder() / 'graphs'
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


@contextlib.contextmanager
def noted(note: Note) -> Iterator[None]:
    """Keeps a note of a graph while the block runs."""
    path = _folder() / f'{note.pid}.json'
    write_private(path, json.dumps(asdict(note)))
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _written(path: Path) -> float:
    try:
        return path.lstat().st_mtime
    except OSError:
        return 0.0


def running_graphs() -> list[Note]:
    """The graphs whose process is alive, the newest last; removes the notes of dead ones."""
    notes = []
    for path in sorted(_folder().glob('*.json'), key=_written):
        try:
            note = Note(**json.loads(read_private(path)))
            os.kill(note.pid, 0)
        except (OSError, ValueError, TypeError):
            path.unlink(missing_ok=True)
        else:
            notes.append(note)
    return notes
