import numpy as np
import pytest

from kame_ros.audio.level import rms_dbfs
from kame_ros.stt.echo import EchoGuard, EchoGuardConfig
from kame_ros.wire.frame import FRAME_S, Frame


def robot(seconds, amplitude=3000, t=0.0):
    return [
        Frame(i, t + i * FRAME_S, np.full(1920, amplitude, np.int16))
        for i in range(round(seconds / FRAME_S))
    ]


def guard_after(seconds, heard, **config):
    """A guard that has heard `seconds` of echo at `heard` dBFS."""
    guard = EchoGuard(EchoGuardConfig(**config))
    passed = 0
    for frame in robot(seconds):
        guard.played(frame)
        for k in (0.0, 0.032, 0.064):
            passed += guard.adjust(0.9, frame.t + k, heard) > 0
    return guard, passed


def test_level():
    assert rms_dbfs(np.zeros(10, np.int16)) == -90.0
    assert rms_dbfs(np.full(10, 0.1, np.float32)) == pytest.approx(-20.0, abs=0.01)
    assert rms_dbfs(np.full(10, 3277, np.int16)) == pytest.approx(-20.0, abs=0.01)


def test_a_silent_robot_changes_nothing():
    guard = EchoGuard()
    guard.played(Frame(0, 0.0))
    assert guard.adjust(0.6, 0.1, -70.0) == 0.6
    assert guard.gated == 0


@pytest.mark.parametrize('heard', [-21.0, -30.0, -45.0])
def test_an_echo_is_never_the_user(heard):
    _, passed = guard_after(5.0, heard)
    assert passed == 0


def test_the_user_is_heard_above_a_learned_echo():
    guard, _ = guard_after(4.0, -40.0)  # played at -21 dBFS: the coupling is learned
    assert guard.coupling_db == pytest.approx(-19.5, abs=3.0)
    guard.played(robot(0.08, t=4.0)[0])
    assert guard.adjust(0.9, 4.04, -30.0) == 0.9
    assert guard.adjust(0.5, 4.04, -30.0) == 0.0  # a doubtful voice is not


def test_the_tail_of_the_room_is_gated_and_then_no_more():
    guard, _ = guard_after(1.0, -30.0)
    assert guard.adjust(0.9, 1.2, -30.0) == 0.0
    assert guard.adjust(0.9, 1.0 + EchoGuardConfig().tail_s + 0.05, -30.0) == 0.9


def test_an_open_gate():
    _, passed = guard_after(1.0, -30.0, guard=False)
    assert passed > 0
