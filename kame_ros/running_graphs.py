"""Which graphs run on this machine: `kame up` notes its own, `kame say` finds it."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Note:
    """Where a graph is to be found."""

    pid: int
    config: str
    namespace: str
    domain: int
    discovery: str


def _folder() -> Path:
    folder = Path(tempfile.gettempdir()) / f'kame_ros-{os.getuid()}' / 'graphs'
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


@contextlib.contextmanager
def noted(note: Note) -> Iterator[None]:
    """Keeps a note of a graph while the block runs."""
    path = _folder() / f'{note.pid}.json'
    path.write_text(json.dumps(asdict(note)), encoding='utf-8')
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def running_graphs() -> list[Note]:
    """The graphs whose process is alive, the newest last; removes the notes of dead ones."""
    notes = []
    for path in sorted(_folder().glob('*.json'), key=lambda path: path.stat().st_mtime):
        try:
            note = Note(**json.loads(path.read_text(encoding='utf-8')))
            os.kill(note.pid, 0)
        except (OSError, ValueError, TypeError):
            path.unlink(missing_ok=True)
        else:
            notes.append(note)
    return notes
