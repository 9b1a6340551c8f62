"""A front-end whose mouth is held for a while after the user's turn: for measuring, not for robots.

KAME's paper draws the score of an answer against its latency by forced silence; this is that.
"""

from __future__ import annotations

import numpy as np

from kame_ros.audio.level import CODEC_SPEECH_RMS_DBFS, rms_dbfs
from kame_ros.audio.resample import Resampler
from kame_ros.s2s.front_end import FrontEnd, Step
from kame_ros.turns.speech_gate import WINDOW_S
from kame_ros.turns.vad import Vad
from kame_ros.wire.frame import FRAME_S
from kame_ros.wire.oracle import Oracle

_VOICE = 0.5  # the probability from which on it is one
_FLOOR_S = 0.5  # of silence after which the robot does not speak any more


class HeldFrontEnd(FrontEnd):
    """Lets another front-end speak once the user has been silent for `hold_s`.

    A robot that speaks when the user begins is not held: what happens then is barge-in. What has a
    priority above 0 is said at once.
    """

    def __init__(self, inner: FrontEnd, hold_s: float, vad: Vad) -> None:
        self._inner, self._hold_s, self._vad = inner, hold_s, vad
        self._resampler = Resampler()
        self._forget()

    def _forget(self) -> None:
        self._silence_s = self._hold_s  # of the user; nobody waits before the first turn
        self._robot_silence_s = _FLOOR_S
        self._held = 0

    @property
    def judges_barge_in(self) -> bool:
        """As the one that is held."""
        return self._inner.judges_barge_in

    @property
    def hears_oracle(self) -> bool:
        """As the one that is held."""
        return self._inner.hears_oracle

    def warm_up(self) -> None:
        """As the one that is held."""
        self._inner.warm_up()

    def step(self, user: np.ndarray, oracle: Oracle | None) -> Step:
        """Hears int16[1920] at 24 kHz and speaks int16[1920] at 24 kHz."""
        self._hear(user)
        urgent = oracle is not None and oracle.priority > 0
        speaks = self._robot_silence_s < _FLOOR_S
        if self._silence_s < self._hold_s and not speaks and not urgent:
            self._held += 1
            self._inner.keep_silent()
            oracle = None
        step = self._inner.step(user, oracle)
        loud = rms_dbfs(step.speech) > CODEC_SPEECH_RMS_DBFS
        self._robot_silence_s = 0.0 if loud else self._robot_silence_s + FRAME_S
        return step

    def _hear(self, user: np.ndarray) -> None:
        for probability in self._vad.push(self._resampler.push(user)):
            self._silence_s = 0.0 if probability > _VOICE else self._silence_s + WINDOW_S

    def hear_words(
        self, utterance: int, text: str, start: float, end: float, final: bool = True
    ) -> None:
        """As the one that is held."""
        self._inner.hear_words(utterance, text, start, end, final)

    def hear_language(self, language: str) -> None:
        """As the one that is held."""
        self._inner.hear_language(language)

    def excuse(self) -> None:
        """As the one that is held."""
        self._inner.excuse()

    def interrupt(self) -> None:
        """As the one that is held."""
        self._inner.interrupt()

    def fall_silent(self) -> None:
        """As the one that is held."""
        self._inner.fall_silent()

    def reset(self) -> None:
        """The next step is the first one of a new session."""
        self._vad.reset()
        self._resampler.reset()
        self._forget()
        self._inner.reset()

    def close(self) -> None:
        """As the one that is held."""
        self._inner.close()

    def complaint(self) -> str:
        """As the one that is held."""
        return self._inner.complaint()

    def counters(self) -> dict[str, float]:
        """With the frames in which it was held."""
        return {**self._inner.counters(), 'frames_kept_silent': float(self._held)}
