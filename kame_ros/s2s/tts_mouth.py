"""The sound that is still to be played, and the words in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from kame_ros.audio.frame import FRAME_SAMPLES, SAMPLE_RATE
from kame_ros.s2s.tts_text import SpokenWord

VOICED_PEAK = 0.004  # of full scale (-48 dBFS): below is the pause around a word
_AUDIBLE = 0.0005  # of full scale (-66 dBFS): a fade cut off below this makes no click


@dataclass(frozen=True)
class Mark:
    """A word that begins at sample `start` of the sound; `script` is None for own words."""

    start: int
    word: SpokenWord
    script: Any = None
    index: int = -1


@dataclass(frozen=True)
class Mouthful:
    """A frame int16[1920], the words that begin in it, and whether it is the first or the last."""

    samples: np.ndarray
    marks: tuple[Mark, ...] = ()
    starts: bool = False
    ends: bool = False


class Mouth:
    """A queue of sound that is cut between words or faded out at once.

    Its end is always the end of a voiced part, so that the last voiced frame is known as such.
    """

    def __init__(self, fade_s: float = 0.02) -> None:
        self._fade = max(1, round(fade_s * SAMPLE_RATE))
        self._sound = np.zeros(0, np.float32)
        self._marks: list[Mark] = []
        self._speaking = False

    @property
    def remaining_s(self) -> float:
        """Seconds of sound left."""
        return len(self._sound) / SAMPLE_RATE

    @property
    def speaking(self) -> bool:
        """Whether a voiced sample was played and more are to come."""
        return self._speaking

    def say(self, sound: np.ndarray, marks: list[Mark], pause_s: float = 0.0) -> None:
        """Appends float32[n] after `pause_s` of silence (none if nothing is being said)."""
        pause = round(pause_s * SAMPLE_RATE) if len(self._sound) else 0
        offset = len(self._sound) + pause
        self._sound = np.concatenate([self._sound, np.zeros(pause, np.float32), sound])
        self._marks += [
            Mark(mark.start + offset, mark.word, mark.script, mark.index) for mark in marks
        ]

    def pull(self) -> Mouthful:
        """The next 80 ms, silence where nothing is left."""
        head, self._sound = self._sound[:FRAME_SAMPLES], self._sound[FRAME_SAMPLES:]
        begun = tuple(mark for mark in self._marks if mark.start < FRAME_SAMPLES)
        self._marks = [
            Mark(mark.start - FRAME_SAMPLES, mark.word, mark.script, mark.index)
            for mark in self._marks[len(begun) :]
        ]
        samples = np.zeros(FRAME_SAMPLES, np.int16)
        samples[: len(head)] = np.clip(np.round(head * 32_767.0), -32_767, 32_767)
        starts = not self._speaking and bool(np.any(np.abs(head) > VOICED_PEAK))
        self._speaking = self._speaking or starts
        ends = self._speaking and len(self._sound) == 0
        self._speaking = self._speaking and not ends
        return Mouthful(samples, begun, starts, ends)

    def cut(self, unwanted: Callable[[Mark], bool] = lambda mark: True) -> list[Mark]:
        """Drops all from the first unwanted word on that was not begun; returns what was dropped.

        The word before is played to its end, which is faded; a word that was about to begin
        leaves no more than the fade.
        """
        for count, mark in enumerate(self._marks):
            if unwanted(mark):
                dropped, self._marks = self._marks[count:], self._marks[:count]
                self._truncate(max(mark.start, min(self._fade, len(self._sound))))
                return dropped
        return []

    def stop(self) -> list[Mark]:
        """Fades out from the next sample on and drops the rest; returns the words dropped."""
        dropped, self._marks = self._marks, []
        self._truncate(min(self._fade, len(self._sound)))
        return dropped

    def clear(self) -> None:
        """Silence at once."""
        self._sound, self._marks, self._speaking = self._sound[:0], [], False

    def _truncate(self, end: int) -> None:
        sound = self._sound[:end].copy()
        fade = min(self._fade, end)
        sound[end - fade :] *= np.linspace(1.0, 0.0, fade, dtype=np.float32)
        voiced = np.flatnonzero(np.abs(sound) > _AUDIBLE)
        # While speaking, one sample must stay: its frame is the one that ends the speech.
        keep = int(voiced[-1]) + 1 if len(voiced) else 0
        self._sound = sound[: max(keep, min(end, 1) if self._speaking else 0)]
