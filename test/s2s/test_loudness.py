"""Whether the robot speaks, from its sound."""

from __future__ import annotations

import numpy as np

from kame_ros.s2s.loudness import QUIET_FRAMES, LoudnessGate
from kame_ros.wire.turn import TurnKind


def sound(rms: float) -> np.ndarray:
    return np.full(1920, rms, np.int16)


def test_gate_bridges_a_pause_between_words():
    gate = LoudnessGate()
    frames = [10, 2000, 2000, *[10] * (QUIET_FRAMES - 1), 2000, *[10] * (QUIET_FRAMES + 2)]
    felt = [gate.feel(sound(level)) for level in frames]
    turns = [(at, turn) for at, turn in enumerate(felt) if turn is not None]
    assert turns == [
        (1, TurnKind.ROBOT_SPEECH_START),
        (len(frames) - 3, TurnKind.ROBOT_SPEECH_END),
    ]
