"""The picture of a sound that Whisper's encoders see: the logarithm of its power in 80 bands."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

RATE = 16_000  # Hz
BANDS = 80
HOP = 160  # samples from one column to the next: 10 ms
_WINDOW = 400  # samples that a column sees: 25 ms
_FLOOR = 1e-10  # the least power
_RANGE = 8.0  # powers of ten below the loudest that can still be seen


def log_mel(sound: np.ndarray) -> np.ndarray:
    """float32[80, n / 160] of float32[n] at 16 kHz, as OpenAI's Whisper computes it."""
    half = _WINDOW // 2
    padded = np.pad(sound.astype(np.float32, copy=False), half, mode='reflect')
    columns = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::HOP]
    spectra = np.fft.rfft(columns[: len(sound) // HOP] * _hann())
    power = (spectra.real**2 + spectra.imag**2).astype(np.float32)
    loudness = np.log10(np.maximum(_bands() @ power.T, _FLOOR))
    loudness = np.maximum(loudness, loudness.max() - _RANGE)
    picture: np.ndarray = ((loudness + 4.0) / 4.0).astype(np.float32)
    return picture


@lru_cache(maxsize=1)
def _hann() -> np.ndarray:
    turn = 2.0 * np.pi * np.arange(_WINDOW) / _WINDOW
    window: np.ndarray = (0.5 - 0.5 * np.cos(turn)).astype(np.float32)
    return window


@lru_cache(maxsize=1)
def _bands() -> np.ndarray:
    """float32[80, 201]: triangles, evenly spaced in mel, each with an area of about 1 (Slaney)."""
    edges = _hertz(np.linspace(0.0, _mel(RATE / 2), BANDS + 2))
    bins = np.fft.rfftfreq(_WINDOW, 1.0 / RATE)
    low, middle, high = (edges[k : k + BANDS, None] for k in range(3))
    rises, falls = (bins - low) / (middle - low), (high - bins) / (high - middle)
    triangles = np.maximum(0.0, np.minimum(rises, falls)) * 2.0 / (high - low)
    return triangles.astype(np.float32)


# Slaney's mel: linear up to 1 kHz (15 mel), then 27 mel for each factor of 6.4.


def _mel(hertz: float) -> float:
    return 15.0 + 27.0 * float(np.log(hertz / 1000.0) / np.log(6.4))  # of 1 kHz and more


def _hertz(mel: np.ndarray) -> np.ndarray:
    return np.where(mel < 15.0, mel * 200.0 / 3.0, 1000.0 * 6.4 ** ((mel - 15.0) / 27.0))
