"""A trial plays users and oracles frame by frame, and tells when what was heard."""

import numpy as np
import pytest
from scripted_robot import WORD, ScriptedRobot

from kame_ros.s2s.front_end import FrontEnd, Piece, Step
from kame_ros.training.small.trial import PATIENCE_S, LiveOracle, Trace, UserTurn, run
from kame_ros.wire.frame import FRAME_S, FRAME_SAMPLES

ASKED = UserTurn(np.full(24_000, 0.1), 0.4)  # ends at 1.4 s


def test_it_opens_after_the_question_and_says_the_oracle():
    trace = run(ScriptedRobot(waits=2), [ASKED], [LiveOracle('Paris is in France.', 1.6)])
    assert trace.turns == [(0.4, 1.4)]
    assert trace.words() == ['Well,', 'Paris', 'is', 'in', 'France.']
    assert trace.words(1) == ['Paris', 'is', 'in', 'France.']
    assert trace.words(-1) == ['Well,']
    # The question ends inside of the 18th frame; after two silent ones, at 1.6 s, it opens.
    assert trace.first_sound() == pytest.approx(1.6, abs=0.001)
    assert trace.begins(1) == pytest.approx(1.6 + WORD * FRAME_S)
    assert trace.oracles == [pytest.approx(1.6)]


def test_the_words_of_an_oracle_arrive_one_after_another():
    heard = []

    class Listens(ScriptedRobot):
        def step(self, user, oracle):
            heard.append(oracle)
            return super().step(user, oracle)

    run(Listens(), [ASKED], [LiveOracle('one two three', 0.2, pace=5.0)])
    texts = list(dict.fromkeys(o.text for o in heard if o))
    assert texts == ['one ', 'one two ', 'one two three ']
    assert next(o.ended for o in heard if o and o.text == texts[-1])
    assert heard[0] is None
    assert not [o for o in heard if o and o.text != texts[-1] and o.ended]


def test_an_oracle_waits_until_words_of_the_one_before_are_given():
    oracles = [LiveOracle('a b c d e f', 1.5), LiveOracle('x y z', after=3)]
    trace = run(ScriptedRobot(), [ASKED], oracles)
    assert trace.words() == ['Well,', 'a', 'b', 'c', 'I', 'mean,', 'x', 'y', 'z']
    assert trace.words(2) == ['x', 'y', 'z']
    assert len(trace.oracles) == 2


def test_the_user_speaks_over_it_and_the_recogniser_tells_their_words_late():
    told = []

    class Told(ScriptedRobot):
        def hear_words(self, *words):
            told.append(words)
            super().hear_words(*words)

    over = UserTurn(np.full(12_000, 0.1), after=2, words=((0.4, 'wait'), (0.8, 'please')))
    oracle = LiveOracle('a b c d e f g h i j k l', 1.5)
    trace = run(Told(), [ASKED, over], [oracle])
    begin, end = trace.turns[1]
    assert end - begin == pytest.approx(0.5)
    assert [(number, text, final) for number, text, _, _, final in told] == [
        (1, 'wait', False),
        (1, 'wait please', True),
    ]
    assert all(start <= end <= 0 for _, _, start, end, _ in told)
    assert 'l' not in trace.words()
    stops = trace.silent_from(begin, 0.5)
    assert begin + 0.8 <= stops <= begin + 1.2
    assert len(trace.events) == 1


def test_a_trial_lasts_as_long_as_asked_and_not_for_ever():
    class Endless(FrontEnd):
        def step(self, user, oracle):
            return Step(np.zeros(FRAME_SAMPLES, np.int16), (Piece('la '),))

        def interrupt(self):
            pass

        def reset(self):
            pass

    assert len(run(ScriptedRobot(), [], [], at_least_s=5.0).sound) / 24_000 >= 5.0
    assert 44 < len(run(Endless(), [], []).sound) / 24_000 < 46


def test_who_has_not_begun_the_answer_is_waited_for():
    class Slow(ScriptedRobot):
        frames = 0

        def step(self, user, oracle):
            self.frames += 1
            return super().step(user, oracle if self.frames > 75 else None)  # 6 s

    assert 1.6 + PATIENCE_S < 6.0
    trace = run(Slow(lead_in=''), [ASKED], [LiveOracle('Paris.', 1.6)])
    assert trace.words(1) == ['Paris.']


def test_a_duck_makes_it_quieter():
    class Ducked(ScriptedRobot):
        def step(self, user, oracle):
            step = super().step(user, oracle)
            return Step(step.speech, step.pieces, gain=0.5)

    loud, quiet = (run(each(), [ASKED], []).sound for each in (ScriptedRobot, Ducked))
    assert np.array_equal(loud * np.float32(0.5), quiet)


def test_silence_is_found_where_it_begins():
    sound = np.zeros(4 * 24_000, np.float32)
    sound[24_000:36_000] = 0.5  # from 1.0 to 1.5 s
    sound[40_000:48_000] = 0.5  # from 1.67 to 2.0 s
    trace = Trace(sound=sound)
    assert trace.first_sound() == 1.0
    assert trace.first_sound(1.55) == pytest.approx(40_000 / 24_000)
    assert trace.first_sound(2.5) is None
    assert trace.silent_from(1.2, 0.5) == pytest.approx(2.0, abs=0.001)
    assert trace.silent_from(1.2, 0.1) == pytest.approx(1.5, abs=0.001)
    assert trace.silent_from(3.0, 2.0) is None
