"""The turn is over after the same silence, whatever was said."""

from __future__ import annotations

from kame_ros.turns.end_of_turn import Decision, EndOfTurnSettings, Pause


class Silence:
    """Silence in, whether the turn is over out. Implements `EndOfTurn`; keeps nothing."""

    def __init__(self, settings: EndOfTurnSettings | None = None) -> None:
        self.min_silence_s = (settings or EndOfTurnSettings()).complete_s

    def decide(self, pause: Pause) -> Decision:
        """Whether it was silent for long enough."""
        return Decision(pause.silence_s >= self.min_silence_s - 1e-6, 'silence')

    def reset(self) -> None:
        """Nothing is remembered."""
