"""Whether the user has said all that he wanted to say. A pure policy."""

from __future__ import annotations

from dataclasses import dataclass

from kame_ros.s2s.tts_words import WordsHeard, is_complete


@dataclass(frozen=True)
class TurnEndConfig:
    """Seconds of silence that end a turn: after a complete sentence, or where nobody transcribes
    (`complete_s`); while the words are still awaited (`unknown_s`, at most); after a sentence that
    hangs in the air (`incomplete_s`).
    """

    complete_s: float = 0.6
    unknown_s: float = 1.2
    incomplete_s: float = 1.8


class TurnEnd:
    """Silence and words in, whether the turn is over out."""

    def __init__(self, config: TurnEndConfig | None = None) -> None:
        self.config = config or TurnEndConfig()

    def is_over(self, silence: float, voice_end: float, heard: WordsHeard) -> bool:
        """`silence` s have passed since the last voice at `voice_end`."""
        return silence >= self.wanted(voice_end, heard) - 1e-6

    def wanted(self, voice_end: float, heard: WordsHeard) -> float:
        """How much silence ends the turn, as far as it is known now, s."""
        config = self.config
        if not heard.expected:
            return config.complete_s
        words = heard.now
        if heard.noise_until >= voice_end - 0.25:
            return config.complete_s
        if words is None or not words.cover(voice_end):
            return max(config.complete_s, config.unknown_s)
        if is_complete(words.turn):
            return config.complete_s
        return max(config.complete_s, config.incomplete_s)
