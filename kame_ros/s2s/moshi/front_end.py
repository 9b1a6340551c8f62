"""The `moshi` front-end: a KAME or Moshi model hears and speaks for one robot."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch

from kame_ros.runtime.step_times import StepTimes
from kame_ros.s2s import too_slow
from kame_ros.s2s.front_end import FrontEnd, Step
from kame_ros.s2s.moshi.seat import Seat
from kame_ros.s2s.moshi.slots import MoshiSlots
from kame_ros.turns.barge_in import BargeInProfile
from kame_ros.turns.end_of_turn import EndOfTurn
from kame_ros.turns.profiles.moshi import MOSHI
from kame_ros.turns.vad import Vad
from kame_ros.wire.frame import FRAME_S
from kame_ros.wire.oracle import Oracle


class MoshiFrontEnd(Seat, FrontEnd):
    """KAME or Moshi as a `FrontEnd`: the codec, the language model, the codec, each 80 ms.

    Owned by one thread: moshi is not thread-safe. With a `vad` it notices when the user speaks over
    the robot. `clock` gives seconds and is only for the step times that diagnostics show; no
    decision depends on it.
    """

    def __init__(
        self,
        slots: MoshiSlots,
        vad: Vad | None = None,
        profile: BargeInProfile = MOSHI,
        end_of_turn: EndOfTurn | None = None,
        speak: str = 'always',
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        super().__init__(slots, vad, profile, end_of_turn, speak)
        self._clock = clock
        self._times = StepTimes(FRAME_S)

    def warm_up(self) -> None:
        """Does slow first work before the first frame counts."""
        self._slots.warm_up()
        self._times.reset()

    def step(self, user: np.ndarray, oracle: Oracle | None) -> Step:
        """Hears int16[1920] at 24 kHz and speaks int16[1920] at 24 kHz, one frame behind."""
        began = self._clock()
        oracle = self.listen(user, oracle)
        out = self._slots.step({self.slot: user}, {self.slot: oracle})[self.slot]
        self._times.add(self._clock() - began)
        return self.speak(out)

    def close(self) -> None:
        """The end of use: gives back the memory of the model."""
        self._slots.stop()

    def complaint(self) -> str:
        """What a user should know about the speed, with advice; empty if all is well."""
        return too_slow.complaint(self._times, self._slots.device.type)

    def counters(self) -> dict[str, float]:
        """Running totals for diagnostics, by name; times are in milliseconds."""
        gpu = self._slots.device.type == 'cuda'
        return {
            **self._times.counters(),
            'gpu_memory_mb': torch.cuda.max_memory_allocated(self._slots.device) / 1e6
            if gpu
            else 0.0,
            'oracle_stream': float(self._slots.hears_oracle),
            **super().counters(),
        }
