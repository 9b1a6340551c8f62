"""A folder of prepared dialogues: `data.json`, the tokeniser, and shards of tokens.

A shard is a safetensors file. Dialogue number n in it has `n.robot` and `n.user` (codes
int16[8, T]), `n.text` (the robot's monologue, int32[T]), `n.quiet` (frames without a sound of the
robot, uint8[T]), `n.words` and `n.oracles` (JSON in uint8: what was said by whom and when; what was
written, and when it was asked for). Oracles are not laid out: their latency is drawn when a batch
is made.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from kame_ros.runtime.weights import file_sha256
from kame_ros.text.misfit import misfit
from kame_ros.training.data.dialogue import DataError
from kame_ros.training.data.layout import Marks

FORMAT = 2
MANIFEST, TOKENIZER = 'data.json', 'tokenizer.model'


@dataclass(frozen=True, kw_only=True)
class Head:
    """What the tokens were made with, and so what they can train.

    `silence` are the codes of a silent frame, `codec_file` tells one Mimi from another.
    """

    checkpoint: str
    codec_file: str
    codebooks: int
    card: int
    text_card: int
    marks: Marks
    tokenizer_sha256: str
    silence: tuple[int, ...] = ()

    def differs(self, other: Head) -> str:
        """In what `other` cannot be mixed with this, or nothing."""
        for name, mine in asdict(self).items():
            theirs = asdict(other)[name]
            if name not in ('checkpoint', 'silence') and mine != theirs:
                return f'{name} {_short(theirs)} instead of {_short(mine)}'
        return ''


def _short(value: Any) -> str:
    return value[:12] if isinstance(value, str) else str(value)


@dataclass
class Entry:
    """A dialogue in a shard, with one of its speakers as the robot."""

    name: str
    robot: str
    frames: int
    held_out: bool
    fingerprint: str


@dataclass
class Shard:
    """A finished shard, or one to be made: then it has no sha256."""

    file: str
    entries: list[Entry]
    sha256: str = ''
    bytes: int = 0

    def damage(self, folder: Path, whole: bool) -> str:
        """What is wrong with the file, or nothing; `whole` reads all of it."""
        path = folder / self.file
        try:
            size = path.stat().st_size
        except OSError:
            return 'is missing'
        if size != self.bytes:
            return f'has {size} bytes instead of {self.bytes}'
        if whole and file_sha256(path) != self.sha256:
            return 'is damaged: its sha256 is another'
        return ''


@dataclass
class DataFolder:
    """The manifest. `complete` once all that was given is in shards, or was left out knowingly."""

    folder: Path
    head: Head
    shards: list[Shard] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    complete: bool = False

    def save(self) -> None:
        """Writes the manifest, whole or not at all. Raises OSError."""
        value = {
            'format': FORMAT,
            'complete': self.complete,
            **asdict(self.head),
            'skipped': self.skipped,
            'shards': [asdict(shard) for shard in self.shards],
        }
        write_whole(self.folder / MANIFEST, (json.dumps(value, indent=1) + '\n').encode())

    def entries(self) -> list[Entry]:
        """All dialogues of all shards."""
        return [entry for shard in self.shards for entry in shard.entries]

    def damages(self, whole: bool) -> list[str]:
        """What is wrong with the shards, one sentence each; `whole` reads all of them."""
        found = [(shard, shard.damage(self.folder, whole)) for shard in self.shards]
        return [f'{self.folder / shard.file} {what}' for shard, what in found if what]


def read(folder: Path) -> DataFolder:
    """Reads the manifest. Raises DataError if there is none, or it is damaged."""
    path = folder / MANIFEST
    try:
        value = json.loads(path.read_text())
    except FileNotFoundError as error:
        raise DataError(
            f'{folder} holds no prepared data: there is no {MANIFEST}; run "kame train prepare"'
        ) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, 'strerror', None) or error
        raise DataError(f'{path} cannot be read: {reason}') from error
    try:
        if value.pop('format') != FORMAT:
            raise DataError(f'{path} was written by another version of kame: prepare the data anew')
        shards = [
            Shard(**{**shard, 'entries': [Entry(**entry) for entry in shard['entries']]})
            for shard in value.pop('shards')
        ]
        complete, skipped = value.pop('complete'), value.pop('skipped')
        value['marks'], value['silence'] = Marks(**value['marks']), tuple(value['silence'])
        return DataFolder(folder, Head(**value), shards, skipped, complete)
    except (KeyError, TypeError, AttributeError) as error:
        raise DataError(f'{path} is damaged ({misfit(error)}): prepare the data anew') from error


def write_whole(path: Path, content: bytes) -> None:
    """Writes a file so that it is there whole, or not at all. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f'{path.name}.{os.getpid()}.new')
    try:
        with new.open('wb') as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise


def digest(content: bytes) -> str:
    """The sha256 of what is in memory."""
    return hashlib.sha256(content).hexdigest()
