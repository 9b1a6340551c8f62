"""Words and oracles on the axis of frames; an oracle is laid out as the front-end feeds it."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kame_ros.s2s.moshi.oracle.oracle_stream import OracleStream
from kame_ros.training.data.layout import (
    Example,
    Marks,
    OracleEvent,
    for_training,
    monologue,
    oracle_axis,
)
from kame_ros.wire.oracle import Oracle

MARKS = Marks(start=99)


def letters(text: str) -> list[int]:
    """A token for each letter: a is 10."""
    return [ord(c) - 87 for c in text if c != ' ']


def test_words_lie_where_they_are_spoken() -> None:
    out = monologue([(0.16, 0.4, 'ab'), (0.8, 0.88, 'c')], letters, 14, MARKS)
    assert out.tolist() == [3, 0, 10, 11, 3, 3, 3, 3, 3, 0, 12, 3, 3, 3]


def test_no_token_is_lost_in_fast_speech() -> None:
    out = monologue([(0.0, 0.08, 'abc'), (0.08, 0.16, 'd')], letters, 8, MARKS)
    assert out.tolist()[:4] == [10, 11, 12, 13]


def test_what_lies_beyond_the_end_is_left_out() -> None:
    assert monologue([(0.0, 0.4, 'abcdef')], letters, 3, MARKS).tolist() == [10, 11, 12]


def test_a_new_oracle_truncates_the_old_one() -> None:
    events = [OracleEvent(0.0, 'abcdefgh'), OracleEvent(0.32, 'x')]
    assert oracle_axis(events, letters, 10, MARKS).tolist() == [99, 10, 11, 12, 99, 33, 3, 3, 3, 3]


def test_a_slow_stream_leaves_gaps() -> None:
    out = oracle_axis([OracleEvent(0.0, 'abc', pace=5.0)], letters, 9, MARKS)
    assert out.tolist() == [99, 10, 11, 3, 3, 12, 3, 3, 3]


@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(1, 12)), max_size=6),
    st.integers(),
    st.integers(0, 70),
)
def test_the_axis_is_what_the_front_end_feeds(
    oracles: list[tuple[int, int]], seed: int, first: int
) -> None:
    """The same oracles, laid out for training and streamed live, give the same tokens.

    So does a part of the axis that begins anywhere.
    """
    frames = 80
    rng = random.Random(seed)
    by_frame = {
        frame: ''.join(rng.choice('abcdef') for _ in range(size)) for frame, size in sorted(oracles)
    }
    # 1 ms into the frame, where rounding cannot move it to the one before.
    events = [OracleEvent(frame * 0.08 + 0.001, text) for frame, text in by_frame.items()]
    stream = OracleStream(letters, start=MARKS.start, padding=MARKS.padding)
    fed, current = [], None
    for frame in range(frames):
        if frame in by_frame:
            current = Oracle('test', frame, by_frame[frame], ended=True)
        stream.update(current)
        fed.append(stream.next())
    assert oracle_axis(events, letters, frames, MARKS).tolist() == fed
    part = oracle_axis(events, letters, frames - first, MARKS, first)
    assert part.tolist() == fed[first:]


def test_what_is_heard_comes_a_frame_earlier_in_training() -> None:
    robot = np.arange(8 * 5).reshape(8, 5)
    user = robot + 100
    example = Example(np.arange(5), robot, user, np.arange(5) + 50)
    codes, oracle = for_training(example)
    assert codes.shape == (17, 4)
    assert codes[0].tolist() == [0, 1, 2, 3]
    assert (codes[1:9] == robot[:, :4]).all()
    assert (codes[9:] == user[:, 1:]).all()
    assert oracle.tolist() == [[51, 52, 53, 54]]


def test_streams_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match='different lengths'):
        Example(np.zeros(4), np.zeros((8, 5)), np.zeros((8, 5)), np.zeros(5))
