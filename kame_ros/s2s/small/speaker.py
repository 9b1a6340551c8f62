"""The voice as codes: what a text sounds like, for training and for comparisons.

150 times as fast as speech on one core. At run time the model makes the codes; this is not needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from kame_ros.s2s.small.split_voice import DURATIONS, FEATURES, split_voice
from kame_ros.s2s.small.units import ENERGY, UNITS, Codebooks

SPEED = 1.067  # makes up for the hop of 320 samples instead of 300
BEGINS = -0.7  # of the energy row: a sound begins where it first is louder than this
AUDIBLE = -1.3  # what is quieter than this, about -60 dBFS, is silence
AFTER = 2  # units kept after the last audible one


@dataclass(frozen=True)
class Features:
    """A sentence before it becomes codes: float32[130, F] at 80 Hz, from its first sound on.

    `onsets`: for each character of `phonemes` the unit in which it begins, int64.
    """

    phonemes: str
    values: np.ndarray
    onsets: np.ndarray


@dataclass(frozen=True)
class Sentence:
    """A sentence as codes int16[T, 8]; `onsets` as in Features, three units a frame."""

    phonemes: str
    codes: np.ndarray
    onsets: np.ndarray


class UnitVoice:
    """Speaks sentences as codes. A text that cannot be read is counted in `failures`."""

    def __init__(self, books: Codebooks | None = None, speed: float = SPEED) -> None:
        """Loads in about 1 s. Raises MissingWeights or CorruptWeights."""
        from hibari import Hibari

        self._tts = Hibari(model=split_voice().front, threads=1)
        self._books = books
        self._speed = np.asarray([speed], np.float32)
        self.failures = 0

    @property
    def alphabet(self) -> list[str]:
        """The characters that the voice can read."""
        return list(self._tts.vocab)

    def say(self, text: str) -> list[Sentence]:
        """The sentences of a text, each without the silence before it."""
        if self._books is None:
            self._books = Codebooks.load()
        books = self._books
        return [
            Sentence(part.phonemes, books.encode(part.values), part.onsets)
            for part in self.features(text)
        ]

    def features(self, text: str) -> Iterator[Features]:
        """As `say`, before the codebooks."""
        for phonemes in self.phonemize(text):
            yield self._features(phonemes)

    def phonemize(self, text: str) -> list[str]:
        """The sounds of each sentence, in the characters that the voice knows."""
        try:
            found = self._tts.phonemize(text)
        except Exception:  # its rules raise IndexError for some numbers
            self.failures += 1
            return []
        known = (''.join(c for c in part if c in self._tts.vocab) for part in found)
        return [part for part in known if any(c.isalpha() for c in part)]

    def _features(self, phonemes: str) -> Features:
        ids = np.asarray([self._tts.ids(phonemes)], np.int64)
        values, durations = self._tts.sess.run(
            [FEATURES, DURATIONS], {'ids': ids, 'speed': self._speed}
        )
        values = values[0]
        begins = np.cumsum(np.ravel(durations)).astype(np.int64)[:-2]  # the first id is silence
        loudness = values[ENERGY].reshape(-1, 2).max(axis=1)
        first = min(int(np.argmax(loudness > BEGINS)), int(begins[0]))
        last = len(loudness) - 1 - int(np.argmax(loudness[::-1] > AUDIBLE))
        end = first + -(-(last + 1 + AFTER - first) // UNITS) * UNITS  # whole frames
        onsets = np.clip(begins - first, 0, end - first - 1)
        return Features(phonemes, values[:, 2 * first : 2 * end], onsets)
