"""hibari-units: the voice's inner features as eight codes of nine bits per frame of 80 ms.

A frame holds three units of two decoder frames each (25 ms as the voice was made, stretched to
26.7 ms by a hop of 320 samples instead of 300). The codes of a frame: for each unit the nearest of
512 hidden vectors, for each unit the nearest of 512 to what is left of it, one of 512 contours of
pitch and one of 512 contours of energy. How `codebooks.npz` was made: training/small/codebooks.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

CODES = 8  # of a frame
CARD = 512  # values of a code
UNITS = 3  # of a frame
DECODER_FRAMES = 6  # of a frame
HIDDEN, PITCH, ENERGY = 128, 128, 129  # how many rows are hidden, which row is which
ROWS = 130
_BLOCK = 4096  # vectors looked up at a time, for the memory it takes
FILE = Path(__file__).with_name('codebooks.npz')


@dataclass(frozen=True)
class Codebooks:
    """float32: `first` and `second` [512, 128], `pitch` and `energy` [512, 6]; `silence` int16[8].

    Pitch is log(1 + f0 in Hz) / 5, 0 where the voice does not sound.
    """

    first: np.ndarray
    second: np.ndarray
    pitch: np.ndarray
    energy: np.ndarray
    silence: np.ndarray

    @classmethod
    def load(cls, path: Path = FILE) -> Codebooks:
        """Raises OSError, or ValueError for a file that is none."""
        with np.load(path) as file:
            try:
                books = {name: file[name].astype(np.float32) for name in cls.names()}
                return cls(**books, silence=file['silence'].astype(np.int16))
            except KeyError as error:
                raise ValueError(f'{path} is no file of codebooks: {error}') from None

    @staticmethod
    def names() -> tuple[str, ...]:
        """The books, in the order of their codes."""
        return ('first', 'second', 'pitch', 'energy')

    def encode(self, features: np.ndarray) -> np.ndarray:
        """float[130, F] at 80 Hz to int16[T, 8]; the last values fill the last frame."""
        extra = -features.shape[1] % DECODER_FRAMES
        z = np.pad(np.asarray(features, np.float32), ((0, 0), (0, extra)), mode='edge')
        units = z[:HIDDEN, ::2].T
        first = nearest(units, self.first)
        second = nearest(units - self.first[first], self.second)
        pitch = nearest(z[PITCH].reshape(-1, DECODER_FRAMES), self.pitch)
        energy = nearest(z[ENERGY].reshape(-1, DECODER_FRAMES), self.energy)
        parts = (
            first.reshape(-1, UNITS),
            second.reshape(-1, UNITS),
            pitch[:, None],
            energy[:, None],
        )
        return np.concatenate(parts, axis=1).astype(np.int16)

    def decode(self, codes: np.ndarray) -> np.ndarray:
        """int[T, 8] to float32[130, 6 T]. Raises ValueError for codes that are none."""
        codes = np.asarray(codes)
        if codes.ndim != 2 or codes.shape[1] != CODES or not _all_below(codes, CARD):
            raise ValueError(f'codes are [frames, {CODES}] whole numbers from 0 to {CARD - 1}')
        z = np.empty((ROWS, DECODER_FRAMES * len(codes)), np.float32)
        units = self.first[codes[:, :UNITS]] + self.second[codes[:, UNITS : 2 * UNITS]]
        z[:HIDDEN] = np.repeat(units.reshape(-1, HIDDEN), 2, axis=0).T
        z[PITCH] = self.pitch[codes[:, 6]].reshape(-1)
        z[ENERGY] = self.energy[codes[:, 7]].reshape(-1)
        return z


def nearest(vectors: np.ndarray, book: np.ndarray) -> np.ndarray:
    """Which row of `book` is nearest to each vector, int64[n]."""
    squares = (book**2).sum(1)
    found = [
        np.argmin(squares - 2 * vectors[i : i + _BLOCK] @ book.T, axis=1)
        for i in range(0, len(vectors), _BLOCK)
    ]
    return np.concatenate(found) if found else np.zeros(0, np.int64)


def _all_below(codes: np.ndarray, card: int) -> bool:
    return not codes.size or bool(codes.min() >= 0 and codes.max() < card)
