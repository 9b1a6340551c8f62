"""Writes a bag: files of bounded size, of which the oldest goes, and a disk that may be full."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kame_ros.bag.definitions import definition
from kame_ros.bag.metadata import FILE, Part, Topic, metadata
from kame_ros.bag.part_file import Opener, PartFile, free_bytes, unbuffered
from kame_ros.settings.param import check_settings, setting

_MB = 1_000_000
_AGAIN_S = 5.0  # after the disk was full
_TOLD_EVERY_S = 10.0  # how often metadata.yaml is written anew


@dataclass(frozen=True)
class BagConfig:
    """How much a bag may hold, and how much of it a crash may cost."""

    file_mb: float = setting(
        200.0, 'A new file is begun after so much.', low=0.1, high=100_000.0, unit='MB'
    )
    total_mb: float = setting(
        4_000.0,
        'The oldest file of the bag is deleted when all together are larger.',
        low=0.2,
        high=1e7,
        unit='MB',
    )
    free_mb: float = setting(
        500.0, 'Nothing is written while the disk has less room.', low=0.0, high=1e7, unit='MB'
    )
    flush_s: float = setting(
        0.5, 'So much may be lost by kill -9: what is older is in the file.', low=0.05, high=10.0
    )

    def __post_init__(self) -> None:
        check_settings(self)


class BagWriter:
    """One bag, a folder of its own below `folder`. One thread owns it; time is passed in.

    No disk ends it: what cannot be written is counted in `lost`, and tried again every 5 s in a
    new file. `trouble` says what is wrong now, or nothing.

    Raises OSError if the folder cannot be made.
    """

    def __init__(
        self,
        folder: Path,
        config: BagConfig,
        opener: Opener = unbuffered,
        free: Callable[[Path], int] = free_bytes,
        name: str = '',
    ) -> None:
        self._config, self._opener, self._free = config, opener, free
        self.folder = _new_folder(folder, name or time.strftime('kame_%Y_%m_%d-%H_%M_%S'))
        self.lost = 0
        self.written = 0  # messages that are in the files
        self.deleted_files = 0
        self.trouble = ''
        self._file: PartFile | None = None
        self._numbers = 0
        self._parts: list[Part] = []
        self._counts: dict[Topic, int] = {}
        self._definitions: dict[str, str] = {}
        self._unflushed: Counter[Topic] = Counter()
        self._flushed_at = self._told_at = self._try_at = float('-inf')

    def write(self, topic: Topic, data: bytes, log: int, published: int, now: float) -> None:
        """A message, CDR, with its times in nanoseconds; `now` in seconds that do not jump.

        Raises NoDefinition for a type that is not known here.
        """
        text = self._definitions.get(topic.kind)
        if text is None:
            text = self._definitions[topic.kind] = definition(topic.kind)
        if self._file is None and not self._begin(now):
            self.lost += 1
            return
        assert self._file is not None
        self._unflushed[topic] += 1
        try:
            self._file.write(topic, text, data, log, published)
        except OSError as error:
            self._failed(error, now)
            return
        self.tick(now)

    def tick(self, now: float) -> None:
        """Flushes, and begins a new file, when it is time."""
        if self._file is None:
            return
        try:
            if now - self._flushed_at >= self._config.flush_s:
                self._flushed_at = now
                self._file.flush()
                self._settle()
                self._check_room()
            if self._file.part.bytes >= self._config.file_mb * _MB:
                self._end_file()
            if now - self._told_at >= _TOLD_EVERY_S:
                self._told_at = now
                self._tell()
        except OSError as error:
            self._failed(error, now)

    def close(self) -> None:
        """Ends the bag."""
        try:
            if self._file is not None:
                self._end_file()
            self._tell()
        except OSError as error:
            self._failed(error, float('inf'))

    @property
    def bytes(self) -> int:
        """The size of all files that are kept."""
        return sum(part.bytes for part in self._parts)

    def _begin(self, now: float) -> bool:
        if now < self._try_at:
            return False
        self._try_at = now + _AGAIN_S
        name = f'{self.folder.name}_{self._numbers}.mcap'
        try:
            self._check_room()
            self._numbers += 1
            self._file = PartFile(self.folder / name, self._opener)
            self._parts.append(self._file.part)
            self._flushed_at, self._told_at = now, float('-inf')
        except OSError as error:
            self.trouble = _why(self.folder, error)
            return False
        self.trouble = ''
        return True

    def _check_room(self) -> None:
        if self._free(self.folder) < self._config.free_mb * _MB:
            raise OSError(f'there is less than {self._config.free_mb:g} MB of room')

    def _failed(self, error: OSError, now: float) -> None:
        self.trouble = _why(self.folder, error)
        self._try_at = now + _AGAIN_S
        if self._file is not None:
            self._file.give_up()
            self._file.part.count -= self._unflushed.total()
        self.lost += self._unflushed.total()
        self._unflushed.clear()
        self._file = None

    def _settle(self) -> None:
        """What was not flushed is in the file now."""
        self.written += self._unflushed.total()
        for topic, count in self._unflushed.items():
            self._counts[topic] = self._counts.get(topic, 0) + count
        self._unflushed.clear()

    def _end_file(self) -> None:
        assert self._file is not None
        self._file.close()
        self._file = None
        self._try_at = float('-inf')
        self._settle()
        while len(self._parts) > 1 and self.bytes > self._config.total_mb * _MB:
            oldest = self._parts.pop(0)
            (self.folder / oldest.name).unlink(missing_ok=True)
            self.deleted_files += 1
        self._tell()

    def _tell(self) -> None:
        """Writes metadata.yaml, all of it or nothing."""
        path = self.folder / FILE
        beside = path.with_suffix('.tmp')
        beside.write_text(metadata(self._parts, self._counts), encoding='utf-8')
        os.replace(beside, path)


def _new_folder(parent: Path, name: str) -> Path:
    for number in range(1_000):
        folder = parent / (f'{name}_{number}' if number else name)
        try:
            parent.mkdir(parents=True, exist_ok=True)
            folder.mkdir(mode=0o700)  # what people say is theirs
            return folder
        except FileExistsError:
            if not parent.is_dir():
                raise
    raise OSError(f'{parent} has a thousand bags of this second')


def _why(folder: Path, error: OSError) -> str:
    reason = error.strerror or str(error)
    return f'nothing is recorded in {folder} until it can be: {reason}'
