"""When a listener hums ("mhm"): in a long turn, where a clause ends and the speaker goes on."""

from __future__ import annotations

_PAUSE_S = 0.3, 1.0  # s of silence: sooner nobody knows, later it sounds like an answer
_SURE = 0.5  # the probability that the user goes on, at least


class Hum:
    """Decides once a frame. A pure policy; times in seconds, on the clock of the frames."""

    def __init__(self, every_s: float) -> None:
        self._every_s = every_s
        self.reset()

    def reset(self) -> None:
        """A new session."""
        self._last_s = 0.0

    def is_due(
        self, now_s: float, turn_start_s: float, pause_s: float, goes_on: float, clause: bool
    ) -> bool:
        """Whether to hum now; then not again for a while.

        `goes_on`: how likely the user goes on; `clause`: whether their words may end here.
        """
        if not clause or goes_on < _SURE or not _PAUSE_S[0] <= pause_s <= _PAUSE_S[1]:
            return False
        if now_s - max(self._last_s, turn_start_s) < self._every_s:
            return False
        self._last_s = now_s
        return True
