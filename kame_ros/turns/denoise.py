"""Takes steady noise out of a sound: in each band, what is always there (spectral subtraction)."""

from __future__ import annotations

import numpy as np

_WINDOW, _HOP = 512, 128  # samples: 32 and 8 ms at 16 kHz
_ALWAYS = 20  # per cent of the time that are noise at most, in each band
_MEAN = 1.8  # the mean of a noise's power is so many times what it exceeds 80 % of the time
_MORE = 2.0  # times the noise is taken off: it flickers
_LEFT = 0.03  # of the amplitude, where there is nothing but noise
_TINY = 1e-12


def denoised(sound: np.ndarray, around: np.ndarray) -> np.ndarray:
    """float32[n] without the noise of `around`: what was heard before and after, seconds of it.

    A sound that is shorter than a window stays as it is.
    """
    if min(len(sound), len(around)) < _WINDOW:
        return sound
    noise = _MEAN * np.percentile(np.abs(_spectra(around)) ** 2, _ALWAYS, axis=0)
    padded = np.pad(sound, _WINDOW)
    spectra = _spectra(padded)
    power = np.abs(spectra) ** 2
    power[1:-1] = (power[:-2] + power[1:-1] + power[2:]) / 3.0
    gain = np.maximum(1.0 - _MORE * noise / np.maximum(power, _TINY), _LEFT)
    return _sound(spectra * gain)[_WINDOW : _WINDOW + len(sound)]


def _spectra(sound: np.ndarray) -> np.ndarray:
    windows = np.lib.stride_tricks.sliding_window_view(sound, _WINDOW)[::_HOP]
    spectra: np.ndarray = np.fft.rfft(windows * _window())
    return spectra


def _sound(spectra: np.ndarray) -> np.ndarray:
    """The sound of spectra of windows that overlap."""
    parts = np.fft.irfft(spectra) * _window()
    out = np.zeros(_HOP * (len(parts) - 1) + 2 * _WINDOW, np.float32)
    for k, part in enumerate(parts):
        out[k * _HOP : k * _HOP + _WINDOW] += part
    return out * np.float32(_HOP / (_WINDOW / 2))


def _window() -> np.ndarray:
    """The root of a Hann window: applied twice, windows that overlap add up to a constant."""
    turn = 2.0 * np.pi * np.arange(_WINDOW) / _WINDOW
    window: np.ndarray = np.sqrt(0.5 - 0.5 * np.cos(turn)).astype(np.float32)
    return window
