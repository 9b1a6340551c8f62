"""The model of the melody: what it sees, and that it tells a question from the half of one."""

import numpy as np
import pytest

from kame_ros.runtime import weights
from kame_ros.runtime.weights import MissingWeights
from kame_ros.turns import smart_turn
from kame_ros.turns.smart_turn import SmartTurn, features

needs_model = pytest.mark.skipif(
    not smart_turn.is_there(), reason=weights.KNOWN[smart_turn.NAME].install
)


def test_it_sees_the_last_eight_seconds_with_silence_before_them():
    heard = np.random.default_rng(0).standard_normal(32_000).astype(np.float32)
    short = features(heard)
    assert short.shape == (80, 800)
    assert short[:, :590].max() < short[:, 610:].min()
    long = np.concatenate([np.ones(64_000, np.float32), np.zeros(128_000, np.float32), heard])
    padded = np.concatenate([np.zeros(96_000, np.float32), heard])
    np.testing.assert_array_equal(features(long), features(padded))


def test_loudness_does_not_matter():
    heard = np.random.default_rng(0).standard_normal(128_000).astype(np.float32)
    np.testing.assert_allclose(features(0.01 * heard), features(heard), atol=1e-2)


def test_without_its_package_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(weights.Pinned, 'locate', lambda self: None)
    assert not smart_turn.is_there()
    with pytest.raises(MissingWeights, match='pip install --no-deps pipecat-ai=='):
        SmartTurn()


@needs_model
def test_a_probability_comes_out():
    model = SmartTurn()
    heard = 0.1 * np.random.default_rng(0).standard_normal(32_000).astype(np.float32)
    assert 0.0 <= model.probability(heard) <= 1.0
    assert model.probability(heard) == model.probability(heard)
