"""The turn is over when its melody says so; else after a long silence. Any language, no words."""

from __future__ import annotations

from kame_ros.turns.end_listener import ASKED_AFTER_S, EndListener
from kame_ros.turns.end_of_turn import Decision, EndOfTurnSettings, Pause
from kame_ros.turns.smart_turn import SmartTurn

_SURE = 0.7  # from where the answer counts; the threshold of a quickness of 0.5
_SPREAD = 0.5  # by how much patience and haste move it


class Acoustic:
    """Sound in, whether the turn is over out. Implements `EndOfTurn`."""

    def __init__(
        self, settings: EndOfTurnSettings | None = None, listener: EndListener | None = None
    ) -> None:
        """Loads the model. Raises MissingWeights, CorruptWeights, or ImportError."""
        settings = settings or EndOfTurnSettings()
        self._listener = listener or EndListener(SmartTurn())
        self._longest_s = max(settings.complete_s, settings.incomplete_s)
        self._sure = _SURE + _SPREAD * (0.5 - settings.quickness)
        self.min_silence_s = ASKED_AFTER_S

    def decide(self, pause: Pause) -> Decision:
        """Whether the melody says so, or nothing was said for long."""
        over = self._listener.hear(pause)
        if over is not None and over >= self._sure:
            return Decision(True, 'melody')
        return Decision(pause.silence_s >= self._longest_s - 1e-6, 'silence')

    def reset(self) -> None:
        """A new session."""
        self._listener.reset()
