"""The time of a node, as seconds, for code that knows no ROS."""

from __future__ import annotations

import time
from collections.abc import Callable

from rclpy.clock import Clock, ROSClock

_SIM_POLL_S = 0.005  # how often simulated time is looked at while waiting for it


class NodeClock:
    """Seconds since 1970 (or of the simulation) that never jump.

    On the system clock, time goes on from the moment of construction by the monotonic clock, so
    that a corrected wall clock does not tear a stream of frames apart. With `use_sim_time` it
    is the time on `/clock`.
    """

    def __init__(self, clock: Clock, check: Callable[[], None] = lambda: None) -> None:
        """`check` is called while simulated time is waited for: what it raises ends the wait."""
        self._check = check
        self._clock = clock
        self._offset = clock.now().nanoseconds * 1e-9 - time.monotonic()

    @property
    def _simulated(self) -> bool:
        return isinstance(self._clock, ROSClock) and self._clock.ros_time_is_active

    def now(self) -> float:
        """The time in seconds."""
        if self._simulated:
            return self._clock.now().nanoseconds * 1e-9
        return self._offset + time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Sleeps for so many seconds of this clock; not at all if that is negative.

        Simulated time that runs back (a simulation that begins anew) ends it. Simulated time may
        stand still for ever: the wait then ends when the node's thread is to stop.
        """
        if not self._simulated:
            time.sleep(max(0.0, seconds))
            return
        last = self.now()
        end = last + seconds
        while last < end:
            self._check()
            time.sleep(_SIM_POLL_S)
            now = self.now()
            if now < last:
                return
            last = now
