"""How restless a stream is."""

from __future__ import annotations

import pytest

from kame_ros.audio.playout.jitter import Jitter
from kame_ros.wire.frame import FRAME_S


def test_jitter_is_the_spread_without_the_worst() -> None:
    jitter = Jitter()
    for seq in range(300):
        jitter.push(seq, seq * FRAME_S + (0.03 if seq % 2 else 0.0) + (2.0 if seq == 150 else 0.0))
    assert jitter.spread_s == pytest.approx(0.03)
    jitter.push(0, 500.0)
    assert jitter.spread_s == 0.0
