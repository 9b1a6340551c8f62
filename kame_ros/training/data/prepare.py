"""Makes shards of dialogues, shard by shard, so that a run that was ended goes on."""

from __future__ import annotations

import hashlib
import math
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from kame_ros.training.data import data_file, encode, encode_pool, same_codec, shard_file
from kame_ros.training.data.data_file import DataFolder, Entry, Head, Shard
from kame_ros.training.data.dialogue import DataError
from kame_ros.training.data.inputs import Input, Problem
from kame_ros.training.data.layout import FRAME_HZ, Marks

BYTES_PER_FRAME = 50  # codes, text and the words in it, roughly: for the size of a shard


@dataclass(frozen=True, kw_only=True)
class PrepareOptions:
    """How data are prepared. `robots` are the speakers whose part is learnt, `held_out` a share."""

    checkpoint: str
    robots: tuple[str, ...] = ('A',)
    held_out: float = 0.05
    shard_mb: float = 64.0
    device: str = 'cpu'
    workers: int = 1
    skip_bad: bool = False


@dataclass
class PrepareReport:
    """What was done, and what is in the folder now."""

    made: int = 0
    kept: int = 0
    anew: list[str] = field(default_factory=list)  # shards that were missing or damaged
    problems: list[Problem] = field(default_factory=list)
    count: shard_file.Count = field(default_factory=shard_file.Count)


class Preparation:
    """What there is to do, known before it begins. Raises DataError, CheckpointError."""

    def __init__(self, sources: Sequence[Input], folder: Path, options: PrepareOptions) -> None:
        """Finds the checkpoint and reads what is in `folder` already; encodes nothing."""
        from kame_ros.s2s.moshi.weights.checkpoint import find
        from kame_ros.s2s.moshi.weights.load import load_tokenizer

        self.folder, self.options, self.report = folder, options, PrepareReport()
        self._sources = {source.name: source for source in sources}
        checkpoint = find(options.checkpoint, weights=False, codec=True)
        self._tokenizer: Any = load_tokenizer(checkpoint)
        self._tokenizer_bytes = checkpoint.tokenizer_file.read_bytes()
        self._load = partial(encode.load, options.checkpoint, options.device)
        head = Head(
            checkpoint=options.checkpoint,
            codec_file=same_codec.codec_file(checkpoint),
            codebooks=checkpoint.codebooks,
            card=int(checkpoint.lm_kwargs['card']),
            text_card=int(checkpoint.lm_kwargs['text_card']),
            marks=Marks(
                start=int(checkpoint.lm_kwargs['text_card']),
                padding=int(checkpoint.lm_kwargs.get('existing_text_padding_id', 3)),
            ),
            tokenizer_sha256=data_file.digest(self._tokenizer_bytes),
        )
        self._data = self._open(head)
        self._todo = self._plan()

    def _open(self, head: Head) -> DataFolder:
        if not (self.folder / data_file.MANIFEST).exists():
            return DataFolder(self.folder, head)
        data = data_file.read(self.folder)
        if wrong := data.head.differs(head):
            raise DataError(
                f'{self.folder} was prepared for another checkpoint: this one has {wrong}; choose '
                'another folder'
            )
        return data

    def _plan(self) -> list[Shard]:
        """The shards to make: those that are damaged, and those of new dialogues."""
        todo = []
        for shard in self._data.shards:
            if shard.damage(self.folder, whole=True):
                todo.append(self._again(shard))
                self.report.anew.append(shard.file)
                continue
            self.report.kept += 1
            for entry in shard.entries:
                source = self._sources.get(entry.name)
                if source is not None and source.fingerprint != entry.fingerprint:
                    raise DataError(
                        f'the files of {entry.name} are others than those that {self.folder} was '
                        f'prepared from: remove {self.folder / shard.file}, which will be made '
                        'anew, or choose another folder'
                    )
        return todo + self._new_shards()

    def _again(self, shard: Shard) -> Shard:
        for entry in shard.entries:
            if entry.name not in self._sources:
                raise DataError(
                    f'{self.folder / shard.file} {shard.damage(self.folder, whole=True)}, and '
                    f'{entry.name}, which was in it, is not among the dialogues any more'
                )
            entry.fingerprint = self._sources[entry.name].fingerprint
        shard.sha256 = ''
        return shard

    def _new_shards(self) -> list[Shard]:
        there = {(entry.name, entry.robot): entry for entry in self._data.entries()}
        held = {name: entry.held_out for (name, _), entry in there.items()}
        held = held_out([*self._sources, *held], self.options.held_out, held)
        highest = max([int(shard.file[5:10]) for shard in self._data.shards], default=-1)
        shards: list[Shard] = []
        size = math.inf
        for name, source in sorted(self._sources.items()):
            frames = math.ceil(source.seconds * FRAME_HZ)
            entries = [
                Entry(name, robot, frames, held[name], source.fingerprint)
                for robot in self.options.robots
                if (name, robot) not in there
            ]
            if not entries:
                continue
            size += frames * BYTES_PER_FRAME * len(entries)
            if size > self.options.shard_mb * 1e6:
                size = frames * BYTES_PER_FRAME * len(entries)
                shards.append(Shard(f'data-{highest + 1 + len(shards):05}.safetensors', []))
            shards[-1].entries += entries
        return shards

    @property
    def seconds(self) -> float:
        """How much there is to encode, in s of dialogue."""
        return sum(self._sources[name].seconds for name in self._names())

    def _names(self) -> list[str]:
        names = [entry.name for shard in self._todo for entry in shard.entries]
        return list(dict.fromkeys(names))

    def run(self, tick: Callable[[float], None] | None = None) -> DataFolder:
        """Makes the shards. `tick` is told of seconds of dialogue that are done.

        Raises DataError for recordings that turn out to be bad, after everything else was done, and
        for a full disk; finished shards, and what was encoded of the next one, are kept.
        """
        try:
            self._run(tick)
        except OSError as error:
            raise DataError(
                f'{error.filename or self.folder} cannot be written ({error.strerror or error}): '
                f'free some space and run it again; {len(self._finished())} finished shards and '
                'what was encoded since are kept'
            ) from error
        return self._data

    def _finished(self) -> list[Shard]:
        return [shard for shard in self._data.shards if shard.sha256]

    def _run(self, tick: Callable[[float], None] | None) -> None:
        data = self._data
        if not data.head.silence:
            found = tuple(encode.silence(self._load()))
            data.head = replace(data.head, silence=found)
        for left in self.folder.glob('*.new'):  # of a run that was killed
            left.unlink()
        data_file.write_whole(self.folder / data_file.TOKENIZER, self._tokenizer_bytes)
        data.complete = False
        data.save()
        sources = [self._sources[name] for name in self._names()]
        workers = self.options.workers
        encoded = encode_pool.encode_all(sources, self.folder, self._load, workers, tick)
        done: dict[str, encode_pool.Encoded] = {}
        for shard in self._todo:
            for entry in shard.entries:
                while entry.name not in done:
                    one = next(encoded)
                    done[one.source.name] = one
                entry.frames = done[entry.name].frames
            if self.options.skip_bad:
                shard.entries = [entry for entry in shard.entries if entry.frames]
            if all(entry.frames for entry in shard.entries):
                self._write(shard)
        bad = {name: one.problem for name, one in done.items() if one.problem}
        self.report.problems += [Problem(*item) for item in bad.items()]
        if bad and not self.options.skip_bad:
            raise DataError('\n'.join(bad.values()))
        there = {entry.name for entry in data.entries()}
        data.skipped = {n: why for n, why in (data.skipped | bad).items() if n not in there}
        data.complete = True
        data.save()
        shutil.rmtree(self.folder / 'parts', ignore_errors=True)

    def _write(self, shard: Shard) -> None:
        """Writes a shard, then the manifest that has it, and forgets its parts."""
        data, report = self._data, self.report
        if shard.entries:
            content = shard_file.content([self._tensors(entry) for entry in shard.entries])
            data_file.write_whole(self.folder / shard.file, content)
            shard.bytes, shard.sha256 = len(content), data_file.digest(content)
            report.made += 1
        if shard not in data.shards:
            data.shards.append(shard)
        data.shards = [each for each in data.shards if each.entries]
        data.save()
        later = self._todo[self._todo.index(shard) + 1 :]
        needed = {entry.name for each in later for entry in each.entries}
        for name in {entry.name for entry in shard.entries} - needed:
            encode_pool.part(self.folder, self._sources[name]).unlink(missing_ok=True)

    def _tensors(self, entry: Entry) -> dict[str, Any]:
        source = self._sources[entry.name]
        codes, levels = encode_pool.load_part(encode_pool.part(self.folder, source))
        marks, count = self._data.head.marks, self.report.count
        return shard_file.tensors(source, codes, levels, entry.robot, self._tokenizer, marks, count)


def held_out(
    names: Sequence[str], share: float, decided: Mapping[str, bool] | None = None
) -> dict[str, bool]:
    """Which dialogues are never trained on: by their names alone, so that it never changes.

    What was `decided` before stays. At least one of two or more, if the share is not 0 and one is
    not decided.
    """
    decided = decided or {}
    ranks = {
        name: int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], 'big') / 2**64
        for name in names
    }
    chosen = {name for name, rank in ranks.items() if rank < share}
    found = {name: name in chosen for name in ranks} | dict(decided)
    free = ranks.keys() - decided.keys()
    if not any(found.values()) and share > 0 and len(found) > 1 and free:
        found[min(free, key=lambda name: ranks[name])] = True
    return found


def cores() -> int:
    """How many processes can encode at once here: by cores, and 2 GB for each; 8 at most."""
    memory = os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE')
    return max(1, min(8, len(os.sched_getaffinity(0)), int(memory / 2e9)))
