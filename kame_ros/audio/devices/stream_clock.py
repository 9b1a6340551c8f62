"""Estimates when each sample passed a sound card, from the irregular times of its blocks."""

from __future__ import annotations

import math

_JUMP_S = 0.15  # off by more: an overrun, or a device that slept
_MAX_PPM = 2_000.0  # no crystal is further off; what seems so is unrest
_SLOW_HZ = 0.02  # bandwidth once settled: a minute of unrest is averaged
_FAST_HZ = 1.0  # at the beginning


class StreamClock:
    """A delay-locked loop of second order over (samples so far, time) pairs. Pure.

    It settles on the mean lateness of the blocks and on the true rate of the device. A block that
    is off by more than 0.15 s sets it anew and is counted. Method: F. Adriaensen,
    "Using a DLL to filter time" (2005).
    """

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self.jumps = 0
        self._n: int | None = None
        self._t = 0.0
        self._period = 1.0 / rate  # s per sample, as measured
        self._elapsed = 0.0

    @property
    def ppm(self) -> float:
        """How much faster than its nominal rate the device runs, parts per million."""
        return (1.0 / (self._period * self._rate) - 1.0) * 1e6

    def update(self, n: int, t: float) -> None:
        """After `n` samples in all it was `t`."""
        if self._n is None or n <= self._n:
            self._anchor(n, t)
            return
        dn = n - self._n
        dt = dn / self._rate
        predicted = self._t + dn * self._period
        error = t - predicted
        if abs(error) > _JUMP_S:
            self.jumps += 1
            self._anchor(n, t)
            return
        self._elapsed += dt
        bandwidth = min(_FAST_HZ, max(_SLOW_HZ, 0.25 / self._elapsed))
        w = min(0.5, 2.0 * math.pi * bandwidth * dt)
        self._t = predicted + math.sqrt(2.0) * w * error
        period = self._period + w * w * error / dn
        self._period = min(max(period, self._bound(-1)), self._bound(1))
        self._n = n

    def time(self, n: int) -> float:
        """When sample `n` passed, or will; needs one `update` at least."""
        assert self._n is not None, 'no block has passed yet'
        return self._t + (n - self._n) * self._period

    def _anchor(self, n: int, t: float) -> None:
        self._n, self._t, self._elapsed = n, t, 0.0

    def _bound(self, sign: int) -> float:
        return (1.0 + sign * _MAX_PPM * 1e-6) / self._rate
