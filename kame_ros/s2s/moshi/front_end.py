"""The moshi front-end of one robot."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import torch

from kame_ros.oracle.chunk import Oracle
from kame_ros.s2s.front_end import FrontEnd, Step
from kame_ros.s2s.moshi.gauge import StepGauge
from kame_ros.s2s.moshi.seat import Seat
from kame_ros.s2s.moshi.slots import MoshiSlots
from kame_ros.s2s.tts_ear import Vad


class MoshiFrontEnd:
    """KAME or Moshi as a `FrontEnd`: the codec, the language model, the codec, each 80 ms.

    Owned by one thread: moshi is not thread-safe. With a `vad` it notices when the user speaks over
    the robot, and has `hear_words` and `excuse`. `clock` gives seconds and is only for the step
    times that diagnostics show; no decision depends on it.
    """

    hear_words: Callable[..., None]
    excuse: Callable[[], None]

    def __init__(
        self,
        slots: MoshiSlots,
        vad: Vad | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._slots, self._clock = slots, clock
        self._seat = Seat(slots, vad)
        if vad is not None:
            self.hear_words, self.excuse = self._seat.hear_words, self._seat.excuse
        self._gauge = StepGauge(slots.device.type)

    def warm_up(self) -> None:
        """Does slow first work before the first frame counts."""
        self._slots.warm_up()
        self._gauge.reset()

    def step(self, user: np.ndarray, oracle: Oracle | None) -> Step:
        """Hears int16[1920] at 24 kHz and speaks int16[1920] at 24 kHz, one frame behind."""
        began = self._clock()
        slot = self._seat.slot
        oracle = self._seat.listen(user, oracle)
        out = self._slots.step({slot: user}, {slot: oracle})[slot]
        self._gauge.add(self._clock() - began)
        return self._seat.speak(out)

    def interrupt(self) -> None:
        """Stops speaking and forgets the oracle being spoken; the dialogue goes on."""
        self._seat.interrupt()

    def reset(self) -> None:
        """Forgets the dialogue: the next step is the first one of a new session."""
        self._seat.reset()

    @property
    def hears_oracle(self) -> bool:
        """Whether it can be told what to say."""
        return self._slots.hears_oracle

    def complaint(self) -> str:
        """What a user should know about the speed, with advice; empty if all is well."""
        return self._gauge.complaint()

    def counters(self) -> dict[str, float]:
        """Running totals for diagnostics, by name; times are in milliseconds."""
        gpu = self._slots.device.type == 'cuda'
        return {
            'steps': self._gauge.steps,
            'slow_steps': self._gauge.slow,
            'step_ms_median': 1e3 * self._gauge.percentile(50),
            'step_ms_p99': 1e3 * self._gauge.percentile(99),
            'real_time_factor': self._gauge.real_time_factor(),
            'gpu_memory_mb': torch.cuda.max_memory_allocated() / 1e6 if gpu else 0.0,
            'oracle_stream': float(self._slots.hears_oracle),
            **self._seat.counters(),
        }


if TYPE_CHECKING:  # it is one
    _kind: type[FrontEnd] = MoshiFrontEnd
