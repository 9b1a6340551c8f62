"""Where the Hugging Face hub's own library looks for files, and how they get there.

Its layout, for a repository `owner/name` (huggingface_hub, "Understand caching"):

    models--owner--name/blobs/ETAG                     the content, named by its checksum
    models--owner--name/snapshots/COMMIT/PATH          a link to it
    models--owner--name/refs/REVISION                  the commit that a branch or tag is
    .locks/models--owner--name/ETAG.lock               held by whoever gets the content

What lies there is found by every program that uses the hub, without asking it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_OLD_S = 60.0  # whoever gets a file writes to it all the time, or has ended
_LOOK_S = 0.5


def cache_folder() -> Path:
    """The hub's cache: HF_HUB_CACHE, else HF_HOME/hub, else ~/.cache/huggingface/hub."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


class CachedRepository:
    """The files of one repository in the cache."""

    def __init__(self, name: str, cache: Path) -> None:
        self.name = name
        self.folder = cache / f'models--{name.replace("/", "--")}'
        self._locks = cache / '.locks' / self.folder.name

    def blob(self, etag: str) -> Path:
        """Where the content of this checksum is, or will be."""
        return self.folder / 'blobs' / etag

    def partial(self, etag: str) -> Path:
        """Where its beginning is while it is got: always the same, so that a later try goes on."""
        return self.folder / 'blobs' / f'{etag}.incomplete'

    def have(self, etag: str, size: int) -> int:
        """How many bytes of it are here."""
        if self.blob(etag).is_file():
            return size
        try:
            return min(size, self.partial(etag).stat().st_size)
        except OSError:
            return 0

    @contextmanager
    def locked(self, etag: str) -> Iterator[bool]:
        """Holds the lock that the hub's library takes, too; gives whether it had to wait."""
        self._locks.mkdir(parents=True, exist_ok=True)
        with open(self._locks / f'{etag}.lock', 'ab') as lock:
            waited = False
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    waited = True
                    time.sleep(_LOOK_S)
            yield waited

    def link(self, commit: str, path: str, etag: str) -> Path:
        """Makes the content known as a file of a commit; gives that file."""
        pointer = self.folder / 'snapshots' / commit / path
        pointer.parent.mkdir(parents=True, exist_ok=True)
        if pointer.exists():
            return pointer
        with suppress(FileNotFoundError):
            pointer.unlink()  # a link to nothing
        try:
            pointer.symlink_to(os.path.relpath(self.blob(etag), pointer.parent))
        except FileExistsError:
            pass
        except OSError:  # a file system without links: the hub's library moves it there, too
            shutil.move(self.blob(etag), pointer)
        return pointer

    def set_revision(self, revision: str, commit: str) -> None:
        """Lets a branch or tag mean this commit; to be called once its files are whole."""
        if revision == commit:
            return
        ref = self.folder / 'refs' / revision
        ref.parent.mkdir(parents=True, exist_ok=True)
        ref.write_text(commit, encoding='ascii')

    def orphans(self, etag: str = '') -> list[Path]:
        """What other programs began and left, of one content or of all; ours is not among them.

        The hub's library begins each time under a new name, ETAG.XXXXXXXX.incomplete.
        """
        found = []
        for path in sorted((self.folder / 'blobs').glob(f'{etag or "*"}.*.incomplete')):
            with suppress(OSError):
                if time.time() - path.stat().st_mtime > _OLD_S:
                    found.append(path)
        return found
