"""Steady noise is taken out, and the rest stays."""

import numpy as np
import pytest

from kame_ros.turns.denoise import denoised


def voice(seconds=2.0):
    """A tone that comes and goes."""
    t = np.arange(round(16_000 * seconds)) / 16_000
    return (0.3 * np.sin(2 * np.pi * 440 * t) * (np.sin(2 * np.pi * t) > 0)).astype(np.float32)


def level(sound):
    return 20 * np.log10(np.sqrt(np.mean(sound**2)) + 1e-9)


def test_what_is_clean_stays():
    clean = voice() + 1e-4 * np.random.default_rng(0).standard_normal(32_000).astype(np.float32)
    same = denoised(clean, clean)
    assert same.shape == clean.shape
    assert level(same - clean) < level(clean) - 40


def test_noise_goes_and_the_voice_stays():
    noise = 0.03 * np.random.default_rng(0).standard_normal(32_000).astype(np.float32)
    heard = denoised(voice() + noise, voice() + noise)
    silent, spoken = slice(9_000, 15_000), slice(1_000, 7_000)
    assert level(heard[silent]) < level(noise[silent]) - 6
    assert level(heard[spoken]) == pytest.approx(level(voice()[spoken]), abs=0.5)


@pytest.mark.parametrize('count', [0, 1, 511, 512, 513, 24_000])
def test_any_length(count):
    assert denoised(voice()[:count], voice()).shape == (count,)
    assert denoised(voice(), voice()[:count]).shape == (32_000,)


def test_silence_is_silent():
    assert not denoised(np.zeros(16_000, np.float32), np.zeros(64_000, np.float32)).any()
