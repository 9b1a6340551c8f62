"""The turn is over after silence: short after a whole sentence, long after one that hangs."""

from __future__ import annotations

from kame_ros.turns.end_of_turn import Decision, EndOfTurnSettings, Pause
from kame_ros.turns.sentence_end import is_complete, knows

_SLACK_S = 0.25  # s: words that end so shortly before the last voice are the last ones


class WordsAndSilence:
    """Silence and words in, whether the turn is over out. Implements `EndOfTurn`; keeps nothing."""

    def __init__(self, settings: EndOfTurnSettings | None = None) -> None:
        self.settings = settings or EndOfTurnSettings()
        self.min_silence_s = self.settings.complete_s

    def decide(self, pause: Pause) -> Decision:
        """Whether it was silent for as long as is wanted."""
        wanted_s, why = self.wanted(pause)
        return Decision(pause.silence_s >= wanted_s - 1e-6, why)

    def wanted(self, pause: Pause) -> tuple[float, str]:
        """How much silence ends the turn, as far as it is known now, in s, and why so much."""
        numbers, heard = self.settings, pause.words
        if not heard.expected:
            return numbers.complete_s, 'silence'
        words = heard.now
        if heard.noise_until >= pause.voice_end_s - _SLACK_S:
            return numbers.complete_s, 'noise'
        if words is None or not words.cover(pause.voice_end_s, _SLACK_S):
            return max(numbers.complete_s, numbers.unknown_s), 'no words'
        if is_complete(words.turn, heard.language or 'en'):
            known = knows(heard.language or 'en')
            return numbers.complete_s, 'complete' if known else 'unknown language'
        return max(numbers.complete_s, numbers.incomplete_s), 'incomplete'

    def reset(self) -> None:
        """Nothing is remembered."""
