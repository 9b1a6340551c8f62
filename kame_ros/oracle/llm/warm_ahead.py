"""When to let a local LLM read a changed prompt, before anybody asks."""

from __future__ import annotations

from dataclasses import dataclass

_QUIET_S = 0.5  # after the last change
_LONGEST_S = 3.0  # after the first one: facts may change for ever


@dataclass
class WarmAhead:
    """Trailing edge: once after a burst of changes, and only while nobody speaks or thinks."""

    at: float | None = None  # s, when the prompt is to be read
    _first: float | None = None

    def changed(self, t: float) -> None:
        """The beginning of the prompt is another one since `t` seconds."""
        self._first = t if self._first is None else min(self._first, t)
        self.at = min(t + _QUIET_S, max(self._first + _LONGEST_S, t))

    def take(self, t: float, idle: bool) -> bool:
        """Whether it is to be read now; while others are busy it waits."""
        if self.at is None or t < self.at:
            return False
        if not idle:
            self.at = t + _QUIET_S
            return False
        self.clear()
        return True

    def clear(self) -> None:
        """It is being read."""
        self.at = self._first = None
