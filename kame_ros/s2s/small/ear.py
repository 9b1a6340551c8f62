"""What kame-small hears: 84 numbers for each 80 ms of the user's sound, without a network.

They tell when, how loud and with which melody the user speaks, and roughly what sounds: enough to
know a question that has ended from a pause inside one.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from kame_ros.wire.frame import FRAME_SAMPLES, SAMPLE_RATE

HOPS, BANDS, HALVES = 4, 20, 2
LEVELS = HOPS * BANDS  # 80: levels come first, then voicing and pitch
EAR_SIZE = LEVELS + HALVES * 2  # 84
FLOOR_DB = -100.0  # of a full-scale sine
LOWEST_HZ, HIGHEST_HZ = 60.0, 8000.0  # of the bands
LOWEST_F0_HZ, HIGHEST_F0_HZ = 60.0, 500.0
VOICED = 0.5  # correlation from which on there is a pitch
OCTAVE = 0.9  # a shorter period is taken if it correlates nearly as well as the best one

_HOP = FRAME_SAMPLES // HOPS  # 20 ms
_WINDOW = 2 * _HOP  # 40 ms
_DOWN = 3  # the pitch is looked for at 8 kHz
_F0_RATE = SAMPLE_RATE // _DOWN
_TAPS = 47  # of the low-pass before it
_F0_HALF = FRAME_SAMPLES // HALVES // _DOWN  # 40 ms, also the window
_SHORTEST = int(_F0_RATE / HIGHEST_F0_HZ)  # samples of a period
_LONGEST = int(_F0_RATE / LOWEST_F0_HZ)
_LAGS = np.arange(_SHORTEST - 1, _LONGEST + 2)  # one more at each end, to tell a peak
_QUIET = 1e-8  # power at -80 dBFS: what is below has no pitch


class SmallEar:
    """Hears a stream frame by frame; it keeps the last 60 ms."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forgets the stream: before it there was silence."""
        self._past = np.zeros(_HOP, np.float32)
        self._low_past = np.zeros(_TAPS - 1, np.float32)
        self._f0_past = np.zeros(_LAGS[-1], np.float32)

    def step(self, frame: np.ndarray) -> np.ndarray:
        """Takes int16[1920] at 24 kHz, gives float32[84], each from 0 to 1.

        4 times 20 ms of 20 log-mel bands (0 is -100 dBFS, 1 a sine of full scale), then for each
        half of the frame how periodic it is, and log pitch from 60 to 500 Hz (0 without a pitch).
        """
        sound = frame.astype(np.float32) / 32768
        return np.concatenate((self._bands(sound), self._melody(sound)))

    def _bands(self, sound: np.ndarray) -> np.ndarray:
        stream = np.concatenate((self._past, sound))
        self._past = sound[-_HOP:]
        windows = np.stack([stream[i * _HOP : i * _HOP + _WINDOW] for i in range(HOPS)])
        spectrum = np.fft.rfft(windows * _hann(), axis=1)
        power = (spectrum.real**2 + spectrum.imag**2) @ _mel()
        level = 10 * np.log10(power + 1e-30)
        scaled = np.clip(1 - level / FLOOR_DB, 0, 1)
        return np.asarray(scaled.reshape(-1), np.float32)

    def _melody(self, sound: np.ndarray) -> np.ndarray:
        stream = np.concatenate((self._low_past, sound))
        self._low_past = sound[1 - _TAPS :]
        taps = np.lib.stride_tricks.sliding_window_view(stream, _TAPS)[::_DOWN]
        low = np.concatenate((self._f0_past, taps @ _low_pass()))
        self._f0_past = low[-_LAGS[-1] :]
        halves = [low[i * _F0_HALF : i * _F0_HALF + _LAGS[-1] + _F0_HALF] for i in range(HALVES)]
        return np.concatenate([_pitch(half) for half in halves])


def _pitch(stream: np.ndarray) -> np.ndarray:
    """How periodic the last 40 ms of float[n] at 8 kHz are, and their scaled log pitch."""
    stream = stream - stream.mean()
    now = stream[-_F0_HALF:]
    past = np.lib.stride_tricks.sliding_window_view(stream, _F0_HALF)[::-1][_LAGS]
    energy = np.einsum('ij,ij->i', past, past)
    quiet = _QUIET * _F0_HALF
    like = past @ now / np.sqrt((energy + quiet) * (now @ now + quiet))
    inner = like[1:-1]
    peaks = (inner >= like[:-2]) & (inner >= like[2:])
    heights = np.where(peaks, inner, 0)
    best = float(heights.max())
    if best < VOICED:
        return np.array([max(0.0, best), 0], np.float32)
    at = int(np.flatnonzero(heights >= OCTAVE * best)[0])  # the shortest period that does
    left, top, right = like[at], like[at + 1], like[at + 2]
    bend = left - 2 * top + right
    shift = 0.5 * (left - right) / bend if bend < 0 else 0.0  # of a parabola through the three
    f0_hz = _F0_RATE / (_LAGS[at + 1] + shift)
    scaled = np.log(f0_hz / LOWEST_F0_HZ) / np.log(HIGHEST_F0_HZ / LOWEST_F0_HZ)
    return np.array([min(1.0, best), np.clip(scaled, 0, 1)], np.float32)


@cache
def _hann() -> np.ndarray:
    return np.hanning(_WINDOW).astype(np.float32)


@cache
def _mel() -> np.ndarray:
    """Triangles evenly spaced in mel, [bins, 20]; a sine of full scale gives 1."""

    def mel(hertz: float) -> float:
        return float(2595 * np.log10(1 + hertz / 700))

    edges = 700 * (10 ** (np.linspace(mel(LOWEST_HZ), mel(HIGHEST_HZ), BANDS + 2) / 2595) - 1)
    bins = np.fft.rfftfreq(_WINDOW, 1 / SAMPLE_RATE)[:, None]
    rise = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    fall = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    scale = 4 / (_WINDOW * float((_hann() ** 2).sum()))
    return np.asarray(np.clip(np.minimum(rise, fall), 0, None) * scale, np.float32)


@cache
def _low_pass() -> np.ndarray:
    """A windowed sinc that keeps what is below 1 kHz, where the pitch is clear even in noise."""
    at = np.arange(_TAPS) - (_TAPS - 1) / 2
    taps = np.sinc(2 * 1000 / SAMPLE_RATE * at) * np.hamming(_TAPS)
    return np.asarray(taps / taps.sum(), np.float32)
