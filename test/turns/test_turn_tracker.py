"""When the user's turn ends, and when it was none."""

import numpy as np
import pytest
from fake_vad import FakeVad

from kame_ros.turns.end_of_turn import Decision
from kame_ros.turns.turn_tracker import LONGEST_PAUSE_S, TurnTracker
from kame_ros.wire.frame import FRAME_S

LOUD, QUIET = np.full(1920, 12_000, np.int16), np.zeros(1920, np.int16)


class After:
    """A strategy for tests: over after so much silence; it keeps the pauses that it was shown."""

    def __init__(self, silence_s, min_silence_s=0.16):
        self._silence_s, self.min_silence_s = silence_s, min_silence_s
        self.shown = []

    def decide(self, pause):
        self.shown.append(pause)
        return Decision(pause.silence_s >= self._silence_s - 1e-6, 'silence')

    def reset(self):
        self.shown.clear()


def talk(tracker, *spans, seconds=8.0):
    """The user speaks in `spans`, s; what each frame told, by the end of the frame."""
    told = {}
    for k in range(round(seconds / FRAME_S)):
        loud = any(start <= k * FRAME_S + 1e-9 < end - 1e-9 for start, end in spans)
        told[round((k + 1) * FRAME_S, 2)] = tracker.hear(LOUD if loud else QUIET)
    return told


def when(told, what):
    return [t for t, heard in told.items() if getattr(heard, what)]


@pytest.mark.parametrize('silence_s', [0.2, 0.3, 0.6, 1.2])
def test_a_turn_ends_in_the_frame_of_the_decision(silence_s):
    tracker = TurnTracker(FakeVad(), After(silence_s))
    (ended,) = when(talk(tracker, (0.4, 1.6)), 'turn_ended')
    assert ended - 1.6 == pytest.approx(silence_s, abs=0.13)
    assert tracker.ended_at == pytest.approx(ended, abs=0.08)
    assert not tracker.speaking
    assert tracker.turn_voice_s == pytest.approx(1.2, abs=0.1)


def test_speech_ends_with_the_turn_and_begins_anew():
    tracker = TurnTracker(FakeVad(), After(0.2))
    told = talk(tracker, (0.4, 1.6), (2.4, 3.2))
    edges = [edge.edge.value for heard in told.values() for edge in heard.edges]
    assert edges == ['start', 'end', 'start', 'end']
    assert len(when(told, 'turn_ended')) == 2


def test_nothing_is_decided_while_a_voice_seems_to_begin():
    tracker = TurnTracker(FakeVad(), After(0.8, 0.8))
    assert when(talk(tracker, (0.4, 1.6), (2.4, 3.2)), 'turn_ended')[0] > 3.2


def test_who_goes_on_at_once_takes_the_end_back():
    strategy = After(0.2)
    tracker = TurnTracker(FakeVad(), strategy, take_back_s=1.0)
    tracker.words.expected = True
    told = talk(tracker, (0.4, 1.6), seconds=2.2)
    tracker.words.hear(0, 'I want', 0.4, 1.6)
    assert not tracker.goes_on
    told = talk(tracker, (0.2, 1.0), seconds=1.0)  # from 2.4 s on
    (back,) = when(told, 'taken_back')
    assert back <= 0.2 + 3 * FRAME_S
    assert tracker.goes_on
    assert tracker.words.now.turn == 'I want'
    strategy.shown.clear()
    assert len(when(talk(tracker, seconds=2.0), 'turn_ended')) == 1
    assert not tracker.goes_on
    assert strategy.shown[0].turn_start_s == pytest.approx(0.4, abs=0.1)
    assert strategy.shown[0].earlier_s == (pytest.approx(0.8, abs=0.1),)
    assert tracker.taken_back == 1


@pytest.mark.parametrize(('window_s', 'gap_s'), [(1.0, 1.6), (0.0, 0.5)])
def test_who_speaks_later_takes_another_turn(window_s, gap_s):
    tracker = TurnTracker(FakeVad(), After(0.2), window_s)
    told = talk(tracker, (0.4, 1.6), (1.6 + gap_s, 3.6))
    assert when(told, 'taken_back') == []
    assert len(when(told, 'turn_ended')) == 2


@pytest.mark.parametrize('least_s', [0.2, 600.0])
def test_a_strategy_that_never_says_so_does_not_leave_the_robot_mute(least_s):
    tracker = TurnTracker(FakeVad(), After(1e9, least_s), longest_pause_s=2.0)
    told = talk(tracker, (0.4, 1.6), (3.2, 4.0), seconds=8.0)
    (ended,) = when(told, 'turn_ended')  # the pause of 1.6 s is not too long
    assert ended - 4.0 == pytest.approx(2.0, abs=0.13)
    assert tracker.ended == {'longest pause': 1}
    tracker = TurnTracker(FakeVad(), After(1e9))
    talk(tracker, (0.4, 1.6), seconds=1.6 + LONGEST_PAUSE_S + 0.2)
    assert tracker.ended == {'longest pause': 1}


def test_pauses_are_remembered_and_what_belongs_to_a_word_is_not():
    strategy = After(9.0)
    tracker = TurnTracker(FakeVad(), strategy)
    talk(tracker, (0.4, 1.2), (1.28, 2.0), (2.24, 3.2), (3.92, 4.4))
    assert strategy.shown[-1].earlier_s == pytest.approx((0.24, 0.72), abs=0.07)
    assert strategy.shown[-1].gone_on == 1
    tracker.reset()
    talk(tracker, (0.4, 1.2), seconds=2.0)
    assert strategy.shown[-1].earlier_s == ()


def test_reasons_are_counted_by_name():
    tracker = TurnTracker(FakeVad())
    tracker.ended.update({'melody, complete': 2, 'x' * 999: 1})
    assert tracker.counters() == {'turns_ended.melody_complete': 2, f'turns_ended.{"x" * 40}': 1}
