import pytest

from kame_ros.record.voiced import Segment
from kame_ros.record.whole_turns import whole_turns

FIRST, SECOND = Segment(1.0, 2.0), Segment(3.2, 4.4)


def places(*args, **told):
    return [turn.places for turn in whole_turns(*args, **told)]


@pytest.mark.parametrize(
    ('told', 'expected'),
    [
        ({'ends': [4.8]}, [(0, 1)]),  # the pause was waited for
        ({'ends': [2.4, 4.8]}, [(0,), (1,)]),
        ({'ends': [2.9, 4.8], 'backs': [2.9]}, [(0, 1)]),  # taken back
        ({'ends': [2.9, 4.8], 'backs': [2.9], 'words': [3.0]}, [(0, 1)]),
        ({'ends': [4.8], 'words': [2.5]}, [(0,), (1,)]),  # the robot spoke between
        ({'ends': [4.8], 'words': [1.5, 3.5]}, [(0, 1)]),
        ({}, [(0,), (1,)]),  # a front-end that tells no end
        ({'ends': [4.8], 'apart': {0}}, [(0,), (1,)]),  # an "uh-huh" is of no other turn
        ({'ends': [4.8], 'apart': {1}}, [(0,), (1,)]),
        ({'ends': [0.5, 1.1, 4.8], 'backs': [0.5]}, [(0,), (1,)]),  # of the turn before
    ],
)
def test_which_utterances_are_one_turn(told, expected) -> None:
    assert places([FIRST, SECOND], **told) == expected


def test_who_goes_on_late_speaks_anew() -> None:
    assert places([FIRST, Segment(5.0, 6.0)], ends=[2.4, 6.4], backs=[2.4]) == [(0,), (1,)]


def test_a_turn_may_have_many_utterances() -> None:
    spans = [Segment(t, t + 1.0) for t in (0.0, 2.0, 4.0, 8.0)]
    (long, last) = whole_turns(spans, ends=[5.5, 9.5])
    assert (long.places, long.span) == ((0, 1, 2), Segment(0.0, 5.0))
    assert (last.places, last.span) == ((3,), Segment(8.0, 9.0))


def test_what_the_robot_began_too_early_is_told_until_it_is_silent() -> None:
    voice = [FIRST, SECOND]
    (turn,) = whole_turns(voice, ends=[2.9, 4.8], backs=[2.9], voice=voice)
    (broke_in,) = turn.broke_in
    assert (broke_in.at, broke_in.until, broke_in.after) == (2.9, 4.2, 0)
    assert broke_in.has(2.85)
    assert not broke_in.has(4.2)


def test_the_answer_after_a_short_rest_is_one() -> None:
    voice = [FIRST, Segment(3.2, 3.5)]
    (turn,) = whole_turns(voice, ends=[2.9, 3.7], backs=[2.9], voice=voice)
    assert turn.broke_in[0].until == 3.7


def test_a_turn_can_be_taken_back_within_an_utterance() -> None:
    (turn,) = whole_turns([Segment(1.0, 4.0)], ends=[2.4, 4.4], backs=[2.4])
    assert [(b.at, b.after) for b in turn.broke_in] == [(2.4, 0)]


def test_what_was_only_a_noise_took_nothing_back() -> None:
    (turn,) = whole_turns([FIRST], ends=[2.4], backs=[2.4])
    assert turn.broke_in == ()
