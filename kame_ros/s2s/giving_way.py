"""What front-ends have in common whose model hears the user while it speaks: they may give way."""

from __future__ import annotations

import numpy as np

from kame_ros.s2s.front_end import Event, Speaker
from kame_ros.turns.barge_in import Verdict
from kame_ros.turns.give_way import GiveWay
from kame_ros.wire.oracle import Oracle
from kame_ros.wire.turn import TurnKind


class GivingWay(Speaker):
    """Tells a `GiveWay`, if there is one, what it has to know, and counts what it decides."""

    def __init__(self, give_way: GiveWay | None) -> None:
        self._give_way = give_way
        self._count = dict.fromkeys(('barge_ins', 'ducks', 'false_alarms'), 0)

    @property
    def judges_barge_in(self) -> bool:
        """Whether it hears for itself when the user speaks over it."""
        return self._give_way is not None

    def hear_words(
        self, utterance: int, text: str, start: float, end: float, final: bool = True
    ) -> None:
        """The user's words so far; times in seconds before the end of the last frame heard."""
        if self._give_way is not None:
            self._give_way.hear_words(utterance, text, start, end, final)

    def hear_language(self, language: str) -> None:
        """The language of the words that come next."""
        if self._give_way is not None:
            self._give_way.hear_language(language)

    def excuse(self) -> None:
        """The user's last speech was noise."""
        if self._give_way is not None:
            self._give_way.excuse()

    def _stops(self, way: GiveWay, user: np.ndarray, speaks: bool, oracle: Oracle | None) -> bool:
        """Whether the user, of whom int16[1920] are heard, takes the floor from the robot."""
        verdict = way.hear(user, speaks, oracle)
        self._count['ducks'] += verdict is Verdict.DUCK
        self._count['false_alarms'] += verdict is Verdict.GO_ON
        self._count['barge_ins'] += verdict is Verdict.STOP
        return verdict is Verdict.STOP

    @staticmethod
    def _turn_events(way: GiveWay) -> list[Event]:
        """What became of the user's turn in the last frame."""
        told = []
        if way.taken_back:
            told.append(Event(TurnKind.TAKEN_BACK, before_s=way.since_end_s))
        if way.turn_ended:
            told.append(Event(TurnKind.TURN_ENDED, before_s=0.0))
        return told
