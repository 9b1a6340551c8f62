"""Ticks every 80 ms of a clock, for sources and sinks that have no device to set the rhythm."""

from __future__ import annotations

from collections.abc import Callable

from kame_ros.wire.frame import FRAME_S

Clock = Callable[[], float]  # seconds; only differences count
Sleep = Callable[[float], None]  # seconds
_BACK_S = 1.0  # a tick that is so far away is one of a time that has gone: the clock was set back
_AHEAD_S = 10.0  # a tick missed by so much was not missed: the clock was set forward


class Pacer:
    """Waits for the ticks k * 80 ms after `start()`; never returns before a tick's time.

    A tick that is asked for after its time returns at once, so that the rhythm has no drift; it is
    counted in `late` when it was missed by more than a frame. A clock that jumps (a simulation that
    begins anew) is followed: the tick is now, and `t0` is moved; that is counted in `jumps`.
    """

    def __init__(self, clock: Clock, sleep: Sleep) -> None:
        self._clock = clock
        self._sleep = sleep
        self.t0 = 0.0  # when the first tick was
        self.late = 0
        self.jumps = 0
        self.max_late_s = 0.0

    def start(self) -> float:
        """Sets tick 0 to now and returns its time."""
        self.t0 = self._clock()
        return self.t0

    def wait(self, tick: float) -> float:
        """Blocks until tick `tick` and returns that tick's time."""
        due = self.t0 + tick * FRAME_S
        while (left := due - self._clock()) > 0:
            if left > _BACK_S:
                return self._jump(left)
            self._sleep(left)
        if -left > _AHEAD_S:
            return self._jump(left)
        self.max_late_s = max(self.max_late_s, -left)
        self.late += -left > FRAME_S
        return due

    def _jump(self, left: float) -> float:
        """Makes a tick that is `left` s away be now, and returns its time."""
        self.jumps += 1
        self.t0 -= left
        return self._clock()
