"""Echo cancellation by the system's Speex library: it keeps the user's voice while both speak."""

from __future__ import annotations

import ctypes
import ctypes.util
import weakref
from typing import Any

import numpy as np

from kame_ros.wire.frame import FRAME_SAMPLES, SAMPLE_RATE

INSTALL = 'apt-get install libspeexdsp1'
_BLOCK = 480  # samples: 20 ms, as its manual wants; four to a frame
_TAIL = round(0.4 * SAMPLE_RATE)  # samples of delay and reverberation that its filter spans
# Requests, from speex/speex_echo.h and speex/speex_preprocess.h.
_SAMPLING_RATE = 24
_AGC, _NOISE_SUPPRESS, _ECHO_STATE = 2, 18, 24
_SUPPRESS_DB = (0, 6, 12, 18, 21)


class SpeexProcessor:
    """A filter of 0.4 s (MDF, J.-M. Valin 2007) and the suppressor of what it leaves.

    Takes and gives int16[1920] at 24 kHz. One thread at a time; about 1 % of a core.

    Raises ImportError, with the command that installs it, where libspeexdsp is absent.
    """

    lag_s = _BLOCK / SAMPLE_RATE  # the sound comes out so much later

    def __init__(self, noise_suppression: int = 0, gain_control: bool = False) -> None:
        self._dsp = dsp = _library()
        self._echo = ctypes.c_void_p(dsp.speex_echo_state_init(_BLOCK, _TAIL))
        self._rest = ctypes.c_void_p(dsp.speex_preprocess_state_init(_BLOCK, SAMPLE_RATE))
        weakref.finalize(self, _destroy, dsp, self._echo, self._rest)
        rate, gain = ctypes.c_int(SAMPLE_RATE), ctypes.c_int(gain_control)
        noise = ctypes.c_int(-_SUPPRESS_DB[noise_suppression])
        dsp.speex_echo_ctl(self._echo, _SAMPLING_RATE, ctypes.byref(rate))
        dsp.speex_preprocess_ctl(self._rest, _ECHO_STATE, self._echo)
        dsp.speex_preprocess_ctl(self._rest, _NOISE_SUPPRESS, ctypes.byref(noise))
        dsp.speex_preprocess_ctl(self._rest, _AGC, ctypes.byref(gain))

    def process(self, heard: np.ndarray, played: np.ndarray) -> np.ndarray:
        """The microphone's frame without what of `played` is in it."""
        near, far = (np.ascontiguousarray(sound, np.int16) for sound in (heard, played))
        if near.shape != (FRAME_SAMPLES,) or far.shape != (FRAME_SAMPLES,):
            raise ValueError(f'frames have {FRAME_SAMPLES} samples, not {near.shape}, {far.shape}')
        clean = np.empty(FRAME_SAMPLES, np.int16)
        for start in range(0, FRAME_SAMPLES, _BLOCK):
            a, b, out = (sound[start:].ctypes.data for sound in (near, far, clean))
            self._dsp.speex_echo_cancellation(self._echo, a, b, out)
            self._dsp.speex_preprocess_run(self._rest, out)
        return clean


def _library() -> Any:
    path = ctypes.util.find_library('speexdsp')
    if path is None:
        raise ImportError(f'echo cancellation by speex needs libspeexdsp: {INSTALL}')
    dsp, state, number = ctypes.CDLL(path), ctypes.c_void_p, ctypes.c_int
    for name, result, arguments in (
        ('echo_state_init', state, [number, number]),
        ('echo_state_destroy', None, [state]),
        ('echo_ctl', number, [state, number, state]),
        ('echo_cancellation', None, [state] * 4),
        ('preprocess_state_init', state, [number, number]),
        ('preprocess_state_destroy', None, [state]),
        ('preprocess_ctl', number, [state, number, state]),
        ('preprocess_run', number, [state, state]),
    ):
        function = getattr(dsp, f'speex_{name}')
        function.restype, function.argtypes = result, arguments
    return dsp


def _destroy(dsp: Any, echo: ctypes.c_void_p, rest: ctypes.c_void_p) -> None:
    dsp.speex_preprocess_state_destroy(rest)
    dsp.speex_echo_state_destroy(echo)
