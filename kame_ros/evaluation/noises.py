"""Sounds in which nobody speaks: noise, knocks, coughs, music: always the same."""

from __future__ import annotations

import numpy as np

from kame_ros.wire.frame import SAMPLE_RATE


def pink(count: int, rng: np.random.Generator, power: float = 1.0) -> np.ndarray:
    """Noise whose power falls with frequency to the `power`, root mean square 1, float32."""
    spectrum = np.fft.rfft(rng.standard_normal(count))
    spectrum /= np.maximum(1.0, np.arange(len(spectrum))) ** (power / 2)
    noise = np.fft.irfft(spectrum, count)
    return (noise / np.sqrt(np.mean(noise**2))).astype(np.float32)


def disturbances(seconds: float) -> dict[str, np.ndarray]:
    """Sounds in which nobody speaks, float32 at 24 kHz, `seconds` long together."""
    rng = np.random.default_rng(0)
    n = int(seconds / 8 * SAMPLE_RATE)
    t = np.arange(n) / SAMPLE_RATE
    knocks = np.zeros(n, np.float32)
    coughs = np.zeros(n, np.float32)
    for at in range(SAMPLE_RATE, n - SAMPLE_RATE, 2 * SAMPLE_RATE):
        knocks[at : at + SAMPLE_RATE // 4] += knock()
        burst = cough(rng)
        coughs[at : at + len(burst)] += burst
    return {
        'silence': np.zeros(n, np.float32),
        'white': (0.05 * rng.standard_normal(n)).astype(np.float32),
        'pink': 0.05 * pink(n, rng),
        'brown': 0.1 * pink(n, rng, 2.0),
        'hum': (0.1 * np.sin(2 * np.pi * np.outer([50, 150, 250], t)).sum(0)).astype(np.float32),
        'knocks': knocks,
        'coughs': coughs,
        'music': music(n / SAMPLE_RATE),
    }


def knock() -> np.ndarray:
    """A knock on wood, a quarter of a second."""
    k = np.arange(SAMPLE_RATE // 4)
    return (np.exp(-k / 900) * np.sin(k / 24) * 0.5).astype(np.float32)


def cough(rng: np.random.Generator) -> np.ndarray:
    """A burst like a cough, 0.3 s."""
    k = np.arange(int(0.3 * SAMPLE_RATE))
    burst = pink(len(k), rng, 0.5) * np.exp(-k / 2_500) * np.minimum(1, k / 200)
    return (0.25 * burst).astype(np.float32)


def music(seconds: float) -> np.ndarray:
    """A plucked melody."""
    t = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    notes = 220 * 2 ** (np.array([0, 4, 7, 12, 9, 5])[(t * 2).astype(int) % 6] / 12)
    phase = 2 * np.pi * np.cumsum(notes) / SAMPLE_RATE
    melody = np.sin(phase) + np.sin(2 * phase) / 2 + np.sin(3 * phase) / 3
    return (0.1 * melody * np.exp(-3 * (t * 2 % 1))).astype(np.float32)
