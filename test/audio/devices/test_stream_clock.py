"""When each sample passed, from restless times."""

from __future__ import annotations

import random

import pytest

from kame_ros.audio.devices.stream_clock import StreamClock
from kame_ros.wire.frame import SAMPLE_RATE


@pytest.mark.parametrize('ppm', [-200, 0, 200])
def test_the_clock_of_a_stream_is_found_in_restless_times(ppm: int) -> None:
    clock, unrest = StreamClock(SAMPLE_RATE), random.Random(1)
    late, off = 0.003, 0.0
    for k in range(1, 50 * 300):
        t = k * 480 / SAMPLE_RATE / (1 + ppm * 1e-6)
        clock.update(k * 480, t + unrest.uniform(0.0, 2 * late))
        off = clock.time(k * 480) - t - late
        assert k < 50 * 30 or abs(off) < 0.001
    assert clock.ppm == pytest.approx(ppm, abs=15)
    assert clock.jumps == 0


def test_a_stream_that_slept_is_followed_at_once() -> None:
    clock = StreamClock(SAMPLE_RATE)
    clock.update(480, 1.0)
    clock.update(960, 3.0)
    assert clock.jumps == 1
    assert clock.time(960) == 3.0
