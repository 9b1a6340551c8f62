"""A folder for what the commands of one user tell each other, which no other user can tamper with.

The names in a shared temporary folder can be guessed, and taken by somebody else before: a folder
is used only if it is no link, belongs to this user, and nobody else may write into it.
"""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_NOT_OTHERS = 0o700


class NoPrivateFolder(RuntimeError):
    """There is no folder that can be trusted; the text says why."""


def private_folder() -> Path:
    """The folder, made if need be; the same for all processes of the user.

    Raises NoPrivateFolder.
    """
    problems = []
    for path in _candidates():
        problem = _problem(path)
        if not problem:
            return path
        problems.append(problem)
    raise NoPrivateFolder(f'no folder is this user’s alone: {"; ".join(problems)}')


def _candidates() -> Iterator[Path]:
    yield Path(tempfile.gettempdir()) / f'kame_ros-{os.getuid()}'
    if runtime := os.environ.get('XDG_RUNTIME_DIR'):
        yield Path(runtime) / 'kame_ros'
    cache = os.environ.get('XDG_CACHE_HOME') or os.path.expanduser('~/.cache')
    if os.path.isabs(cache):
        yield Path(cache) / 'kame_ros' / 'run'


def _problem(path: Path) -> str:
    """Why a folder cannot be trusted; empty: it can."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir(mode=_NOT_OTHERS, exist_ok=True)
        found = path.lstat()
        if not stat.S_ISDIR(found.st_mode):
            return f'{path} is no folder'
        if found.st_uid != os.getuid():
            return f'{path} belongs to another user'
        if found.st_mode & 0o022:
            return f'{path} can be written by others'
        if found.st_mode & 0o077:
            path.chmod(_NOT_OTHERS)
        if not os.access(path, os.W_OK | os.X_OK):
            return f'{path} cannot be written'
    except OSError as error:
        return f'{path} cannot be used ({error.strerror})'
    return ''


def open_private(path: Path, flags: int = os.O_RDWR | os.O_CREAT) -> BinaryIO:
    """Opens a file of this user, following no link and cutting nothing off.

    Raises OSError, also for a link and for what belongs to somebody else.
    """
    number = os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    found = os.fstat(number)
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.getuid():
        os.close(number)
        raise PermissionError(f'{path} is no file of this user')
    return os.fdopen(number, 'rb' if flags & os.O_ACCMODE == os.O_RDONLY else 'r+b')


def write_private(path: Path, text: str) -> None:
    """Replaces a file as a whole: whoever reads it sees the old text or the new one."""
    number, name = tempfile.mkstemp(dir=path.parent, prefix='.')
    try:
        with os.fdopen(number, 'w', encoding='utf-8') as file:
            file.write(text)
        os.replace(name, path)
    except OSError:
        os.unlink(name)
        raise


def read_private(path: Path) -> str:
    """The text of a file of this user; raises OSError."""
    with open_private(path, os.O_RDONLY) as file:
        return file.read().decode('utf-8', 'replace')
