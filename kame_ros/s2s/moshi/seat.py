"""One robot's place at a model that many robots share."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import numpy as np

from kame_ros.s2s.front_end import Step
from kame_ros.s2s.giving_way import GivingWay
from kame_ros.s2s.moshi.slots import MoshiSlots
from kame_ros.turns.barge_in import BargeInProfile
from kame_ros.turns.end_of_turn import EndOfTurn
from kame_ros.turns.give_way import GiveWay
from kame_ros.turns.profiles.moshi import MOSHI
from kame_ros.turns.vad import Vad
from kame_ros.wire.oracle import Oracle

_STATES = (
    'oracle_pending',
    'oracle_recall',
    'speaking',
)  # counters that tell how it is now, not totals


class Seat(GivingWay):
    """Takes a slot for a robot until `leave`; the owner of the model steps all seats at once.

    With a `vad` it notices when the user speaks over the robot: see `GiveWay`. Owned by the
    thread that owns `slots`, but for `counters`. Raises RuntimeError if no slot is free.
    """

    def __init__(
        self,
        slots: MoshiSlots,
        vad: Vad | None = None,
        profile: BargeInProfile = MOSHI,
        end_of_turn: EndOfTurn | None = None,
        speak: str = 'always',
    ) -> None:
        self.slot = slots.join()
        self._slots = slots
        self._before = slots.counters(self.slot)  # what those who sat here before have counted
        super().__init__(None if vad is None else GiveWay(vad, profile, end_of_turn, speak))

    @property
    def hears_oracle(self) -> bool:
        """Whether it can be told what to say."""
        return self._slots.hears_oracle

    def listen(self, user: np.ndarray, oracle: Oracle | None) -> Oracle | None:
        """Hears int16[1920] before the step that hears the same; what to say in that step."""
        if self._give_way is None:
            return oracle
        oracle = self._give_way.choose(oracle)
        if self._stops(self._give_way, user, self._slots.speaking(self.slot), oracle):
            self._slots.barge_in(self.slot)
        if self._give_way.may_speak:
            return oracle
        self._slots.hush(self.slot)
        return None  # it is fed when it can be heard: from its first word

    def speak(self, step: Step) -> Step:
        """What the robot says in a step, as loud as it is now."""
        if self._give_way is None:
            return step
        told = self._turn_events(self._give_way)
        return replace(step, gain=self._give_way.gain, events=(*told, *step.events))

    def keep_silent(self) -> None:
        """Nothing is to be heard in the next step: the model is given padding for its text."""
        self._slots.hush(self.slot)

    def interrupt(self) -> None:
        """Stops speaking and forgets the oracle being spoken; the dialogue goes on."""
        self._slots.interrupt(self.slot)
        if self._give_way is not None:
            self._give_way.calm()

    def reset(self) -> None:
        """Forgets the dialogue: the next step is the first one of a new session."""
        self._slots.reset(self.slot)
        if self._give_way is not None:
            self._give_way.reset()

    def leave(self) -> None:
        """Frees the slot; nothing of the dialogue reaches who takes it next."""
        self._slots.leave(self.slot)

    def counters(self) -> dict[str, float]:
        """Running totals since the robot sat down, by name; none once it has left."""
        now: dict[str, float] = {}
        with contextlib.suppress(KeyError):  # it leaves in this moment
            now = self._slots.counters(self.slot)
        totals = {
            name: value - (0 if name in _STATES else self._before[name])
            for name, value in now.items()
        }
        own = self._give_way.counters() if self._give_way is not None else {}
        return {'slot': self.slot, **self._count, **own, **totals}
