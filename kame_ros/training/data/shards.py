"""Prepared dialogues as batches: random crops, with the latency of the oracles drawn anew."""

from __future__ import annotations

import random
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np

from kame_ros.s2s.moshi.oracle.growing_text import known_tokens
from kame_ros.training.data import data_file
from kame_ros.training.data.arrival import ArrivedOracle, Latency, arrive
from kame_ros.training.data.data_file import DataFolder, Entry
from kame_ros.training.data.dialogue import DataError, DialogueWord
from kame_ros.training.data.layout import (
    FRAME_HZ,
    Example,
    Marks,
    for_training,
    oracle_axis,
)
from kame_ros.training.data.shard_file import MAKE_ANEW, ShardReader
from kame_ros.training.data.source import Batch

HELD = 64  # dialogues whose oracles are kept in memory


@dataclass(frozen=True, kw_only=True)
class DataInfo:
    """What a folder of `kame train prepare` says of itself.

    `codec_file` tells one Mimi from another; `silence` are the codes [codebooks] of a silent frame.
    `dialogues` counts what is trained on, `held_out` what is not; `hours` is of both.
    """

    codec_file: str
    codebooks: int
    card: int
    text_card: int
    marks: Marks
    tokenizer: bytes
    tokenizer_sha256: str
    silence: tuple[int, ...]
    checkpoint: str
    dialogues: int
    held_out: int
    hours: float


@dataclass(frozen=True)
class Crop:
    """A part of a dialogue: `first` is its first frame, `quiet` bool[T] where the robot is still.

    `words` are of the whole dialogue, with their times in it.
    """

    name: str
    robot: str
    first: int
    example: Example
    quiet: np.ndarray
    words: tuple[DialogueWord, ...] = ()


@dataclass(frozen=True)
class _Place:
    """Where a dialogue lies: its shard, and its number there."""

    shard: int
    number: int
    entry: Entry


class ShardSource:
    """A `Source` of crops of `frames` frames; each `rank` of `world` processes gets its own.

    A dialogue is chosen by its length, and so all frames are as likely; a shorter one is filled up
    with silence. Of the share `blank` of the crops the robot gets no oracle. The batch of a step
    depends on its number, `seed`, `rank` and `world` alone. Raises DataError for a folder that
    is not whole; a shard is read, and its sha256 compared, when it is needed first (`verify` does
    so for all).
    """

    info: DataInfo
    tokenizer: Any  # a SentencePieceProcessor

    def __init__(
        self,
        folder: Path,
        *,
        batch: int,
        frames: int,
        seed: int = 0,
        rank: int = 0,
        world: int = 1,
        blank: float = 0.1,
        latency: Latency | None = None,
    ) -> None:
        self._data = data_file.read(folder)
        self.info, self.tokenizer = _describe(self._data)
        self._encode = known_tokens(self.tokenizer)  # as the front-end does
        self._batch, self._frames = batch, frames
        self._seed = f'{seed}/{rank}/{world}'
        self._rank, self._blank, self._latency = rank, blank, latency or Latency()
        places = [
            _Place(shard, number, entry)
            for shard, each in enumerate(self._data.shards)
            for number, entry in enumerate(each.entries)
        ]
        self._trained = _Lot([place for place in places if not place.entry.held_out])
        self._held = _Lot([place for place in places if place.entry.held_out])
        if not self._trained.places:
            raise DataError(f'{folder} has no dialogue to train on')
        self._readers: dict[int, ShardReader] = {}
        self._oracles: dict[tuple[int, int], list[ArrivedOracle]] = {}
        self._silence = np.array(self.info.silence, np.int64)

    def verify(self) -> None:
        """Reads all shards. Raises DataError with all that are damaged."""
        verify(self._data)

    def batch(self, step: int) -> Batch:
        """The batch of a training step."""
        return self._make(self._trained, f'train/{self._seed}/{step}', self._blank)

    def held_out(self, number: int) -> Batch:
        """A batch of dialogues that are never trained on; DataError if there are none."""
        self._need_held_out()
        return self._make(self._held, f'held/{self._rank}/{number}', 0.0)

    def crop(self, number: int, held_out: bool = False) -> Crop:
        """One crop with its words, for a look at it."""
        if held_out:
            self._need_held_out()
        lot = self._held if held_out else self._trained
        return self._draw(lot, random.Random(f'look/{number}'), 0.0, with_words=True)

    def _need_held_out(self) -> None:
        if not self._held.places:
            raise DataError(
                f'{self._data.folder} has no held-out dialogues: prepare it with --held-out 0.05, '
                'and from two dialogues or more'
            )

    def _make(self, lot: _Lot, seed: str, blank: float) -> Batch:
        rng = random.Random(seed)  # a str seeds alike in every process; a tuple would not
        crops = [self._draw(lot, rng, blank) for _ in range(self._batch)]
        pairs = [for_training(crop.example) for crop in crops]
        return Batch(
            np.stack([codes for codes, _ in pairs]),
            np.stack([oracle for _, oracle in pairs]),
            np.stack([crop.quiet[:-1] for crop in crops]),
        )

    def _draw(self, lot: _Lot, rng: random.Random, blank: float, with_words: bool = False) -> Crop:
        place = lot.draw(rng)
        first = rng.randint(0, max(0, place.entry.frames - self._frames))
        oracles = self._written(place) if rng.random() >= blank else []
        events = arrive(oracles, rng, self._latency)
        reader = self._reader(place.shard)
        found = {
            key: reader.frames(place.number, key, first, first + self._frames)
            for key in ('robot', 'user', 'text', 'quiet')
        }
        example = Example(
            _fill(found['text'], self._frames, self.info.marks.padding),
            _fill(found['robot'], self._frames, self._silence[:, None]),
            _fill(found['user'], self._frames, self._silence[:, None]),
            # As on the axis of the whole dialogue: what is half fed at `first` goes on.
            oracle_axis(events, self._encode, self._frames, self.info.marks, first),
        )
        quiet = _fill(found['quiet'], self._frames, 1).astype(bool)
        words = reader.words(place.number) if with_words else ()
        return Crop(place.entry.name, place.entry.robot, first, example, quiet, words)

    def _written(self, place: _Place) -> list[ArrivedOracle]:
        key = place.shard, place.number
        if key not in self._oracles:
            if len(self._oracles) >= HELD:
                self._oracles.pop(next(iter(self._oracles)))  # the one read first
            self._oracles[key] = self._reader(place.shard).oracles(place.number)
        return self._oracles[key]

    def _reader(self, shard: int) -> ShardReader:
        if shard not in self._readers:
            self._readers[shard] = ShardReader(self._data.folder, self._data.shards[shard])
        return self._readers[shard]


class _Lot:
    """Dialogues that are drawn by their length."""

    def __init__(self, places: list[_Place]) -> None:
        self.places = places
        self._ends = list(accumulate(place.entry.frames for place in places))

    def draw(self, rng: random.Random) -> _Place:
        """One of them."""
        return self.places[bisect_right(self._ends, rng.randrange(self._ends[-1]))]


def _fill(values: np.ndarray, frames: int, with_what: Any) -> np.ndarray:
    """[..., n] as int64[..., frames], the rest filled up."""
    out = np.empty((*values.shape[:-1], frames), np.int64)
    out[...] = with_what
    out[..., : values.shape[-1]] = values
    return out


def _describe(data: DataFolder) -> tuple[DataInfo, Any]:
    """What the manifest says, and the tokeniser, after a look at all files. Raises DataError."""
    from sentencepiece import SentencePieceProcessor

    if not data.complete:
        raise DataError(f'{data.folder} is not finished: run "kame train prepare" again')
    verify(data, whole=False)
    path = data.folder / data_file.TOKENIZER
    try:
        tokenizer = path.read_bytes()
        if data_file.digest(tokenizer) != data.head.tokenizer_sha256:
            raise ValueError('its sha256 is another')
        processor: Any = SentencePieceProcessor(model_proto=tokenizer)
    except (OSError, ValueError, RuntimeError) as error:
        raise DataError(
            f'{path} is missing or damaged ({error}): run "kame train prepare" again'
        ) from error
    head, entries = data.head, data.entries()
    held = sum(entry.held_out for entry in entries)
    info = DataInfo(
        codec_file=head.codec_file,
        codebooks=head.codebooks,
        card=head.card,
        text_card=head.text_card,
        marks=head.marks,
        tokenizer=tokenizer,
        tokenizer_sha256=head.tokenizer_sha256,
        silence=head.silence,
        checkpoint=head.checkpoint,
        dialogues=len(entries) - held,
        held_out=held,
        hours=sum(entry.frames for entry in entries) / FRAME_HZ / 3600,
    )
    return info, processor


def verify(data: DataFolder, whole: bool = True) -> None:
    """Looks at all shards, or reads the `whole` of them. Raises DataError with all damages."""
    if damages := data.damages(whole):
        raise DataError('\n'.join(f'{damage}; {MAKE_ANEW}' for damage in damages))
