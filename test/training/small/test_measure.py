"""What is measured of robots whose behaviour is known."""

import math

import numpy as np
import pytest

pytest.importorskip('hibari')  # numbers are written as words by it
from scripted_robot import ScriptedRobot

from kame_ros.training.small.cases import Case, texts
from kame_ros.training.small.measure import (
    KINDS,
    Findings,
    error_rate,
    measure,
    table,
)
from kame_ros.training.small.spoken_form import spoken_words
from kame_ros.training.small.trial import LiveOracle, UserTurn

VOICE = np.full(24_000, 0.1)
ANSWER = 'Paris is in France, and it has 2 million people.'


class FakeCases:
    """One case of each kind; the user speaks from 0.4 to 1.4 s."""

    def case(self, kind, number):
        asked = UserTurn(VOICE, 0.4)
        late = LiveOracle(ANSWER, 1.8)
        plain = Case(kind, [asked], [late], np.zeros, ANSWER, target='france')
        words = ((0.5, 'no'), (0.8, 'wait')) if kind == 'barge_in' else ((0.5, 'yeah'),)
        over = UserTurn(VOICE[:4800], after=4, words=words)
        paused = UserTurn(np.concatenate([VOICE, np.zeros(24_000), VOICE]), 0.4)
        return {
            'blank': Case(kind, [asked], [], np.zeros, at_least_s=6.0),
            'nothing': Case(kind, [], [], np.zeros, at_least_s=3.0),
            'replaced': Case(
                kind, [asked], [LiveOracle('a b c d e f', 1.5), LiveOracle(ANSWER, after=3)],
                np.zeros, ANSWER,
            ),
            'pause': Case(
                kind, [paused], [LiveOracle(ANSWER, 3.6)], np.zeros, ANSWER, ((1.4, 2.4),)
            ),
            'barge_in': Case(kind, [asked, over], [late], np.zeros, ANSWER),
            'back_channel': Case(kind, [asked, over], [late], np.zeros, ANSWER),
        }.get(kind, plain)  # fmt: skip


def hears_all(sound):
    """A hearer that knows the answer, if there is any sound."""
    return spoken_words(ANSWER) if np.abs(sound).max(initial=0) > 0 else []


def numbers(robot, **how):
    return measure(robot, FakeCases(), 2, **how).numbers


def test_a_good_robot():
    silent = {'voice': lambda text: np.zeros(9)}
    found = numbers(ScriptedRobot(at_a_loss="I don't know that."), hearer=hears_all, alone=silent)
    for kind in ('sentences', 'open', 'written', 'unknown', 'replaced'):
        assert found[f'{kind}_monologue_error'] == 0
    assert found['sentences_error_model'] == 0
    assert found['sentences_error_voice'] == 1
    assert found['unknown_understood_model'] == 1
    assert found['unknown_understood_voice'] == 0
    assert found['end_to_first_sound_s'] == pytest.approx(0.2, abs=0.001)
    assert found['open_oracle_to_speech_s'] == pytest.approx(0.04, abs=0.001)
    assert found['breaks_into_a_question'] == found['never_answers'] == 0
    assert found['breaks_into_a_pause'] == 1  # its patience is two frames
    assert found['replaced_ends_with_new'] == found['replaced_corrects_aloud'] == 1
    assert found['blank_opened'] == found['blank_owns_up'] == 1
    assert found['blank_words'] == 5
    assert found['nothing_asked_speaks'] == 0
    assert found['barge_in_yields'] == found['barge_in_noticed'] == 1
    assert 0.8 <= found['barge_in_stops_after_s'] <= 1.0
    assert found['back_channel_goes_on'] == 1


def test_a_robot_that_waits_long_does_not_break_into_a_pause():
    found = numbers(ScriptedRobot(waits=15))
    assert found['breaks_into_a_pause'] == found['breaks_into_a_paused_question'] == 0
    assert found['end_to_first_sound_s'] == pytest.approx(1.24, abs=0.001)
    assert found['paused_end_to_first_sound_s'] == pytest.approx(1.24, abs=0.001)


def test_a_robot_that_breaks_in_and_never_yields():
    found = numbers(ScriptedRobot(waits=0, lead_in='Hm', corrects='', yields=False))
    assert found['breaks_into_a_question'] == 1
    assert math.isnan(found['end_to_first_sound_s'])
    assert found['replaced_corrects_aloud'] == found['replaced_ends_with_new'] - 1 == 0
    assert found['barge_in_yields'] == found['barge_in_noticed'] == 0
    assert found['blank_owns_up'] == 0


def test_a_robot_that_never_speaks():
    found = numbers(ScriptedRobot(hears=40_000), hearer=hears_all)
    assert found['never_answers'] == 1
    assert found['sentences_monologue_error'] == found['sentences_error_model'] == 1
    assert found['unknown_understood_model'] == 0
    assert math.isnan(found['open_oracle_to_speech_s'])


def test_what_the_oracle_before_said_already_is_not_said_again():
    class GoesOn(ScriptedRobot):
        """Says of a newer oracle what it did not say of the older one."""

        def _choose(self, oracle):
            if oracle is not None and self._key not in (None, oracle.key):
                self._key = oracle.key  # and self._said stays
            super()._choose(oracle)

    class Cases:
        def case(self, kind, number):
            guess = LiveOracle('Paris is in Texas.', 1.5)
            newer = LiveOracle(ANSWER, after=3)
            return Case(kind, [UserTurn(VOICE, 0.4)], [guess, newer], np.zeros, ANSWER)

    found = measure(GoesOn(corrects=''), Cases(), 1, kinds=('open',))
    assert found.numbers['open_monologue_error'] == 0
    assert found.said[0]['monologue'] == f'Well, {ANSWER}'


def test_kinds_can_be_chosen_and_each_trial_is_told():
    told = []
    found = measure(
        ScriptedRobot(),
        FakeCases(),
        3,
        kinds=('nothing', 'unknown'),
        progress=lambda: told.append(1),
    )
    assert len(told) == 3 + 15
    assert 'open_monologue_error' not in found.numbers


def test_the_table_shows_what_there_is():
    found = Findings({'open_error_model': 0.5, 'open_error_voice': 0.25, 'blank_words': 3.0})
    lines = table(found).splitlines()
    assert len(lines) == 3
    assert lines[1].split() == ['error', 'of', 'a', 'stranger,', 'open', 'sentences', '0.500',
                                '0.250', '<=', '0.12']  # fmt: skip
    assert lines[2].endswith('3.000')


def test_errors_are_words_put_in_left_out_or_changed():
    assert error_rate([['a', 'b'], ['c', 'd']], [['a'], ['c', 'd']]) == 0.25
    assert error_rate([], []) == 0
    wanted, found = ['a', 'b', 'c'], ['well', 'then', 'a', 'x', 'c', 'd']
    assert error_rate([wanted], [found], after_others=True) == pytest.approx(2 / 3)


def test_there_are_texts_of_each_kind():
    plain, open_, written = texts('sentences.txt'), texts('open.txt'), texts('written.txt')
    assert min(map(len, (plain, open_, written))) >= 40
    assert len({*plain, *open_, *written}) == len(plain) + len(open_) + len(written)
    assert len(set(texts('unknown_words.txt'))) == 200
    assert len(KINDS) == len(set(KINDS))
