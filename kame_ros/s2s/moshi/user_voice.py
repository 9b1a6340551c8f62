"""Whether the user speaks, from his sound."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from kame_ros.audio.resample import Resampler
from kame_ros.audio.speech_gate import WINDOW_S, SpeechGate


class Vad(Protocol):
    """Speech probabilities; `kame_ros.audio.vad.SileroVad` is one."""

    def push(self, sound: np.ndarray) -> list[float]:
        """Takes float32[n] at 16 kHz; gives one probability for each 32 ms completed."""

    def reset(self) -> None:
        """Forgets the past."""


class UserVoice:
    """Frames of the user's sound in, whether he speaks out."""

    def __init__(self, vad: Vad) -> None:
        self._vad = vad
        self._resampler = Resampler()
        self._gate = SpeechGate()
        self._heard_s = 0.0  # s of sound that was judged

    def reset(self) -> None:
        """A new session."""
        self._vad.reset()
        self._resampler.reset()
        self._gate.reset()
        self._heard_s = 0.0

    def hear(self, user: np.ndarray) -> bool:
        """Takes int16[1920] at 24 kHz."""
        for probability in self._vad.push(self._resampler.push(user)):
            self._gate.push(probability, self._heard_s)
            self._heard_s += WINDOW_S
        return self._gate.speaking
