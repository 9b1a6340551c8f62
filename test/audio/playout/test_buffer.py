from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kame_ros.audio.playout.buffer import Playout, PlayoutConfig
from kame_ros.wire.frame import FRAME_S, FRAME_SAMPLES, Frame

SPEECH = np.full(FRAME_SAMPLES, 1_000, np.int16)


def speech(seq: int) -> Frame:
    return Frame(seq, 0.0, SPEECH)


def quiet(seq: int) -> Frame:
    return Frame(seq, 0.0)


def play(playout: Playout, script: str) -> list[int]:
    """Runs a script such as '0 1 . .': a number is pushed (negative: silent), '.' is a tick."""
    played = []
    for word in script.split():
        if word == '.':
            played.append(playout.pull(len(played) * FRAME_S).source_seq)
        else:
            seq = abs(int(word))
            frame = quiet(seq) if word.startswith('-') else speech(seq)
            playout.push(frame, len(played) * FRAME_S)
    return played


@pytest.mark.parametrize(
    ('config', 'script', 'played', 'counts'),
    [
        pytest.param({}, '0 . 1 . 2 .', [0, 1, 2], {}, id='in step'),
        pytest.param({}, '. . 7 . 8 .', [-1, -1, 7, 8], {'idle': 2}, id='waits for the start'),
        pytest.param(
            {'target_s': 0.16},
            '0 . 1 . 2 . 3 .',
            [-1, -1, 0, 1],
            {'idle': 2},
            id='fills to the target',
        ),
        pytest.param(
            {}, '0 . 2 . 3 . . ', [0, -1, 2, 3], {'concealed': 1}, id='a lost frame is silence'
        ),
        pytest.param(
            {},
            '0 . 2 . 1 . .',
            [0, -1, 2, -1],
            {'concealed': 1, 'late': 1},
            id='late is not played',
        ),
        pytest.param(
            {'target_s': 0.08}, '0 2 . 1 . .', [0, 1, 2], {'late': 0}, id='out of order but in time'
        ),
        pytest.param(
            {'target_s': 0.08}, '1 0 . . .', [0, 1, -1], {'late': 0}, id='out of order at the start'
        ),
        pytest.param({}, '0 0 . 1 1 . 0 .', [0, 1, -1], {'duplicates': 2, 'late': 1}, id='twice'),
        pytest.param(
            {}, '0 . . . 1 . 2 .', [0, -1, -1, 1, 2], {'underruns': 2}, id='a stall delays'
        ),
        pytest.param(
            {'slack_s': 0.08},
            '0 . . 1 -2 3 4 . . . .',
            [0, -1, 1, 3, 4, -1],
            {'dropped_silent': 1},
            id='the delay is won back in silence',
        ),
        pytest.param(
            {'slack_s': 0.0},
            '0 1 2 3 . . . .',
            [0, 1, 2, 3],
            {'dropped_speech': 0},
            id='speech keeps its length',
        ),
        pytest.param(
            {'capacity': 3},
            '0 -1 2 3 . . . .',
            [0, 2, 3, -1],
            {'dropped_silent': 1, 'concealed': 0},
            id='full: the silent one goes',
        ),
        pytest.param(
            {'capacity': 3},
            '0 1 2 3 . . . .',
            [1, 2, 3, -1],
            {'dropped_speech': 1, 'concealed': 0},
            id='full of speech: the oldest goes',
        ),
        pytest.param(
            {'max_gap': 3},
            '0 . 50 . 51 .',
            [0, 50, 51],
            {'skipped': 49, 'concealed': 0},
            id='a long hole is jumped over',
        ),
        pytest.param(
            {'restart_after': 2},
            '5 . 6 . . . 0 . 1 .',
            [5, 6, -1, -1, 0, 1],
            {'restarts': 1, 'late': 0},
            id='a new sender after silence',
        ),
        pytest.param(
            {}, '5000 . 0 . 1 .', [5000, 0, 1], {'restarts': 1}, id='a new sender at once'
        ),
    ],
)
def test_playout(config: dict, script: str, played: list[int], counts: dict) -> None:
    playout = Playout(PlayoutConfig(**config))
    assert play(playout, script) == played
    counters = playout.counters()
    assert {name: counters[name] for name in counts} == counts


def test_what_is_played_carries_its_time_and_sound() -> None:
    playout = Playout()
    playout.push(speech(3))
    frames = [playout.pull(9.0), playout.pull(9.08)]
    assert [(f.seq, f.t, f.source_seq) for f in frames] == [(0, 9.0, 3), (1, 9.08, -1)]
    assert np.array_equal(frames[0].samples, SPEECH)


def test_a_hole_is_faded_out_and_in() -> None:
    playout = Playout()
    for seq in (0, 2):
        playout.push(speech(seq))
    sound = np.concatenate([playout.pull(k * FRAME_S).samples for k in range(3)]).astype(int)
    assert np.abs(np.diff(sound)).max() < 20  # of 1000
    assert not sound[FRAME_SAMPLES + 480 : 2 * FRAME_SAMPLES].any()
    assert np.array_equal(sound[2 * FRAME_SAMPLES + 120 :], SPEECH[120:])


@pytest.mark.parametrize(
    ('arrivals', 'tick', 'margin'),
    [
        ([0.0], 0.0, 0.0),
        ([0.0], 0.05, 0.05),
        ([0.0, 0.08], 0.09, 0.09),
        ([0.0, 0.0], 0.0, 0.08),
        ([0.0], 9.0, 0.08),  # the next one is late already: no more than a frame is known
    ],
)
def test_the_margin_is_how_late_the_next_frame_may_be(arrivals, tick, margin: float) -> None:
    playout = Playout()
    for seq, now in enumerate(arrivals):
        playout.push(speech(seq), now)
    assert playout.margin(tick) == pytest.approx(margin)


def test_the_target_may_grow_while_it_runs() -> None:
    playout = Playout()
    assert play(playout, '0 . 1 .') == [0, 1]
    playout.flush()
    playout.target_s = 0.16
    assert play(playout, '2 . 3 . 4 .') == [-1, -1, 2]


def test_flush_drops_what_waits_and_never_plays_it() -> None:
    playout = Playout()
    play(playout, '0 1 2 3 .')
    assert playout.flush() == 3
    assert play(playout, '2 . 4 .') == [-1, 4]
    counters = playout.counters()
    assert (counters['flushed'], counters['late']) == (3, 1)


@pytest.mark.parametrize(
    'bad',
    [{'target_s': -1.0}, {'capacity': 2}, {'slack_s': -0.1}, {'max_gap': 0}, {'restart_after': 0}],
)
def test_bad_config_is_refused(bad: dict) -> None:
    with pytest.raises(ValueError, match='at least'):
        PlayoutConfig(**bad)


ACTIONS = st.one_of(
    st.tuples(st.just('push'), st.integers(0, 60), st.booleans()),
    st.just(('pull', 0, False)),
    st.just(('flush', 0, False)),
)


@given(
    st.lists(ACTIONS, max_size=120),
    st.integers(1, 4),
    st.integers(0, 2),
    st.integers(0, 6),
)
def test_all_is_counted_and_time_never_runs_back(
    actions: list, target: int, slack: int, room: int
) -> None:
    config = PlayoutConfig(target * FRAME_S, slack * FRAME_S, target + slack + 2 + room)
    playout = Playout(config)
    last, restarts, pulls = -1, 0.0, 0
    for action, seq, silent in actions:
        if action == 'push':
            playout.push(quiet(seq) if silent else speech(seq), pulls * FRAME_S)
        elif action == 'flush':
            playout.flush()
        else:
            frame = playout.pull(pulls * FRAME_S)
            pulls += 1
            counters = playout.counters()
            if frame.source_seq >= 0:
                assert frame.source_seq > last or counters['restarts'] > restarts
                last, restarts = frame.source_seq, counters['restarts']
        assert playout.depth <= config.capacity
    c = playout.counters()
    ends = ('played', 'late', 'duplicates', 'dropped_silent', 'dropped_speech', 'flushed', 'depth')
    assert c['pushed'] == sum(c[name] for name in ends)
    assert pulls == c['played'] + c['concealed'] + c['underruns'] + c['idle']


@given(st.lists(st.integers(0, 4), min_size=1, max_size=200))
def test_nothing_is_lost_under_jitter_within_the_capacity(delays: list[int]) -> None:
    """Frames that come in order, each up to 4 ticks late, are all played once and in order."""
    playout = Playout(PlayoutConfig(slack_s=30 * FRAME_S, capacity=60))
    arrivals: dict[int, list[int]] = {}
    tick = 0
    for seq, delay in enumerate(delays):
        tick = max(tick, seq + delay)
        arrivals.setdefault(tick, []).append(seq)
    played = []
    for now in range(len(delays) + 10):
        for seq in arrivals.get(now, []):
            playout.push(speech(seq), now * FRAME_S)
        played.append(playout.pull(now * FRAME_S).source_seq)
    assert [seq for seq in played if seq >= 0] == list(range(len(delays)))
