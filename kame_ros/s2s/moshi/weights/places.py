"""Where the files of a checkpoint are: in a folder, or in the cache of the Hugging Face hub.

Nothing is got here: `kame get` does that, once, and a node finds what it has brought.
"""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from kame_ros.s2s.moshi.weights.errors import CheckpointError, NotHere

_HUB, _FILE = 'hf://', 'file://'


@dataclass(frozen=True)
class FileName:
    """A file as a config.json names it: of the checkpoint itself, or `hf://owner/name/path`."""

    path: str
    repository: str = ''  # empty: of the checkpoint itself
    here: bool = False  # `file://`: of this machine

    def __str__(self) -> str:
        return f'{self.repository}/{self.path}' if self.repository else self.path


def read_name(text: str) -> FileName:
    """Reads the name of a file. Raises CheckpointError for what is none."""
    if not isinstance(text, str) or not text:
        raise CheckpointError(f'{text!r} is no name of a file')
    if text.startswith(_FILE):
        return FileName(text.removeprefix(_FILE), here=True)
    repository, path = '', text
    if text.startswith(_HUB):
        owner, _, rest = text.removeprefix(_HUB).partition('/')
        name, _, path = rest.partition('/')
        repository = f'{owner}/{name}'
        if not (owner and name and path):
            raise CheckpointError(f'{text} names no file: hf://OWNER/NAME/FILE does')
    if path.startswith('/') or '..' in path.split('/'):
        raise CheckpointError(f'{text} leads out of its folder')
    return FileName(path, repository)


class FilePlace(Protocol):
    """Where the files of a checkpoint are."""

    where: str  # as the user named it

    def get(self, name: FileName) -> Path | None:
        """The file, or None if it is not there."""

    def lacks(self, name: FileName) -> CheckpointError:
        """What to say and to do about a file that is not there."""


class Folder:
    """A folder; what it names on the hub is looked for in the cache."""

    def __init__(self, folder: Path) -> None:
        self.where = str(folder)
        self._folder = folder

    def get(self, name: FileName) -> Path | None:
        """See FilePlace.get."""
        if name.repository:
            return cached(name.repository, name.path)
        path = Path(os.path.expanduser(name.path)) if name.here else self._folder / name.path
        return path if os.path.isfile(path) else None

    def lacks(self, name: FileName) -> CheckpointError:
        """See FilePlace.lacks."""
        if name.repository:
            return NotHere(
                f'{self.where} names {name}, which is not on this machine: get it with '
                f'"kame get {shlex.quote(self.where)}"',
                self.where,
            )
        if name.here:
            return elsewhere(self.where, name)
        return CheckpointError(f'{self.where} has no {name}: the checkpoint is not whole')


class CachedHub:
    """A repository of the hub, as far as it has been got. The hub is never asked."""

    def __init__(self, repository: str, revision: str = '') -> None:
        self.where = repository
        self._revision = revision

    def get(self, name: FileName) -> Path | None:
        """See FilePlace.get."""
        if name.here:
            path = Path(name.path)
            return path if os.path.isfile(path) else None
        if name.repository:
            return cached(name.repository, name.path)
        return cached(self.where, name.path, self._revision)

    def lacks(self, name: FileName) -> CheckpointError:
        """See FilePlace.lacks."""
        if name.here:
            return elsewhere(self.where, name)
        words = f'{self.where} --revision {self._revision}' if self._revision else self.where
        return NotHere(
            f'the weights {self.where} are not (all) on this machine, {name.path} is missing: get '
            f'them with "kame get {words}"; or, where there is a network, "hf download '
            f'{self.where} --local-dir FOLDER", and give that FOLDER',
            self.where,
            self._revision,
        )


def elsewhere(where: str, name: FileName) -> CheckpointError:
    """What to say of a `file://` that is not here."""
    return CheckpointError(
        f'{where} names {name}, a file of the machine on which it was written, which is not here'
    )


def cached(repository: str, path: str, revision: str = '') -> Path | None:
    """A file in the cache of the hub, or None. No call is made."""
    try:
        from huggingface_hub import try_to_load_from_cache
    except ImportError as error:
        raise CheckpointError(
            'the package huggingface-hub is not installed: pip install huggingface-hub'
        ) from error
    except ValueError as error:  # read when it is imported
        raise CheckpointError(f'HF_ENDPOINT is no address of a hub: {error}') from error
    try:
        found = try_to_load_from_cache(repository, path, revision=revision or None)
    except (ValueError, OSError) as error:  # a name of a repository, or of a file, that is none
        reason = getattr(error, 'strerror', None) or ' '.join(str(error).split())
        raise CheckpointError(f'{repository[:100]} cannot be looked for: {reason[:300]}') from error
    return Path(found) if isinstance(found, str) else None
