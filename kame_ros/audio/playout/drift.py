"""How much faster to play, so that two clocks that differ by parts per million agree. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DriftConfig:
    """A controller of second order. Seconds, rad/s and parts per million.

    `natural_rad_per_s` is its natural frequency: it settles in about 4 s over that. `settle_s`: how
    long the margin is watched before it is held. `smooth_s`: the low pass over what is observed.
    `dead_s`: an error below this is unrest. `max_ppm`: a change of pitch by 1000 ppm (1.7 cents) is
    not heard: the least that listeners notice is some 5 cents.
    """

    natural_rad_per_s: float = 0.03
    settle_s: float = 5.0
    smooth_s: float = 8.0
    dead_s: float = 0.003
    max_ppm: float = 1_000.0


class DriftFollower:
    """Holds the margin of a buffer where it was found. Margins in, ppm out; positive is faster."""

    def __init__(self, config: DriftConfig | None = None) -> None:
        self.config = config or DriftConfig()
        self.ppm = 0.0
        self._integral = 0.0  # s/s, what is known of the drift; survives a new stream
        self.restart()

    def restart(self) -> None:
        """Another place in the buffer is the right one from now on; the drift stays known."""
        self._elapsed = 0.0
        self._smooth: float | None = None
        self.goal = 0.0  # s, the margin that is held

    def update(self, margin: float, dt: float) -> float:
        """The margin of the buffer, `dt` s after the last one; returns the ppm to play with."""
        config = self.config
        weight = min(1.0, dt / config.smooth_s)
        if self._smooth is None:
            self._smooth = margin
        elif self._elapsed < config.settle_s:  # a plain mean at first
            weight = dt / (self._elapsed + dt)
        self._smooth += weight * (margin - self._smooth)
        self._elapsed += dt
        if self._elapsed < config.settle_s:
            self.goal = self._smooth
            return self.ppm
        error = self._smooth - self.goal
        error -= min(max(error, -config.dead_s), config.dead_s)
        limit = config.max_ppm * 1e-6
        self._integral += config.natural_rad_per_s**2 * error * dt
        self._integral = min(max(self._integral, -limit), limit)
        rate = self._integral + 2.0 * config.natural_rad_per_s * error
        self.ppm = min(max(rate, -limit), limit) * 1e6
        return self.ppm
