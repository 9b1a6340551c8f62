"""One robot's place at a model that many robots share."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import numpy as np

from kame_ros.oracle.chunk import Oracle
from kame_ros.s2s.front_end import Step
from kame_ros.s2s.moshi.barge_in import GiveWay
from kame_ros.s2s.moshi.slots import MoshiSlots
from kame_ros.s2s.tts_barge_in import Verdict
from kame_ros.s2s.tts_ear import Vad

_STATES = ('oracle_pending', 'speaking')  # counters that tell how it is now, not totals


class Seat:
    """Takes a slot for a robot until `leave`; the owner of the model steps all seats at once.

    With a `vad` it notices when the user speaks over the robot, and has `hear_words` and `excuse`:
    see `GiveWay`. Owned by the thread that owns `slots`, but for `counters`. Raises RuntimeError
    if no slot is free.
    """

    hear_words: Callable[..., None]
    excuse: Callable[[], None]

    def __init__(self, slots: MoshiSlots, vad: Vad | None = None) -> None:
        self.slot = slots.join()
        self._slots = slots
        self._before = slots.counters(self.slot)  # what those who sat here before have counted
        self._give_way = None if vad is None else GiveWay(vad)
        self._count = dict.fromkeys(('barge_ins', 'ducks', 'false_alarms'), 0)
        if self._give_way is not None:
            self.hear_words = self._give_way.hear_words
            self.excuse = self._give_way.excuse

    @property
    def hears_oracle(self) -> bool:
        """Whether it can be told what to say."""
        return self._slots.hears_oracle

    def listen(self, user: np.ndarray, oracle: Oracle | None) -> Oracle | None:
        """Hears int16[1920] before the step that hears the same; what to say in that step."""
        if self._give_way is None:
            return oracle
        oracle = self._give_way.choose(oracle)
        verdict = self._give_way.hear(user, self._slots.speaking(self.slot), oracle)
        self._count['ducks'] += verdict is Verdict.DUCK
        self._count['false_alarms'] += verdict is Verdict.GO_ON
        if verdict is Verdict.STOP:
            self._count['barge_ins'] += 1
            self._slots.barge_in(self.slot)
        return oracle

    def speak(self, step: Step) -> Step:
        """What the robot says in a step, as loud as it is now."""
        return step if self._give_way is None else self._give_way.at_this_gain(step)

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
        return {'slot': self.slot, **self._count, **totals}
