"""Which files a node may read because a parameter names them: settled when the process starts."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

VARIABLE = 'KAME_FILES'  # folders more, with a colon between, as in PATH
_LONGEST = 1_000_000  # bytes of a text that a person has written


class NotTrusted(ValueError):
    """A file that may not be read, with the reason in one sentence."""


def _folders_at_start() -> tuple[Path, ...]:
    package = Path(__file__).resolve().parent
    # In the source tree config/ lies beside the package, installed in share/kame_ros.
    found = [package.parent / 'config', package / 'config']
    for prefix in os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep):
        found += [Path(prefix, 'share', 'kame_ros', 'config')] if prefix else []
    given = os.environ.get(VARIABLE, '').split(os.pathsep)
    found += [Path(os.path.expanduser(p)) for p in given if p]  # Path's own raises without a home
    try:
        working = Path.cwd()
    except OSError:  # it was removed
        return tuple(found)
    return (*found, working) if working != working.parent else tuple(found)  # never all of /


_FOLDERS = _folders_at_start()


@dataclass(frozen=True)
class TrustedFiles:
    """Files below some folders, and some files by name; nothing that begins with a dot.

    The folders are the configuration of the package, the working folder in which the process was
    started, and those in the variable KAME_FILES. `given` are the values with which the process
    was started, wherever they lie.
    """

    given: frozenset[Path] = frozenset()
    folders: tuple[Path, ...] = field(default=_FOLDERS)

    @classmethod
    def at_start(cls, given: Iterable[str]) -> TrustedFiles:
        """With the paths, if any, that the process was started with."""
        return cls(frozenset(_real(path) for path in given if path.strip()))

    def check(self, path: str) -> Path:
        """The file itself, links followed. Raises NotTrusted; OSError if it is not there."""
        file = _real(path)
        if file not in self.given and not any(_is_below(file, folder) for folder in self.folders):
            raise NotTrusted(
                f'{path} may not be read: it lies neither in the working folder nor in one of '
                f'{VARIABLE}, and was not given at start'
            )
        state = file.stat()
        if not stat.S_ISREG(state.st_mode):
            raise NotTrusted(f'{path} is not a file')
        if state.st_size > _LONGEST:
            raise NotTrusted(f'{path} is too large: {state.st_size} bytes of {_LONGEST}')
        return file

    def read(self, path: str) -> str:
        """Its text. Raises NotTrusted, OSError."""
        try:
            return self.check(path).read_text(encoding='utf-8')
        except UnicodeDecodeError as error:
            raise NotTrusted(f'{path} is not UTF-8 text') from error


def _real(path: str) -> Path:
    try:
        return Path(os.path.expanduser(path)).resolve()
    except (RuntimeError, ValueError) as error:  # no HOME, a loop of links, a NUL
        raise NotTrusted(f'{path!r} is no path: {error}') from error


def _is_below(file: Path, folder: Path) -> bool:
    try:
        inside = file.relative_to(folder.resolve())
    except (ValueError, OSError, RuntimeError):
        return False
    return not any(part.startswith('.') for part in inside.parts)
