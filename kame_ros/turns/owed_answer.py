"""Remembers whether the user still waits for an answer, and since when."""

from __future__ import annotations


class Debt:
    """The answer that is owed since a turn of the user ended. A pure policy; times in seconds."""

    def __init__(self, min_turn_s: float, patience_s: float) -> None:
        self._min_turn_s = min_turn_s
        self._patience_s = patience_s
        self._since: float | None = None
        self._excused = False

    def on_speech(self) -> None:
        """The user begins to speak."""
        self._excused = False

    def on_turn_end(self, now: float, voice_s: float) -> bool:
        """A turn with `voice_s` of voice ended; says whether it is owed an answer."""
        owed = voice_s >= self._min_turn_s and not self._excused
        self._since = now if owed else self._since
        return owed

    def excuse(self) -> None:
        """The last speech needs no answer, whether its turn has ended or not."""
        self._since, self._excused = None, True

    def settle(self) -> None:
        """The answer is given, or given up."""
        self._since = None

    def is_overdue(self, now: float) -> bool:
        """Whether the user has waited for longer than they are asked to."""
        return self._since is not None and now - self._since >= self._patience_s - 1e-6
