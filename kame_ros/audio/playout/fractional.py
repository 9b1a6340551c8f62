"""Samples between the samples: band-limited interpolation, and sound made longer by millionths."""

from __future__ import annotations

import numpy as np

TAPS = 32  # of the kernel: 16 samples (0.7 ms at 24 kHz) before and after
_HALF = TAPS // 2
_PHASES = 512  # of the table; between two of them the kernel is interpolated: -100 dB of error


def _make_table() -> np.ndarray:
    """Kernels float32[_PHASES + 1, TAPS]: sinc in a Kaiser window, each of sum 1."""
    offset = np.arange(TAPS) - (_HALF - 1) - np.arange(_PHASES + 1)[:, None] / _PHASES
    inside = np.maximum(0.0, 1.0 - (offset / _HALF) ** 2)
    table = np.sinc(offset) * np.i0(9.0 * np.sqrt(inside)) / np.i0(9.0)
    return (table / table.sum(axis=1, keepdims=True)).astype(np.float32)


_TABLE = _make_table()
_SLOPE = np.diff(_TABLE, axis=0)


def interpolate(sound: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """The values of float32[n] at fractional `positions` (float64[m]), as float32[m].

    A position is between 15 and n - 17: the kernel needs 16 samples on each side. At whole
    positions the samples come back exactly. Method: J. O. Smith, "Digital Audio Resampling".
    """
    whole = np.floor(positions).astype(np.int64)
    if len(whole) and (whole[0] < _HALF - 1 or whole[-1] + _HALF >= len(sound)):
        raise ValueError(f'positions {positions[0]} to {positions[-1]} of {len(sound)} samples')
    phase = (positions - whole) * _PHASES
    row = phase.astype(np.int64)
    part = (phase - row).astype(np.float32)[:, None]
    kernels = _TABLE[row] + part * _SLOPE[np.minimum(row, _PHASES - 1)]
    windows = np.lib.stride_tricks.sliding_window_view(sound, TAPS)[whole - (_HALF - 1)]
    return np.asarray(np.einsum('ij,ij->i', windows, kernels), np.float32)


class Stretch:
    """A stream made shorter (ppm > 0) or longer (ppm < 0) by so many parts per million.

    A change of `ppm` changes the speed, never the place in the sound: there is no click. As long
    as it was never other than 0 the samples pass as they are. Delay: 16 samples.
    """

    def __init__(self) -> None:
        self._sound = np.zeros(TAPS, np.float32)
        self._at = float(_HALF)  # position of the next output sample in `_sound`

    def push(self, samples: np.ndarray, ppm: float = 0.0) -> np.ndarray:
        """Takes int16[n]; gives int16[m], m about n * (1 - ppm / 1e6)."""
        self._sound = np.concatenate([self._sound, samples.astype(np.float32)])
        last = len(self._sound) - _HALF - 1  # the last position that has a whole kernel
        step = 1.0 + ppm * 1e-6
        count = max(0, int((last - self._at) / step) + 1)
        positions = self._at + np.arange(count) * step
        out: np.ndarray
        if step == 1.0 and self._at.is_integer():
            start = int(self._at)
            out = self._sound[start : start + count]
        elif self._sound.any():
            out = interpolate(self._sound, positions)
        else:
            out = np.zeros(count, np.float32)
        self._at += count * step
        done = int(self._at) - _HALF
        self._sound, self._at = self._sound[done:], self._at - done
        return np.clip(np.round(out), -32_768, 32_767).astype(np.int16)
