"""Sound between the samples, and made longer by millionths."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kame_ros.audio.playout.fractional import Stretch, interpolate
from kame_ros.wire.frame import FRAME_SAMPLES, SAMPLE_RATE


def tone(start: int, count: int, hertz: float = 440.0) -> np.ndarray:
    at = (start + np.arange(count)) / SAMPLE_RATE
    return np.round(8_000 * np.sin(2 * np.pi * hertz * at)).astype(np.int16)


def test_between_the_samples_of_a_tone_lies_the_tone() -> None:
    sound = tone(0, 4_000, 5_000.0).astype(np.float32)
    where = np.linspace(100.0, 3_900.0, 3_001)
    exact = 8_000 * np.sin(2 * np.pi * 5_000.0 * where / SAMPLE_RATE)
    assert np.abs(interpolate(sound, where) - exact).max() < 8.0  # -60 dB; int16 rounding is 0.5
    with pytest.raises(ValueError, match='positions'):
        interpolate(sound, np.array([3.0]))


def test_nothing_is_changed_at_0_ppm() -> None:
    stretch = Stretch()
    sound = np.random.default_rng(0).integers(-9_000, 9_000, 5 * FRAME_SAMPLES).astype(np.int16)
    out = np.concatenate([stretch.push(part) for part in sound.reshape(5, -1)])
    assert np.array_equal(out[16:], sound[: len(out) - 16])


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 3_000), st.integers(-1_000, 1_000)), max_size=30))
def test_stretching_makes_no_click_and_no_more_or_less(parts) -> None:
    stretch, out, at, expected = Stretch(), [], 0, 0.0
    for count, ppm in parts:
        out.append(stretch.push(tone(at, count), float(ppm)))
        at += count
        expected += count * (1 - ppm * 1e-6)
    sound = np.concatenate([*out, np.zeros(0, np.int16)]).astype(float)
    assert abs(len(sound) - expected) <= 3 + at * 1e-6
    if len(sound) > 100:
        bend = 8_000 * (2 * np.pi * 440 / SAMPLE_RATE) ** 2
        assert np.abs(np.diff(sound[40:], 2)).max() < 1.1 * bend + 3
