"""The end of a turn by what kame-small hears, and by another judge where it is not sure."""

import numpy as np
from pauses import pause_of

from kame_ros.s2s.small.heard_end import (
    AT_ONCE_S,
    DOUBTS,
    DOUBTS_REQUEST,
    DOUBTS_S,
    LEAST_S,
    SURE,
    HeardEnd,
)
from kame_ros.turns.end_of_turn import Decision, EndOfTurn
from kame_ros.turns.end_of_turn.combined import REQUEST
from kame_ros.turns.end_of_turn.silence import Silence


class FakeHead:
    """Its odds are the number that it hears."""

    odds = -np.inf

    def hear(self, heard):
        self.odds = float(heard[0])
        return self.odds

    def reset(self):
        self.odds = -np.inf


def judge(quickness=0.5):
    return HeardEnd(FakeHead(), Silence(), quickness)


def decision(strategy, odds, silence_s=0.1, text=None):
    strategy.hear(np.array([odds]))
    return strategy.decide(pause_of(silence_s, text))


def test_it_is_a_strategy_that_is_asked_at_once():
    assert isinstance(judge(), EndOfTurn)
    assert judge().min_silence_s == LEAST_S


def test_who_is_sure_does_not_wait():
    assert decision(judge(), SURE + 0.1).over
    assert decision(judge(), SURE + 0.1).why == 'ear'
    assert not decision(judge(), SURE - 0.1).over


def test_the_head_alone_is_believed_in_the_first_moments_only():
    assert decision(judge(), SURE + 0.1, AT_ONCE_S).over
    assert not decision(judge(), SURE + 0.1, AT_ONCE_S + 0.05).over


def test_who_is_not_sure_waits_as_long_as_the_other_judge():
    silent = decision(judge(), SURE - 0.1, Silence().min_silence_s)
    assert silent.over
    assert silent.why == 'silence'


def test_words_that_hang_in_the_air_are_against_it():
    assert not decision(judge(), SURE + 2, text='I would like to').over
    assert decision(judge(), SURE + 2, text='It is late.').over


class FakeJudge:
    """Says at once that the turn is over, and how likely they go on all the same."""

    min_silence_s = 0.0

    def __init__(self, goes_on, why='melody'):
        self._said = Decision(True, why, goes_on)

    def decide(self, pause):
        return self._said

    def reset(self):
        pass


def test_a_guess_of_the_other_judge_counts_only_where_the_head_does_not_doubt_it():
    guesses = HeardEnd(FakeHead(), FakeJudge(0.3))
    assert decision(guesses, DOUBTS + 0.1) == Decision(True, 'melody', 0.3)
    assert decision(guesses, DOUBTS - 0.1) == Decision(False, '', 0.3)
    knows = HeardEnd(FakeHead(), FakeJudge(0.0))
    assert decision(knows, DOUBTS - 9.0).over
    quick = HeardEnd(FakeHead(), FakeJudge(0.3), quickness=0.75)
    assert decision(quick, DOUBTS - 0.5).over


def test_a_request_counts_unless_the_head_is_sure_that_they_go_on():
    asked = HeardEnd(FakeHead(), FakeJudge(0.0, REQUEST))
    assert decision(asked, DOUBTS_REQUEST + 0.1, 1.0).over
    assert not decision(asked, DOUBTS_REQUEST - 0.1, 1.0).over
    assert decision(asked, DOUBTS_REQUEST - 0.1, DOUBTS_S).over


def test_the_head_doubts_a_guess_for_a_while_only():
    guesses = HeardEnd(FakeHead(), FakeJudge(0.3))
    assert not decision(guesses, DOUBTS - 9.0, DOUBTS_S - 0.1).over
    assert decision(guesses, DOUBTS - 9.0, DOUBTS_S) == Decision(True, 'melody', 0.3)


def test_quickness_is_how_sure_it_has_to_be():
    assert decision(judge(0.75), SURE - 0.5).over
    assert not decision(judge(0.25), SURE + 0.5).over


def test_a_new_session_is_not_over():
    strategy = judge()
    strategy.hear(np.array([9.0]))
    strategy.reset()
    assert not strategy.decide(pause_of(0.1, None)).over
