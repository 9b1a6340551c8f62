"""Finds the delay that a calm stream does not need. Pure."""

from __future__ import annotations

from collections import deque

_TICKS = 12  # of which the least margin counts: a second
_CALM_TICKS = 250  # without a hole, 20 s: what a hole has added may be needed again before that
_LEAST_S = 0.008  # less is unrest
_STEP_S = 0.015  # in one tick: listeners to what is played follow such a step


class SpareMargin:
    """A stream begins at whichever tick comes, and so up to a frame later than its target asks.

    What is left above the target in each tick of the last second is spare, unless a hole was heard
    in the last 20 s.
    """

    def __init__(self) -> None:
        self._margins: deque[float] = deque(maxlen=_TICKS)
        self._calm = _CALM_TICKS
        self._holes = 0.0

    def restart(self) -> None:
        """Nothing is played."""
        self._margins.clear()

    def update(self, margin: float, target: float, holes: float) -> float:
        """Seconds that may be left out in this tick, of so many holes so far; 0: none."""
        if holes != self._holes:
            self._holes, self._calm = holes, 0
            self._margins.clear()
        self._calm += 1
        self._margins.append(margin)
        if self._calm < _CALM_TICKS or len(self._margins) < _TICKS:
            return 0.0
        spare = min(self._margins) - target
        return min(spare, _STEP_S) if spare >= _LEAST_S else 0.0

    def left_out(self, seconds: float) -> None:
        """So much was left out: all margins are less by that."""
        self._margins = deque((m - seconds for m in self._margins), maxlen=_TICKS)
