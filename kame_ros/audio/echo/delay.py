"""Estimates from two sounds how late the one comes as an echo in the other."""

from __future__ import annotations

import numpy as np

from kame_ros.audio.level import ECHO_RMS_DBFS, pcm
from kame_ros.wire.frame import FRAME_SAMPLES, SAMPLE_RATE

_STEP = 4  # samples averaged to one: 6 kHz is enough to tell a millisecond
_RATE = SAMPLE_RATE // _STEP
_WINDOW = 3 * _RATE  # samples: 3 s are compared
_SIZE = 32_768
_EVERY = 12  # frames: about once a second
_FORGET = 0.6  # of the old evidence is kept
_LEAST_S, _MOST_S = -0.5, 1.0  # delays that are looked for
_CLEAR = 12.0  # standard deviations that a peak must stand out by
_LOUD = pcm(ECHO_RMS_DBFS)  # a reference below this tells nothing; its mean size, not its RMS


class EchoDelay:
    """Generalised cross-correlation with phase transform (Knapp and Carter 1976), averaged.

    Finds delays from -0.5 to 1 s. `seconds` is None until the peak stands out.
    """

    def __init__(self) -> None:
        self._lags = np.arange(round(_LEAST_S * _RATE), round(_MOST_S * _RATE))
        self._near = np.zeros(_WINDOW, np.float32)
        self._far = np.zeros(_WINDOW, np.float32)
        self._evidence = np.zeros(len(self._lags))
        self._frames = 0
        self.seconds: float | None = None

    def push(self, near: np.ndarray, far: np.ndarray) -> bool:
        """A frame of the microphone and of the reference; whether the estimate was renewed."""
        self._near = np.concatenate([self._near[FRAME_SAMPLES // _STEP :], _thin(near)])
        self._far = np.concatenate([self._far[FRAME_SAMPLES // _STEP :], _thin(far)])
        self._frames += 1
        if self._frames % _EVERY or float(np.abs(self._far).mean()) < _LOUD:
            return False
        cross = np.fft.rfft(self._near, _SIZE) * np.conj(np.fft.rfft(self._far, _SIZE))
        cross /= np.abs(cross) + 1e-3 * float(np.abs(cross).mean()) + 1e-9
        self._evidence = _FORGET * self._evidence + np.fft.irfft(cross)[self._lags]
        peak = int(np.argmax(self._evidence))
        if self._evidence[peak] < _CLEAR * float(np.std(self._evidence)):
            return False
        self.seconds = float(self._lags[peak]) / _RATE
        return True


def _thin(samples: np.ndarray) -> np.ndarray:
    return samples.astype(np.float32).reshape(-1, _STEP).mean(axis=1)
