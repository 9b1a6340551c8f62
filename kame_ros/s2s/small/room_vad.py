"""Voices in a room that are not the user's, told from what kame-small makes of what it hears.

A voice detector hears people in the background as well as the user. Where it alone told when a user
speaks, a turn in such a room would never end.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from kame_ros.turns.vad import Vad

NOBODY_FRAMES = 12  # 0.96 s; the mean of the odds over these tells that the user is silent
# Logarithms of the odds that the user has finished, as means. While synthetic users spoke, the
# first was -0.3 or less in 283 of 300 questions and more than 0.0 in 5; after them it was 0.0 or
# more in 285. The second was below -3 in all.
NOBODY, SPEAKS = 0.0, -1.0
_SPEAKS_FRAMES = 3
_LEVEL_FRAMES = 6  # that tell how loud the room is: not the newest ones, which
_NEWEST = 3  # may be the beginning of what the model has not recognised yet
_LOUDER_DB = 2.0  # a voice that is so much louder than the room is the user's


class RoomVad:
    """A `Vad` to which nothing is a voice that is no louder than the room in which nobody speaks.

    The room is known once the model has heard no user for a second of their turn, and forgotten
    when it hears one, or new words are told.
    """

    def __init__(self, vad: Vad) -> None:
        self._vad = vad
        self._forget()

    def _forget(self) -> None:
        self._odds: deque[float] = deque(maxlen=NOBODY_FRAMES)
        self._levels: deque[float] = deque(maxlen=_LEVEL_FRAMES + _NEWEST)
        self._room_dbfs = -np.inf
        self._level_dbfs = 0.0
        self._told = ''

    def hear(self, odds: float, level_dbfs: float, listens: bool) -> None:
        """Takes what is known of a frame, before its sound is pushed. `listens`: it is the user's
        turn, and the robot is silent: else the odds tell nothing.
        """
        self._level_dbfs = level_dbfs
        if not listens:
            self._odds.clear()
            self._levels.clear()
            return
        self._odds.append(odds)
        self._levels.append(level_dbfs)
        if float(np.mean(list(self._odds)[-_SPEAKS_FRAMES:])) < SPEAKS:
            self._room_dbfs = -np.inf
        elif len(self._odds) == NOBODY_FRAMES and float(np.mean(self._odds)) > NOBODY:
            self._room_dbfs = max(self._room_dbfs, *list(self._levels)[:-_NEWEST])

    def hear_words(self, text: str) -> None:
        """Takes what was understood: who says new words now may be the user after all."""
        new, self._told = text != self._told, text
        if new and self._room_dbfs > -np.inf:
            self._room_dbfs = -np.inf
            self._odds.clear()
            self._levels.clear()

    def push(self, sound: np.ndarray) -> list[float]:
        """See Vad."""
        probabilities = self._vad.push(sound)
        if self._level_dbfs <= self._room_dbfs + _LOUDER_DB:
            return [0.0] * len(probabilities)
        return probabilities

    def reset(self) -> None:
        """A new session."""
        self._vad.reset()
        self._forget()
