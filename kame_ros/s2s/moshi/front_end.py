"""The moshi front-end of one robot."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import torch

from kame_ros.audio.frame import FRAME_S
from kame_ros.oracle.chunk import Oracle
from kame_ros.s2s.front_end import FrontEnd, Step
from kame_ros.s2s.moshi.barge_in import BargeIn
from kame_ros.s2s.moshi.gauge import StepGauge
from kame_ros.s2s.moshi.slots import MoshiSlots
from kame_ros.s2s.moshi.user_voice import UserVoice, Vad

BARGE_IN_S = 0.48  # s of both speaking: longer than a "yes" in passing


class MoshiFrontEnd:
    """KAME or Moshi as a `FrontEnd`: the codec, the language model, the codec, each 80 ms.

    Owned by one thread: moshi is not thread-safe. With a `vad` it notices when the user speaks over
    the robot for `barge_in_s`, and forgets the oracle then. `clock` gives seconds and is only for
    the step times that diagnostics show; no decision depends on it.
    """

    def __init__(
        self,
        slots: MoshiSlots,
        vad: Vad | None = None,
        barge_in_s: float = BARGE_IN_S,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._slots, self._clock = slots, clock
        self._slot = slots.join()
        self._gauge = StepGauge(slots.device.type)
        self._user = None if vad is None else UserVoice(vad)
        self._barge_in = BargeIn(max(1, round(barge_in_s / FRAME_S)))
        self._barge_ins = 0

    def warm_up(self) -> None:
        """Does slow first work before the first frame counts."""
        self._slots.warm_up()
        self._gauge.reset()

    def step(self, user: np.ndarray, oracle: Oracle | None) -> Step:
        """Hears int16[1920] at 24 kHz and speaks int16[1920] at 24 kHz, one frame behind."""
        began = self._clock()
        self._listen(user)
        out = self._slots.step({self._slot: user}, {self._slot: oracle})[self._slot]
        self._gauge.add(self._clock() - began)
        return out

    def _listen(self, user: np.ndarray) -> None:
        if self._user is None:
            return
        if self._barge_in.feel(self._user.hear(user), self._slots.speaking(self._slot)):
            self._barge_ins += 1
            self._slots.barge_in(self._slot)

    def interrupt(self) -> None:
        """Stops speaking and forgets the oracle being spoken; the dialogue goes on."""
        self._slots.interrupt(self._slot)

    def reset(self) -> None:
        """Forgets the dialogue: the next step is the first one of a new session."""
        self._slots.reset(self._slot)
        self._barge_in.reset()
        if self._user is not None:
            self._user.reset()

    def complaint(self) -> str:
        """What a user should know about the speed, with advice; empty if all is well."""
        return self._gauge.complaint()

    def counters(self) -> dict[str, float]:
        """Running totals for diagnostics, by name; times are in milliseconds."""
        gpu = self._slots.device.type == 'cuda'
        return {
            'steps': self._gauge.steps,
            'barge_ins': self._barge_ins,
            'slow_steps': self._gauge.slow,
            'step_ms_median': 1e3 * self._gauge.percentile(50),
            'step_ms_p99': 1e3 * self._gauge.percentile(99),
            'real_time_factor': self._gauge.real_time_factor(),
            'gpu_memory_mb': torch.cuda.max_memory_allocated() / 1e6 if gpu else 0.0,
            'oracle_stream': float(self._slots.hears_oracle),
            **self._slots.counters(self._slot),
        }


if TYPE_CHECKING:  # it is one
    _kind: type[FrontEnd] = MoshiFrontEnd
