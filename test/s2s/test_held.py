import numpy as np
from fake_vad import FakeVad

from kame_ros.s2s.front_end import FrontEnd, Step
from kame_ros.s2s.held import HeldFrontEnd
from kame_ros.wire.frame import FRAME_S, silence
from kame_ros.wire.oracle import Oracle

LOUD = (12_000 * np.sin(np.arange(1920) * 0.2)).astype(np.int16)
ORACLE = Oracle('llm', 1, 'Paris.')


class Parrot(FrontEnd):
    """Speaks whenever it is told something, or likes to, unless it is kept silent."""

    def __init__(self, talks=False):
        self.talks, self.silent, self.told = talks, False, []

    def keep_silent(self):
        self.silent = True

    def step(self, user, oracle):
        self.told.append(oracle)
        speaks = oracle is not None or (self.talks and not self.silent)
        self.silent = False
        return Step(LOUD if speaks else silence())

    def interrupt(self):
        self.told.append('interrupt')

    def fall_silent(self):
        self.told.append('fall silent')

    def reset(self):
        self.told.clear()


def speak(front_end, user, oracle=ORACLE):
    """When the robot is heard, s; `user` are the seconds in which they speak."""
    heard = []
    for n in range(int(8 / FRAME_S)):
        t = n * FRAME_S
        step = front_end.step(LOUD if user[0] <= t < user[1] else silence(), oracle(t))
        if np.any(step.speech):
            heard.append(round(t, 2))
    return heard


def after(seconds):
    return lambda t: ORACLE if t >= seconds else None


def test_the_mouth_is_held_for_a_while_after_the_user():
    for hold_s in (0.5, 1.0, 2.0):
        heard = speak(HeldFrontEnd(Parrot(), hold_s, FakeVad()), (1.0, 2.0), after(1.5))
        assert abs(heard[0] - 2.0 - hold_s) <= 0.2


def test_what_likes_to_talk_is_kept_silent_too():
    heard = speak(HeldFrontEnd(Parrot(talks=True), 1.0, FakeVad()), (0.0, 2.0), lambda t: None)
    assert min(heard) >= 2.8


def test_a_robot_that_speaks_already_is_not_held():
    """What happens when the user speaks over it is barge-in."""
    heard = speak(HeldFrontEnd(Parrot(), 2.0, FakeVad()), (3.0, 4.0), after(1.0))
    assert [t for t in heard if 3.0 < t < 4.0]


def test_what_is_urgent_is_said_at_once():
    urgent = Oracle('battery', 1, 'Low.', priority=20)
    front_end = HeldFrontEnd(Parrot(), 5.0, FakeVad())
    assert min(speak(front_end, (0.0, 1.0), lambda t: urgent if t > 1.5 else None)) < 1.7


def test_it_is_counted_and_forgotten():
    front_end = HeldFrontEnd(Parrot(), 1.0, FakeVad())
    speak(front_end, (1.0, 2.0), after(1.5))
    assert front_end.counters()['frames_kept_silent'] > 10
    front_end.reset()
    assert front_end.counters()['frames_kept_silent'] == 0


def test_orders_are_handed_on():
    inner = Parrot()
    held = HeldFrontEnd(inner, 1.0, FakeVad())
    held.interrupt()
    held.fall_silent()
    assert inner.told == ['interrupt', 'fall silent']
