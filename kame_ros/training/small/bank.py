"""What scenes are made of: sentences in the robot's codes, and what users sound like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

import numpy as np


class UserKind(IntEnum):
    """What a piece of a user's sound is."""

    QUESTION = 0
    PAUSED = 1  # a question with a pause inside
    STATEMENT = 2
    BACK_CHANNEL = 3
    BACKGROUND = 4
    BURST = 5  # a noise that is no speech


@dataclass(frozen=True)
class PiecedSentence:
    """A sentence of the robot: codes int16[T, 8], its pieces, and the frames they begin in."""

    codes: np.ndarray
    pieces: np.ndarray
    frames: np.ndarray


class Sentences:
    """Many sentences, from one or more files as `robot_bank` writes them."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self.texts: list[str] = []
        self._all: list[PiecedSentence] = []
        for path in paths:
            with np.load(path) as file:
                data = {name: file[name] for name in file.files}
            self.texts += [str(text) for text in data['texts']]
            for one in range(len(data['starts']) - 1):
                frames = slice(*data['starts'][one : one + 2])
                pieces = slice(*data['piece_starts'][one : one + 2])
                begins = data['piece_frames'][pieces].copy()
                begins[:1] = 0  # whoever begins to speak says so in the same frame, by a piece
                self._all.append(
                    PiecedSentence(data['codes'][frames], data['pieces'][pieces], begins)
                )

    def __len__(self) -> int:
        return len(self._all)

    def __getitem__(self, number: int) -> PiecedSentence:
        return self._all[number]


class Users:
    """What users sound like: features uint8[n, 84], by kind and room, from files of `users`.

    `tail`: so many frames behind the last sound of an utterance belong to it, with its echo.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        parts: dict[str, list[np.ndarray]] = {'features': [], 'kind': [], 'room': []}
        self._where: list[slice] = []
        self.tail, shift = 0, 0  # `shift`: frames in the files before
        for path in paths:
            with np.load(path) as file:
                for name, found in parts.items():
                    found.append(file[name])
                starts = file['starts'] + shift
                self.tail = int(file['tail']) if 'tail' in file.files else 0  # alike in all files
            self._where += [slice(*starts[i : i + 2]) for i in range(len(starts) - 1)]
            shift = int(starts[-1])
        self._features, kinds, rooms = (np.concatenate(found) for found in parts.values())
        self.rooms = int(rooms.max()) + 1
        self._by = {
            (kind, room): np.flatnonzero((kinds == kind) & (rooms == room))
            for kind in UserKind
            for room in range(self.rooms)
        }

    def draw(self, rng: np.random.Generator, kind: UserKind, room: int) -> np.ndarray:
        """Features of something of that kind; none [0, 84] where the file has none."""
        found = self._by[kind, room]
        if not len(found):
            return self._features[:0]
        return self._features[self._where[rng.choice(found)]]

    def background(self, rng: np.random.Generator, room: int, frames: int) -> np.ndarray:
        """Features of `frames` in which nobody speaks."""
        own = self.draw(rng, UserKind.BACKGROUND, room)
        return own[(np.arange(frames) + rng.integers(len(own))) % len(own)]
