"""Which files of the hub a Moshi or KAME checkpoint needs, and gets them.

What decides is the code that finds a checkpoint (s2s/moshi/weights/checkpoint.py): it is run on
what the hub has, instead of on what this machine has.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from kame_ros.fetch import hub_file
from kame_ros.fetch.errors import FetchError
from kame_ros.fetch.hub import Hub, RemoteFile, Repository
from kame_ros.fetch.hub_cache import CachedRepository, cache_folder
from kame_ros.fetch.report import FetchReport, Notes
from kame_ros.fetch.sizes import check_room, in_words
from kame_ros.s2s.moshi.weights import checkpoint, moshi_7b
from kame_ros.s2s.moshi.weights.errors import CheckpointError
from kame_ros.s2s.moshi.weights.places import FileName, FilePlace, Folder, elsewhere

SHORT_NAMES = {'kame': 'SakanaAI/kame', 'moshi': moshi_7b.REPOSITORY, 'mimi': moshi_7b.REPOSITORY}
_OF_MOSHI = ('dep_q', 'moshi_name', 'mimi_name')  # keys of its config.json
_READ_NOW = '.json'  # small, and says what else there is
_SMALL = hub_file.LinePatience(broken_s=60.0)  # nothing is shown while it comes


@dataclass(frozen=True)
class Wanted:
    """A file of the hub that is to be on this machine."""

    repository: Repository
    file: RemoteFile


@dataclass
class FetchPlan:
    """What is to be got, before it is."""

    name: str
    cache: Path
    files: list[Wanted] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(wanted.file.size for wanted in self.files)

    @property
    def missing(self) -> int:
        """Bytes that are still to come."""
        return self.size - sum(self.have(wanted) for wanted in self.files)

    @property
    def repositories(self) -> list[Repository]:
        """Whose files they are."""
        return list({wanted.repository.name: wanted.repository for wanted in self.files}.values())

    def have(self, wanted: Wanted) -> int:
        """Bytes of a file that are here."""
        place = CachedRepository(wanted.repository.name, self.cache)
        return place.have(wanted.file.etag, wanted.file.size)

    def left_by_others(self) -> list[Path]:
        """Beginnings of files in these repositories that no process goes on with."""
        return [
            path
            for repository in self.repositories
            for path in CachedRepository(repository.name, self.cache).orphans()
        ]


def plan(
    hub: Hub,
    name: str,
    revision: str = '',
    only: tuple[str, ...] = (),
) -> FetchPlan:
    """What there is to get of a checkpoint: a short name, a repository, or a folder.

    Of a repository that is no such checkpoint all files are; with `only`, just those. What says
    which files there are (config.json) is got at once. Raises FetchError.
    """
    cache = cache_folder()
    folder = Path(name).expanduser()
    place = _HubPlace(hub, SHORT_NAMES.get(name, name), revision, cache, folder)
    made = FetchPlan(name, cache)
    is_one = folder.is_dir() or name in SHORT_NAMES or place.is_checkpoint()
    if only or not is_one:
        made.files = [Wanted(place.own, file) for file in _chosen(place.own, only)]
        return made
    try:
        checkpoint.find(place.where, weights=name != 'mimi', codec=True, place=place)
    except CheckpointError as error:
        raise FetchError(str(error)) from error
    made.files = list(place.wanted.values())
    if not folder.is_dir():
        for extra in ('README.md', 'LICENSE', 'LICENSE.txt'):
            if extra in place.own.files and name != 'mimi':
                made.files.append(Wanted(place.own, place.own.files[extra]))
    return made


def get(
    hub: Hub, made: FetchPlan, report: FetchReport, patience: hub_file.LinePatience | None = None
) -> None:
    """Gets what is missing, the small files first. Raises FetchError."""
    check_room(made.cache, made.missing, 'set HF_HOME to a folder of another disk')
    for wanted in sorted(made.files, key=lambda wanted: wanted.file.size):
        hub_file.get(hub, wanted.repository, wanted.file, made.cache, report, patience)
    for repository in made.repositories:
        place = CachedRepository(repository.name, made.cache)
        place.set_revision(repository.revision, repository.commit)
    if left := made.left_by_others():
        size = sum(path.stat().st_size for path in left)
        report.note(
            f'{len(left)} unfinished files of other programs ({in_words(size)}) lie in '
            f'{left[0].parent}, named *.incomplete: remove them if nothing uses them'
        )


class _HubPlace(FilePlace):
    """A checkpoint as the hub has it, or as a folder does that names files of the hub."""

    def __init__(self, hub: Hub, where: str, revision: str, cache: Path, folder: Path) -> None:
        self.where = where
        self._hub, self._revision, self._cache = hub, revision, cache
        self._folder = Folder(folder) if folder.is_dir() else None
        self._known: dict[str, Repository] = {}
        self.wanted: dict[tuple[str, str], Wanted] = {}

    @property
    def own(self) -> Repository:
        return self._repository(self.where, self._revision)

    def is_checkpoint(self) -> bool:
        """Whether the repository is one of Moshi's kind, and no other."""
        files = self.own.files
        if checkpoint.FINETUNED in files or moshi_7b.MIMI in files:
            return True
        if checkpoint.CONFIG not in files:
            return False
        path = self.get(FileName(checkpoint.CONFIG))
        try:
            config = json.loads(path.read_text(encoding='utf-8')) if path else {}
        except ValueError:
            return False
        return isinstance(config, dict) and any(key in config for key in _OF_MOSHI)

    def get(self, name: FileName) -> Path | None:
        if name.here or (self._folder and not name.repository):
            local = self._folder or Folder(Path('/'))
            return local.get(name)
        repository = self._repository(name.repository) if name.repository else self.own
        file = repository.files.get(name.path)
        if file is None:
            return None
        wanted = Wanted(repository, file)
        self.wanted[repository.name, file.path] = wanted
        if file.path.endswith(_READ_NOW):
            return hub_file.get(self._hub, repository, file, self._cache, Notes(), _SMALL)
        return self._cache / repository.name / file.path  # is not read now

    def lacks(self, name: FileName) -> CheckpointError:
        if name.here:
            return elsewhere(self.where, name)
        place = name.repository or self.where
        return CheckpointError(f'{place} has no {name.path}: the checkpoint is not whole')

    def _repository(self, name: str, revision: str = '') -> Repository:
        if name not in self._known:
            self._known[name] = self._hub.repository(name, revision)
        return self._known[name]


def _chosen(repository: Repository, only: tuple[str, ...]) -> list[RemoteFile]:
    if not only:
        return [file for path, file in repository.files.items() if path != '.gitattributes']
    for path in only:
        if path not in repository.files:
            raise FetchError(f'{repository.name} has no file {path}; see {repository.page}')
    return [repository.files[path] for path in only]
