"""The last seconds of sound, by the chunk."""

import numpy as np
import pytest

from kame_ros.turns.recent_sound import RATE, RecentSound


@pytest.mark.parametrize('chunk', [1, 7, 1280, 40_000])
def test_what_was_heard_last(chunk):
    heard = np.arange(60_000, dtype=np.float32)
    sound = RecentSound(most_s=2.0)
    for start in range(0, len(heard), chunk):
        sound.push(heard[start : start + chunk])
    for seconds in (0.0, 0.1, 1.0, 2.0):
        assert np.array_equal(sound.last(seconds), heard[len(heard) - round(seconds * RATE) :])
    assert len(sound.last(99.0)) == 2 * RATE  # no more than it keeps
    kept = sum(len(chunk) for chunk in sound._chunks)
    assert kept < 2 * RATE + max(chunk, 2)
    sound.clear()
    assert len(sound.last(1.0)) == 0


def test_less_was_heard_than_is_asked_for():
    sound = RecentSound()
    assert sound.last(8.0).dtype == np.float32
    sound.push(np.zeros(0, np.float32))
    sound.push(np.ones(5, np.float32))
    assert list(sound.last(8.0)) == [1.0] * 5
