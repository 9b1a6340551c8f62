"""The end of a turn by what kame-small hears, and by another judge where it is not sure."""

from dataclasses import replace

import numpy as np
from fake_end_model import FakeEndModel, FakeExecutor
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
from kame_ros.turns.end_listener import EndListener
from kame_ros.turns.end_of_turn import Decision, EndOfTurn
from kame_ros.turns.end_of_turn.combined import REQUEST, Combined
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


def waits(strategy, odds, turn_start_s, voice_end_s):
    """After how much silence the turn ends, s."""
    for k in range(1, 200):
        strategy.hear(np.array([odds]))
        pause = pause_of(0.02 * k, 'It is late.', voice_end_s=voice_end_s)
        if strategy.decide(replace(pause, turn_start_s=turn_start_s)).over:
            return round(pause.silence_s, 2)
    return None


def combined(melody):
    return HeardEnd(FakeHead(), Combined(None, EndListener(FakeEndModel(melody), FakeExecutor())))


def test_the_other_judge_learns_from_an_end_that_it_heard():
    strategy = combined(0.99)
    before = waits(strategy, 0.9, 0.5, 2.0)
    assert before < 0.3
    strategy = combined(0.99)
    assert waits(strategy, SURE + 1.0, 0.5, 2.0) == 0.02
    assert waits(strategy, 0.9, 0.5, 4.0) == 0.82  # the same turn goes on


def test_an_end_that_was_doubted_was_no_wrong_one():
    strategy = combined(0.99)
    for k in range(1, 40):  # in this pause the other judge alone would have ended the turn
        assert not decision(strategy, DOUBTS - 9.0, 0.02 * k, 'It is late.').over
    assert waits(strategy, 0.9, 0.5, 4.0) < 0.4


def test_quickness_is_how_sure_it_has_to_be():
    assert decision(judge(0.75), SURE - 0.5).over
    assert not decision(judge(0.25), SURE + 0.5).over


def test_a_new_session_is_not_over():
    strategy = judge()
    strategy.hear(np.array([9.0]))
    strategy.reset()
    assert not strategy.decide(pause_of(0.1, None)).over


def wait_in(strategy, turn_start_s, voice_end_s, text='It is late.', *, noise=False):
    """After how much silence the turn is over, of a user whose ends the head is sure of."""
    strategy.hear(np.array([SURE + 1.0]))
    for k in range(1, 200):
        pause = pause_of(0.02 * k, text, voice_end_s=voice_end_s)
        pause.words.noise_until = voice_end_s if noise else -np.inf
        if strategy.decide(replace(pause, turn_start_s=turn_start_s)).over:
            return round(0.02 * k, 2)
    return None


def test_who_went_on_after_an_end_that_it_heard_is_given_more_time():
    strategy = judge()
    assert wait_in(strategy, 0.5, 2.0) == 0.02
    assert wait_in(strategy, 0.5, 3.0) == 0.8  # the same turn
    assert wait_in(strategy, 0.5, 4.0) == 1.2
    assert wait_in(strategy, 0.5, 5.0, 'What time is it?') == 0.02  # a whole question
    after = [wait_in(strategy, t, t + 2.0) for t in (20.0, 30.0, 40.0, 50.0)]
    assert after == [1.2, 0.6, 0.6, 0.16]  # but not for ever
    strategy.reset()
    assert wait_in(strategy, 0.5, 2.0) == 0.02


def test_a_quick_robot_waits_less_after_a_wrong_end_and_a_patient_one_more():
    quick, patient = (HeardEnd(FakeHead(), FakeJudge(0.0), how) for how in (0.75, 0.4))
    assert (wait_in(quick, 0.5, 2.0), wait_in(quick, 0.5, 3.0)) == (0.02, 0.4)
    assert (wait_in(patient, 0.5, 2.0), wait_in(patient, 0.5, 3.0)) == (0.02, 0.96)


def test_a_cough_after_an_end_that_it_heard_teaches_nothing():
    strategy = judge()
    assert wait_in(strategy, 0.5, 2.0) == 0.02
    assert wait_in(strategy, 0.5, 3.0, noise=True) == 0.02
    assert wait_in(strategy, 10.0, 12.0) == 0.02


def test_nor_does_it_teach_the_other_judge():
    strategy = combined(0.99)
    assert wait_in(strategy, 0.5, 2.0) == 0.02
    assert wait_in(strategy, 0.5, 3.0, noise=True) == 0.02
    assert waits(strategy, 0.9, 10.0, 12.0) == waits(combined(0.99), 0.9, 10.0, 12.0)


def test_after_a_wrong_end_a_guess_of_the_other_judge_waits_too():
    strategy = HeardEnd(FakeHead(), FakeJudge(0.3))
    assert wait_in(strategy, 0.5, 2.0) == 0.02
    strategy.hear(np.array([DOUBTS + 0.1]))
    assert not strategy.decide(pause_of(0.5, 'It is late.', voice_end_s=3.0)).over
    assert strategy.decide(pause_of(0.8, 'It is late.', voice_end_s=3.0)).over
