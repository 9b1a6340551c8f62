from dataclasses import replace

import numpy as np
import pytest

from kame_ros.audio.hearing import MAX_CONCEALED, WINDOW, Hearing
from kame_ros.wire.frame import FRAME_S, Frame


def stream(count, t=0.0, seq=0):
    rng = np.random.default_rng(seq)
    return [
        Frame(seq + i, t + i * FRAME_S, rng.integers(-9000, 9000, 1920).astype(np.int16))
        for i in range(count)
    ]


def hear(frames):
    hearing = Hearing()
    return hearing, [w for f in frames for w in hearing.push(f)]


def test_windows_are_even_and_follow_the_frames():
    hearing, windows = hear(stream(50, t=100.0))
    assert hearing.now == pytest.approx(4.0)
    assert [w.t for w in windows] == pytest.approx([i * 0.032 for i in range(len(windows))])
    assert all(w.sound.shape == (WINDOW,) and w.sound.dtype == np.float32 for w in windows)
    assert 0.0 <= hearing.now - windows[-1].end < 0.072
    assert hearing.clock(1.0) == pytest.approx(101.0)
    assert not any(hearing.counters.values())


@pytest.mark.parametrize(
    ('name', 'seqs', 'counters', 'frames_heard'),
    [
        ('a gap', [0, 1, 2, 5, 6], {'gaps': 1, 'concealed': 2}, 7),
        ('a late frame', [0, 1, 3, 2, 4], {'gaps': 1, 'concealed': 1, 'stale': 1}, 5),
        ('a repeated frame', [0, 1, 1, 2], {'stale': 1}, 3),
        ('a long gap', [0, 1, 500, 501], {'gaps': 1, 'concealed': 25, 'jumps': 1}, 29),
        ('a new source', [100, 101, 0, 1], {'restarts': 1, 'concealed': 25, 'jumps': 1}, 29),
    ],
)
def test_what_is_mended(name, seqs, counters, frames_heard):
    whole = stream(600)
    hearing, _ = hear([whole[s] for s in seqs])
    assert {k: v for k, v in hearing.counters.items() if v} == counters
    assert hearing.now == pytest.approx(frames_heard * FRAME_S)


def test_after_a_long_gap_the_clock_is_that_of_the_frames():
    whole = stream(600)
    hearing, _ = hear([whole[0], whole[1], whole[500]])
    assert hearing.clock(hearing.now) == pytest.approx(whole[500].end)
    assert hearing.counters['concealed'] == MAX_CONCEALED


def test_a_clock_that_jumps_moves_only_the_clock():
    frames = stream(40)
    jumped = frames[:20] + [replace(f, t=f.t + 1000.0) for f in frames[20:]]
    calm, windows = hear(frames)
    hearing, same = hear(jumped)
    assert hearing.counters['jumps'] == 1
    assert all(np.array_equal(a.sound, b.sound) for a, b in zip(windows, same, strict=True))
    assert hearing.clock(2.0) == pytest.approx(calm.clock(2.0) + 1000.0)


def test_unrest_of_stamps_is_no_jump():
    frames = [replace(f, t=f.t + 0.03 * (-1) ** f.seq) for f in stream(40)]
    hearing, _ = hear(frames)
    assert hearing.counters['jumps'] == 0


def test_clipping_is_counted():
    hearing, _ = hear([Frame(0, 0.0, np.full(1920, -32_768, np.int16))])
    assert hearing.counters['clipped'] == 1
