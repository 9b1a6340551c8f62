"""One robot's place at a model that many robots share."""

from __future__ import annotations

import contextlib

import numpy as np

from kame_ros.audio.frame import FRAME_S
from kame_ros.s2s.moshi.barge_in import BargeIn
from kame_ros.s2s.moshi.slots import MoshiSlots
from kame_ros.s2s.moshi.user_voice import UserVoice, Vad

BARGE_IN_S = 0.48  # s of both speaking: longer than a "yes" in passing
_STATES = ('oracle_pending', 'speaking')  # counters that tell how it is now, not totals


class Seat:
    """Takes a slot for a robot until `leave`; the owner of the model steps all seats at once.

    With a `vad` it notices when the user speaks over the robot, and forgets the oracle then. Owned
    by the thread that owns `slots`, but for `counters`. Raises RuntimeError if no slot is free.
    """

    def __init__(
        self, slots: MoshiSlots, vad: Vad | None = None, barge_in_s: float = BARGE_IN_S
    ) -> None:
        self.slot = slots.join()
        self._slots = slots
        self._before = slots.counters(self.slot)  # what those who sat here before have counted
        self._user = None if vad is None else UserVoice(vad)
        self._barge_in = BargeIn(max(1, round(barge_in_s / FRAME_S)))
        self._barge_ins = 0
        self._listen_anew()

    def listen(self, user: np.ndarray) -> None:
        """Hears int16[1920] before the step that hears the same."""
        if self._user is None:
            return
        if self._barge_in.feel(self._user.hear(user), self._slots.speaking(self.slot)):
            self._barge_ins += 1
            self._slots.barge_in(self.slot)

    def interrupt(self) -> None:
        """Stops speaking and forgets the oracle being spoken; the dialogue goes on."""
        self._slots.interrupt(self.slot)

    def reset(self) -> None:
        """Forgets the dialogue: the next step is the first one of a new session."""
        self._slots.reset(self.slot)
        self._listen_anew()

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
        return {'slot': self.slot, 'barge_ins': self._barge_ins, **totals}

    def _listen_anew(self) -> None:
        self._barge_in.reset()
        if self._user is not None:
            self._user.reset()
