"""Ends the user's turn when kame-small hears that it is over, else when another judge says so.

Two ears that must agree are wrong less often. kame-small is believed alone in the first moments of
a silence, in which an end sounds unlike a pause; later the other judge has to say so, and where it
only guesses, by the melody or by words that may go on, the turn goes on while kame-small hears no
end, for 1.5 s of silence. What silence or whole questions tell is no guess.

Where the user went on after an end, it waits, as `combined` does, whoever had said that end. A
whole question or a short answer ends any turn.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from kame_ros.s2s.small.turn_end import TurnEndHead
from kame_ros.turns.end_of_turn import Decision, EndOfTurn, Learns, Pause
from kame_ros.turns.end_of_turn.combined import REQUEST, WRONG_S, is_whole
from kame_ros.turns.end_of_turn.words import WordsAndSilence
from kame_ros.turns.end_of_turn.wrong_ends import WrongEnds

LEAST_S = 0.032  # of silence: a window of the VAD
AT_ONCE_S = 0.16  # of silence, in which the head is believed alone
# Logarithms of the odds, at a quickness of 0.5: from SURE on the head is believed, below DOUBTS no
# guess of the other judge is, below DOUBTS_REQUEST no request. Of 354 pauses in 300 questions of
# synthetic voices 26 are taken for ends; by the other judge alone 57. With an AT_ONCE_S of 0.2 they
# are 30; then 40 were the head believed at any time, 36 without DOUBTS_REQUEST, 70 without doubts.
SURE, DOUBTS, DOUBTS_REQUEST = 1.5, 0.75, -0.7
DOUBTS_S = 1.5  # s of silence; from then on a guess counts whatever the head hears
_HASTE = 4.0  # by how much both move from patient to quick


class HeardEnd:
    """An `EndOfTurn` that listens to each frame. Words that hang in the air are against the head.

    A decision of the other judge that has a probability that they go on is a guess. If it `Learns`,
    it is told how the turn was judged in the end: who goes on after an end that kame-small heard
    pauses, too.
    """

    def __init__(self, head: TurnEndHead, other: EndOfTurn, quickness: float = 0.5) -> None:
        self._head, self._other = head, other
        haste = _HASTE * (quickness - 0.5)
        self._sure, self._doubts = SURE - haste, DOUBTS - haste
        self._doubts_request = DOUBTS_REQUEST - haste
        self._patience = 2.0 * (1.0 - quickness)
        self._words = WordsAndSilence()
        self._wrong = WrongEnds()
        self.min_silence_s = LEAST_S

    @property
    def odds(self) -> float:
        """The logarithm of the odds that the user had finished in the last frame."""
        return self._head.odds

    def hear(self, heard: np.ndarray) -> None:
        """Takes float32[dim + 84] of the frame; before `decide` is asked about it."""
        self._head.hear(heard)

    def decide(self, pause: Pause) -> Decision:
        """See EndOfTurn."""
        words = self._words.wanted(pause)[1]
        self._wrong.hear(pause, noise=words == 'noise')
        decision = self._judged(pause, words)
        whole = words == 'noise' or (words == 'complete' and is_whole(pause))
        if not whole and pause.silence_s < self._patience * self._wrong.least_s(WRONG_S) - 1e-6:
            decision = replace(decision, over=False)
        if decision.over:
            self._wrong.ended(pause)
        if isinstance(self._other, Learns):
            self._other.told(pause, decision.over)
        return decision

    def _judged(self, pause: Pause, words: str) -> Decision:
        """The same, as if no end had been wrong."""
        odds, at_once = self._head.odds, pause.silence_s <= AT_ONCE_S + 1e-6
        if at_once and odds >= self._sure and words != 'incomplete':
            return Decision(True, 'ear', 1.0 / (1.0 + math.exp(odds)))
        if pause.silence_s < self._other.min_silence_s - 1e-6:
            return Decision(False, '')
        decision = self._other.decide(pause)
        if decision.over and self._is_doubted(decision, odds) and not _is_long(pause):
            return Decision(False, '', decision.goes_on)
        return decision

    def _is_doubted(self, decision: Decision, odds: float) -> bool:
        """Whether the head hears that the user goes on where the other judge guesses an end."""
        if decision.why == REQUEST:
            return odds < self._doubts_request
        return decision.goes_on > 0.0 and odds < self._doubts

    def reset(self) -> None:
        """A new session."""
        self._head.reset()
        self._other.reset()
        self._wrong.forget()


def _is_long(pause: Pause) -> bool:
    return pause.silence_s >= DOUBTS_S - 1e-6
