"""Ends the user's turn when kame-small hears that it is over, else when another judge says so."""

from __future__ import annotations

import math

import numpy as np

from kame_ros.s2s.small.turn_end import TurnEndHead
from kame_ros.turns.end_of_turn import Decision, EndOfTurn, Pause
from kame_ros.turns.end_of_turn.words import WordsAndSilence

LEAST_S = 0.032  # of silence: a window of the VAD
SURE = 1.8  # logarithm of the odds from which on the head is believed, at a quickness of 0.5
_HASTE = 4.0  # by how much that moves from patient to quick


class HeardEnd:
    """An `EndOfTurn` that listens to each frame. Words that hang in the air are against it."""

    def __init__(self, head: TurnEndHead, other: EndOfTurn, quickness: float = 0.5) -> None:
        self._head, self._other = head, other
        self._sure = SURE - _HASTE * (quickness - 0.5)
        self._words = WordsAndSilence()
        self.min_silence_s = LEAST_S

    def hear(self, heard: np.ndarray) -> None:
        """Takes float32[dim + 84] of the frame; before `decide` is asked about it."""
        self._head.hear(heard)

    def decide(self, pause: Pause) -> Decision:
        """See EndOfTurn."""
        odds = self._head.odds
        if odds >= self._sure and self._words.wanted(pause)[1] != 'incomplete':
            return Decision(True, 'ear', 1.0 / (1.0 + math.exp(odds)))
        if pause.silence_s < self._other.min_silence_s - 1e-6:
            return Decision(False, '')
        return self._other.decide(pause)

    def reset(self) -> None:
        """A new session."""
        self._head.reset()
        self._other.reset()
