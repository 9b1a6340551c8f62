"""The melody tells, in any language; else a long silence."""

import pytest
from fake_end_model import FakeEndModel, FakeExecutor
from pauses import pause_of, silence_that_ends

from kame_ros.turns.end_listener import EndListener
from kame_ros.turns.end_of_turn import EndOfTurnSettings
from kame_ros.turns.end_of_turn.acoustic import Acoustic


def acoustic(*answers, **settings):
    listener = EndListener(FakeEndModel(*answers), FakeExecutor())
    return Acoustic(EndOfTurnSettings(**settings), listener)


@pytest.mark.parametrize(
    ('over', 'quickness', 'expected'),
    [
        (0.99, 0.5, (0.1, 'melody')),
        (0.60, 0.5, (1.8, 'silence')),
        (0.60, 1.0, (0.1, 'melody')),
        (0.90, 0.0, (1.8, 'silence')),
        (0.01, 1.0, (1.8, 'silence')),
    ],
)
def test_table(over, quickness, expected):
    assert silence_that_ends(acoustic(over, quickness=quickness)) == expected


def test_what_its_model_raises_is_for_the_tracker_to_count():
    with pytest.raises(RuntimeError, match='no idea'):
        acoustic(RuntimeError('no idea')).decide(pause_of(0.2))


def test_a_new_session_asks_anew():
    strategy = acoustic(0.99, 0.01)
    assert strategy.decide(pause_of(0.2)).over
    strategy.reset()
    assert not strategy.decide(pause_of(0.2)).over
