"""The picture of a sound is the one that Whisper's own encoders were trained on."""

import numpy as np
import pytest

from kame_ros.turns.log_mel import log_mel


def sound(seconds):
    noise = np.random.default_rng(0).standard_normal(int(16_000 * seconds))
    swell = np.abs(np.sin(np.arange(len(noise)) / 9_000))
    return (0.1 * noise * swell).astype(np.float32)


def test_it_is_that_of_faster_whisper():
    extractor = pytest.importorskip('faster_whisper.feature_extractor').FeatureExtractor()
    heard = sound(8.0)
    np.testing.assert_allclose(log_mel(heard), extractor(heard, padding=0)[:, :800], atol=1e-4)


def test_a_tone_is_in_its_band():
    def band(hertz):
        t = np.arange(16_000) / 16_000
        return int(np.argmax(log_mel(np.sin(2 * np.pi * hertz * t).astype(np.float32))[:, 50]))

    assert [band(hertz) for hertz in (500, 1_000, 2_000, 4_000)] == [13, 26, 44, 62]


def test_shape_and_range():
    picture = log_mel(sound(2.0))
    assert picture.shape == (80, 200)
    assert picture.dtype == np.float32
    assert picture.max() - picture.min() <= 2.0 + 1e-6
    assert np.isfinite(log_mel(np.zeros(16_000, np.float32))).all()
