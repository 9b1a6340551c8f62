"""A clock on which time passes only while somebody sleeps."""

from __future__ import annotations


class VirtualClock:
    """Only sleeping moves it, and each sleep is cut short once, as a signal would do."""

    def __init__(self) -> None:
        self.t = 100.0
        self.short = False

    def __call__(self) -> float:
        return self.t

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.short = not self.short
        self.t += seconds / 2 if self.short else seconds
