"""One utterance whose sound waits for a streaming engine, which hears it once."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np

from kame_ros.audio.hearing import MODEL_RATE, Window
from kame_ros.stt.agreement import AgreementConfig, plain
from kame_ros.stt.heard import UtteranceSound
from kame_ros.stt.recogniser import Hypothesis
from kame_ros.wire.transcript import Word


class Waiting(UtteranceSound):
    """An utterance, and its sound that the engine has not heard yet."""

    def __init__(self, number: int, windows: list[Window], config: AgreementConfig) -> None:
        super().__init__(number, windows[0].t, config)
        self.sound: deque[Window] = deque(windows)
        self.begun = False  # whether the engine knows of it

    @property
    def length_s(self) -> float:
        """Seconds of the sound that waits."""
        return sum(len(window.sound) for window in self.sound) / MODEL_RATE

    def add(self, window: Window) -> None:
        """The sound goes on."""
        self.sound.append(window)

    def trim_end(self, t: float) -> None:
        """Drop the windows that begin at `t` or later."""
        while self.sound and self.sound[-1].t >= t:
            self.sound.pop()

    def take(self, seconds: float) -> np.ndarray:
        """The next so many seconds of sound, float32[n] at 16 kHz; it waits no longer."""
        parts, length = [], 0.0
        while self.sound and length < seconds - 1e-6:
            window = self.sound.popleft()
            parts.append(window.sound)
            length += window.end - window.t
            self.decoded_to = window.end
        return np.concatenate(parts)

    def drop(self, seconds: float) -> float:
        """Lose the oldest sound that waits until at most so much is left; seconds lost.

        The engine begins anew after the hole, or its times would be wrong from there on.
        """
        lost = 0.0
        while self.sound and self.length_s > seconds:
            window = self.sound.popleft()
            lost += window.end - window.t
        if lost:
            self.begin_again()
        return lost

    def update(self, hypothesis: Hypothesis) -> bool:
        """What the engine says of all since `begin`; False if it takes back a settled word.

        That word stays as it was: whoever listens was promised it.
        """
        settled = self.past[self._earlier :]
        kept = _same(settled, hypothesis.words[: len(settled)])
        count = len(settled) if kept else self._count_said(settled, hypothesis.words)
        self.agreement.update(hypothesis.words[count:], self.decoded_to - self.begin)
        self.commit(min(max(0, hypothesis.settled - count), len(self.agreement.words)))
        self.language = hypothesis.language or self.language
        return kept

    def _count_said(self, settled: list[Word], words: tuple[Word, ...]) -> int:
        """How many of the words are the settled ones, written in another way: up to their end."""
        until = settled[-1].end - self.begin
        if until <= 0.0:  # an engine without times
            return min(len(settled), len(words))
        return sum(word.start + word.end < 2 * until for word in words)

    def begin_again(self) -> None:
        """The engine forgets what it heard, and goes on with the sound that waits.

        What is known stays known.
        """
        if self.sound:
            self.decoded_to = self.sound[0].t
        self.commit(len(self.agreement.words), self.decoded_to - self.begin)
        self._earlier = len(self.past)
        self.begun = False

    _earlier = 0  # words of the past that the engine no longer knows


def _same(some: Sequence[Word], others: Sequence[Word]) -> bool:
    return [plain(word.text) for word in some] == [plain(word.text) for word in others]
