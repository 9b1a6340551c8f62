"""Gives synthesised speech out frame by frame, and tells which words begin in which frame."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from kame_ros.audio.level import CLICK_PEAK_DBFS, VOICE_PEAK_DBFS, amplitude
from kame_ros.text.spoken_words import SpokenWord
from kame_ros.wire.frame import FRAME_SAMPLES, SAMPLE_RATE

VOICED_PEAK = amplitude(VOICE_PEAK_DBFS)
_KEPT = 2 * SAMPLE_RATE  # samples: what was said so long ago is not said again
_CLICK_PEAK = amplitude(CLICK_PEAK_DBFS)


@dataclass(frozen=True)
class Mark:
    """A word that begins at sample `start` of the sound; `script` is None for own words.

    `again`: it was begun before, and is said once more after a pause.
    """

    start: int
    word: SpokenWord
    script: Any = None
    index: int = -1
    again: bool = False

    def shifted(self, samples: int, again: bool = False) -> Mark:
        """The same word so much later."""
        return replace(self, start=self.start + samples, again=self.again or again)


@dataclass(frozen=True)
class Mouthful:
    """A frame int16[1920], the words that begin in it, and whether it is the first or the last."""

    samples: np.ndarray
    marks: tuple[Mark, ...] = ()
    starts: bool = False
    ends: bool = False


class Mouth:
    """A queue of sound that is cut between words, faded out at once, or held for a while.

    Its end is always the end of a voiced part, so that the last voiced frame is known as such.
    """

    def __init__(self, fade_s: float = 0.02) -> None:
        self._fade = max(1, round(fade_s * SAMPLE_RATE))
        self._sound = self._past = self._tail = np.zeros(0, np.float32)
        self._marks: list[Mark] = []
        self._past_marks: list[Mark] = []  # words that were played, at times below 0
        self._speaking = self._held = False

    @property
    def remaining_s(self) -> float:
        """Seconds of sound left."""
        return len(self._sound) / SAMPLE_RATE

    @property
    def speaking(self) -> bool:
        """Whether its voice was heard, and has not ended yet."""
        return self._speaking

    @property
    def held(self) -> bool:
        """Whether it is silent until `go_on`."""
        return self._held

    def say(self, sound: np.ndarray, marks: list[Mark], pause_s: float = 0.0) -> None:
        """Appends float32[n] after `pause_s` of silence (none if nothing is being said)."""
        pause = round(pause_s * SAMPLE_RATE) if len(self._sound) else 0
        offset = len(self._sound) + pause
        self._sound = np.concatenate([self._sound, np.zeros(pause, np.float32), sound])
        self._marks += [mark.shifted(offset) for mark in marks]

    def pull(self) -> Mouthful:
        """The next 80 ms, silence where nothing is left or while it is held."""
        if self._held:
            return self._pull_held()
        head, self._sound = self._sound[:FRAME_SAMPLES], self._sound[FRAME_SAMPLES:]
        begun = tuple(mark for mark in self._marks if mark.start < FRAME_SAMPLES)
        self._marks = [mark.shifted(-FRAME_SAMPLES) for mark in self._marks[len(begun) :]]
        self._remember(head, begun)
        starts = not self._speaking and bool(np.any(np.abs(head) > VOICED_PEAK))
        self._speaking = self._speaking or starts
        ends = self._speaking and len(self._sound) == 0
        self._speaking = self._speaking and not ends
        return Mouthful(_pcm(head), begun, starts, ends)

    def hold(self, rewind_s: float = 0.3) -> None:
        """Fades out from the next sample on; `go_on` says the rest.

        What was given out in the last `rewind_s` may not have been heard: the rest begins with
        the word before that.
        """
        if self._held:
            return
        fade = min(self._fade, len(self._sound))
        self._tail = self._sound[:fade] * np.linspace(1.0, 0.0, fade, dtype=np.float32)
        self._held = True
        rewind = round(rewind_s * SAMPLE_RATE)
        words = [mark for mark in self._past_marks if -mark.start >= rewind][-1:]
        words = words or self._past_marks[:1]
        if not words or not len(self._sound):
            return
        back = -words[0].start
        again = [mark for mark in self._past_marks if mark.start >= words[0].start]
        self._marks = [mark.shifted(back, again=True) for mark in again] + [
            mark.shifted(back) for mark in self._marks
        ]
        self._sound = np.concatenate([self._past[len(self._past) - back :], self._sound])
        self._past, self._past_marks = self._past[:0], []

    def go_on(self) -> None:
        """Says what was held."""
        if self._held:
            self._held = False
            ramp = min(self._fade, len(self._sound))
            self._sound = self._sound.copy()
            self._sound[:ramp] *= np.linspace(0.0, 1.0, ramp, dtype=np.float32)

    def cut(self, unwanted: Callable[[Mark], bool] = lambda mark: True) -> list[Mark]:
        """Drops all from the first unwanted word on that was not begun; returns what was dropped.

        The word before is played to its end, which is faded; a word that was about to begin
        leaves no more than the fade.
        """
        for count, mark in enumerate(self._marks):
            if unwanted(mark):
                dropped, self._marks = self._marks[count:], self._marks[:count]
                self._truncate(max(mark.start, min(self._fade, len(self._sound))))
                return [mark for mark in dropped if not mark.again]
        return []

    def stop(self) -> list[Mark]:
        """Fades out from the next sample on and drops the rest; returns the words dropped."""
        dropped, self._marks = self._marks, []
        if self._held:
            self._held, self._sound = False, self._tail
        self._truncate(min(self._fade, len(self._sound)))
        self._past, self._past_marks = self._past[:0], []
        return [mark for mark in dropped if not mark.again]

    def clear(self) -> None:
        """Silence at once."""
        self._sound = self._past = self._tail = np.zeros(0, np.float32)
        self._marks, self._past_marks = [], []
        self._speaking = self._held = False

    def _pull_held(self) -> Mouthful:
        tail, self._tail = self._tail[:FRAME_SAMPLES], self._tail[FRAME_SAMPLES:]
        ends, self._speaking = self._speaking, False
        return Mouthful(_pcm(tail), (), False, ends)

    def _remember(self, head: np.ndarray, begun: tuple[Mark, ...]) -> None:
        past = np.concatenate([self._past, head]) if len(head) else self._past[:0]
        self._past = past[-_KEPT:]
        marks = [mark.shifted(-len(head)) for mark in (*self._past_marks, *begun)]
        self._past_marks = [mark for mark in marks if -mark.start <= len(self._past)]

    def _truncate(self, end: int) -> None:
        sound = self._sound[:end].copy()
        fade = min(self._fade, end)
        sound[end - fade :] *= np.linspace(1.0, 0.0, fade, dtype=np.float32)
        voiced = np.flatnonzero(np.abs(sound) > _CLICK_PEAK)
        # While speaking, one sample must stay: its frame is the one that ends the speech.
        keep = int(voiced[-1]) + 1 if len(voiced) else 0
        self._sound = sound[: max(keep, min(end, 1) if self._speaking else 0)]


def _pcm(sound: np.ndarray) -> np.ndarray:
    samples = np.zeros(FRAME_SAMPLES, np.int16)
    samples[: len(sound)] = np.clip(np.round(sound * 32_767.0), -32_767, 32_767)
    return samples
