"""Remembers how often the user went on after their turn was said to be over: then it is waited.

Whoever did so has shown that they pause. The rest of that turn, and less and less the next ones,
end after clearly more silence.
"""

from __future__ import annotations

from kame_ros.turns.end_of_turn import Pause

_MOST_S = 1.2  # of silence: nobody waits for more


class WrongEnds:
    """Is told of each pause; `count`: the wrong ends, those of earlier turns counting for less."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """A new session."""
        self.count = 0.0
        self._turn_start_s = self._voice_end_s = -1.0  # of the last pause
        self._ended_at_s = -1.0  # the voice after which this turn was said to be over
        self._went_on = 0.0  # how much of `count` is of the last pause: it may have been a noise

    def least_s(self, each_s: float) -> float:
        """How much silence the turn has to end with, s, if each wrong end adds so much."""
        return min(_MOST_S, each_s * self.count)

    def hear(self, pause: Pause, *, noise: bool = False) -> None:
        """Before each decision. `noise`: what was heard last was no voice, so that nobody went on.

        As often as one likes in the same pause.
        """
        if pause.turn_start_s != self._turn_start_s:
            self._turn_start_s = pause.turn_start_s
            self.count /= 2.0
            self._ended_at_s, self._went_on = -1.0, 0.0
        elif pause.voice_end_s != self._voice_end_s:
            self._went_on = float(self._ended_at_s == self._voice_end_s)
            self.count += self._went_on
        self._voice_end_s = pause.voice_end_s
        if noise:
            self.count, self._went_on = self.count - self._went_on, 0.0

    def ended(self, pause: Pause) -> None:
        """The turn was said to be over in this pause."""
        self._ended_at_s = pause.voice_end_s

    def not_ended(self, pause: Pause) -> None:
        """That it was over in this pause, as was said before, does not count."""
        if self._ended_at_s == pause.voice_end_s:
            self._ended_at_s = -1.0
