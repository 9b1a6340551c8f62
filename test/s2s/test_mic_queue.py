import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kame_ros.s2s.mic_queue import BOUND, MAX_CONCEALED, MicQueue
from kame_ros.wire.frame import FRAME_S, FRAME_SAMPLES, Frame


def loud(seq):
    return Frame(seq, 100.0 + seq * FRAME_S, np.full(FRAME_SAMPLES, 7, np.int16))


def taken(queue):
    frames = []
    while queue.pull():
        frames.append(queue.take())
    return frames


def test_silence_stands_for_what_was_lost():
    queue = MicQueue()
    queue.put(loud(4), 1.0)
    queue.put(loud(7), 2.0)
    assert queue.waiting_since == 1.0
    assert queue.take().seq == 4
    assert not queue.in_gap
    assert queue.waiting_since == 2.0
    assert (queue.take().seq, queue.in_gap) == (5, True)
    gap = queue.take()
    assert (gap.seq, gap.t, gap.samples.any()) == (6, pytest.approx(100.48), False)
    assert (queue.take().seq, queue.in_gap) == (7, False)
    assert queue.waiting_since is None
    assert queue.counters()['frames_missing'] == 2


@pytest.mark.parametrize('then', [4 + MAX_CONCEALED + 2, 3, 0])
def test_another_stream_is_no_gap(then):
    queue = MicQueue()
    queue.put(loud(4), 1.0)
    queue.put(loud(then), 1.0)
    assert [frame.seq for frame in taken(queue)] == [4, then]


@given(st.sets(st.integers(0, BOUND - 1), min_size=1))
def test_what_comes_out_is_whole(seqs):
    queue = MicQueue()
    for seq in sorted(seqs):
        queue.put(loud(seq), 1.0)
    out = taken(queue)
    assert [frame.seq for frame in out] == list(range(min(seqs), max(seqs) + 1))
    assert {frame.seq for frame in out if frame.samples.any()} == seqs
    assert queue.missing == len(out) - len(seqs)


def test_the_oldest_goes_when_it_is_full():
    queue = MicQueue()
    for seq in range(BOUND + 3):
        queue.put(loud(seq), 1.0)
    assert queue.counters()['frames_dropped'] == 3
    assert queue.forget() == BOUND
    assert not queue.pull()
    queue.put(loud(90), 1.0)
    assert [frame.seq for frame in taken(queue)] == [90]  # after that, no gap is seen


def test_each_lost_frame_is_counted_once():
    queue = MicQueue()
    queue.put(loud(0), 1.0)
    assert [frame.seq for frame in taken(queue)] == [0]
    for seq in [1, 3, *range(4, BOUND + 5)]:  # 2 never came; 1, 3 and 4 find no room
        queue.put(loud(seq), 1.0)
    assert [frame.seq for frame in taken(queue)] == list(range(1, BOUND + 5))
    counters = queue.counters()
    assert (counters['frames_dropped'], counters['frames_missing']) == (3, 1)
    queue.put(loud(BOUND + 6), 1.0)
    taken(queue)
    assert queue.counters()['frames_missing'] == 2


def test_what_was_dropped_before_the_first_frame_explains_no_later_gap():
    queue = MicQueue()
    for seq in range(BOUND + 3):
        queue.put(loud(seq), 1.0)
    taken(queue)
    queue.put(loud(BOUND + 4), 1.0)
    taken(queue)
    counters = queue.counters()
    assert (counters['frames_dropped'], counters['frames_missing']) == (3, 1)


def test_it_opens_empty_and_counts_on():
    queue = MicQueue()
    for seq in range(BOUND + 5):
        queue.put(Frame(seq, 0.08 * seq), 0.0)
    assert taken(queue)
    queue.close()
    queue.open()
    queue.put(Frame(1_000, 80.0), 0.0)
    assert [frame.seq for frame in taken(queue)] == [1_000]
    assert queue.counters()['frames_dropped'] == 5
    assert queue.counters()['frames_missing'] == 0
