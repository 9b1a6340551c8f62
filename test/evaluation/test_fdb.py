"""Scorers on hand-made words and stretches whose scores are known."""

import math

import pytest

from kame_ros.evaluation import fdb
from kame_ros.record.voiced import Segment
from kame_ros.wire.transcript import Word

S = Segment


def words(*times):
    return [Word('w', a, b) for a, b in times]


@pytest.mark.parametrize(
    ('said', 'taken'),
    [
        (words(), 0),
        (words((0, 0.3)), 0),
        (words((0, 0.2), (0.3, 0.5), (0.6, 0.9)), 0),  # three words in 0.9 s
        (words((0, 0.2), (0.3, 0.5), (0.6, 0.7), (0.8, 0.9)), 1),  # four
        (words((0, 0.2), (0.8, 1.0)), 1),  # a second
        (words((0, 0.2), (0.8, float('nan'))), 0),  # the last start, where the end is missing
    ],
)
def test_tor(said, taken):
    assert fdb.tor(said) == taken


def test_latency_of_a_turn_is_clipped_only_in_compat():
    early = words((1.5, 2.0))
    assert fdb.turn_latency(early, 2.0) == -0.5
    assert fdb.turn_latency(early, 2.0, compat=True) == 0.0


def test_a_robot_that_talks_on_answers_at_once_only_in_compat():
    said = words(*((0.5 * n, 0.5 * n + 0.4) for n in range(20)))
    speech = [S(0, 10)]
    assert fdb.interruption(said, 5.2, True, speech) == (1, 0.0)
    taken, latency = fdb.interruption(said, 5.2, False, speech)
    assert taken == 0
    assert math.isnan(latency)
    stopped = [S(0, 5), S(6.2, 9)]
    assert fdb.interruption(said, 5.2, False, stopped)[1] == pytest.approx(1.0)


def test_the_last_backchannel_decides_only_in_compat():
    eight = words(*((0.3 * n, 0.3 * n + 0.2) for n in range(8)))
    said = [*eight, Word('yeah', 8.0, 8.3)]
    segments = [S(0, 2.9), S(8.0, 8.4)]
    assert fdb.backchannels(segments, said, 10.0, compat=True).tor == 0
    assert fdb.backchannels(segments, said, 10.0).tor == 1


def test_a_long_stretch_ends_the_count():
    found = fdb.backchannels([S(1, 1.5), S(2, 6), S(8, 8.5)], [], 10.0)
    assert (found.tor, found.frequency) == (1, 0.1)
    assert math.isnan(found.distance)


def test_the_distance_has_its_base():
    pytest.importorskip('scipy', reason='make setup-eval')
    human = [0.0] * 25 + [1.0] * 25
    segments = [S(0.0, 0.4)]
    apart = fdb.backchannels(segments, [], 10.0, human)
    compat = fdb.backchannels(segments, [], 10.0, human, compat=True)
    assert apart.distance == pytest.approx(1.0, abs=0.01)  # of base 2
    assert compat.distance == pytest.approx(0.833, abs=0.01)  # the natural logarithm
    assert fdb.backchannels([], [], 10.0, human).distance == 1.0


def test_a_robot_that_never_stops_is_not_the_length_of_the_user():
    user, span = [S(0, 2), S(5, 6)], S(5, 6)
    on = [S(3, 9)]
    assert fdb.overlap(user, on, span, 12.0).stop == 4.0
    assert fdb.overlap(user, on, span, 12.0, compat=True).stop == 1.0
    found = fdb.overlap(user, [S(3, 5.4), S(6.5, 9)], span, 12.0)
    assert found.stop == pytest.approx(0.4)
    assert found.response == 0.5
    assert found.resumed
    none = fdb.overlap(user, [S(3, 4)], span, 12.0)
    assert math.isnan(none.stop)
    assert not none.resumed


def test_means_tell_how_many_they_are_of():
    assert fdb.means([{'a': 1.0}, {'a': 3.0}, {'a': math.nan, 'b': 1.0}])['a'] == (2.0, 2)
    assert math.isnan(fdb.means([{'a': math.nan}])['a'][0])
