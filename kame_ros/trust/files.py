"""Which files a node may use because a parameter names them: settled when the process starts."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

VARIABLE = 'KAME_FILES'  # folders more, with a colon between, as in PATH
_LONGEST = 1_000_000  # bytes of a text that a person has written
_SHOWN = 200  # characters of a path in a sentence


class NotTrusted(ValueError):
    """What may not be used because a parameter names it, with the reason in one sentence."""


def _package_folders() -> tuple[Path, ...]:
    package = Path(__file__).resolve().parents[1]
    # In the source tree config/ lies beside the package, installed in share/kame_ros.
    found = [package.parent / 'config', package / 'config']
    for prefix in os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep):
        found += [Path(prefix, 'share', 'kame_ros', 'config')] if prefix else []
    return tuple(found)


def _own_folders() -> tuple[Path, ...]:
    given = os.environ.get(VARIABLE, '').split(os.pathsep)
    # Path's own expansion raises without a home
    found = tuple(Path(os.path.expanduser(p)) for p in given if p.strip())
    try:
        working = Path.cwd()
    except OSError:  # it was removed
        return found
    return (*found, working) if working != working.parent else found  # never all of /


_OWN = _own_folders()
_FOLDERS = (*_package_folders(), *_OWN)


@dataclass(frozen=True)
class TrustedFiles:
    """Files below some folders, and some files by name; nothing that begins with a dot.

    The folders are the configuration of the package, the working folder in which the process was
    started, and those in the variable KAME_FILES; `own`, where files may be written, are these
    without the package's. `given` are the values with which the process was started, as they were
    written and links followed, wherever they lie.
    """

    given: frozenset[Path | str] = frozenset()
    folders: tuple[Path, ...] = field(default=_FOLDERS)
    own: tuple[Path, ...] = field(default=_OWN)

    @classmethod
    def at_start(cls, given: Iterable[str]) -> TrustedFiles:
        """With the paths, if any, that the process was started with."""
        texts = [path for path in given if path.strip()]
        return cls(frozenset((*texts, *filter(None, map(_real_or_none, texts)))))

    def place(self, path: str) -> Path:
        """Where a file or folder that may be read lies, links followed. Raises NotTrusted."""
        file = _real(path)
        if path in self.given or file in self.given or _is_below_any(file, self.folders):
            return file
        raise NotTrusted(
            f'{_shown(path)} may not be read: it lies neither in the working folder nor in one of '
            f'{VARIABLE}, and was not given at start'
        )

    def model(self, name: str) -> None:
        """A model by its name, which is somebody else's to find, or by a path that may be read.

        Raises NotTrusted.
        """
        path = os.path.expanduser(name)
        is_path = path.startswith(('/', '.', '~')) or '..' in Path(path).parts
        if name and (is_path or '\0' in name or os.path.lexists(path)):
            self.place(name)

    def target(self, path: str) -> Path:
        """Where a recording may be written. Raises NotTrusted."""
        file = _real(path)
        if path in self.given or file in self.given:
            return file
        if not _is_below_any(file, self.own):
            raise NotTrusted(
                f'{_shown(path)} may not be written: it lies neither in the working folder nor in '
                f'one of {VARIABLE}, and was not given at start'
            )
        if file.suffix.lower() != '.wav':
            raise NotTrusted(f'{_shown(path)} may not be written: its name does not end in .wav')
        return file

    def check(self, path: str) -> Path:
        """A file of text that is there, links followed. Raises NotTrusted."""
        file = self.place(path)
        try:
            state = file.stat()
        except OSError as error:
            raise NotTrusted(f'{_shown(path)} cannot be read: {error.strerror}') from error
        if not stat.S_ISREG(state.st_mode):
            raise NotTrusted(f'{_shown(path)} is not a file')
        if state.st_size > _LONGEST:
            raise NotTrusted(f'{_shown(path)} is too large: {state.st_size} bytes of {_LONGEST}')
        return file

    def read(self, path: str) -> str:
        """Its text. Raises NotTrusted."""
        file = self.check(path)
        try:
            return file.read_text(encoding='utf-8')
        except UnicodeDecodeError as error:
            raise NotTrusted(f'{_shown(path)} is not UTF-8 text') from error
        except OSError as error:
            raise NotTrusted(f'{_shown(path)} cannot be read: {error.strerror}') from error


def _shown(path: str) -> str:
    """The path in a sentence; quoted and cut if it is odd."""
    odd = len(path) > _SHOWN or not path.isprintable()
    return repr(path[:_SHOWN]) + '…' * (len(path) > _SHOWN) if odd else path


def _real_or_none(path: str) -> Path | None:
    try:
        return _real(path)
    except NotTrusted:
        return None


def _real(path: str) -> Path:
    try:
        return Path(os.path.expanduser(path)).resolve()
    except (RuntimeError, ValueError, OSError) as error:  # a loop of links, a NUL, a name too long
        reason = getattr(error, 'strerror', None) or 'a NUL, or links in a circle'
        raise NotTrusted(f'{_shown(path)} is no path: {reason}') from error


def _is_below_any(file: Path, folders: Iterable[Path]) -> bool:
    return any(_is_below(file, folder) for folder in folders)


def _is_below(file: Path, folder: Path) -> bool:
    try:
        inside = file.relative_to(folder.resolve())
    except (ValueError, OSError, RuntimeError):
        return False
    return not any(part.startswith('.') for part in inside.parts)
