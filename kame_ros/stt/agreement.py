"""LocalAgreement over words: which words of the newest decode will hardly change any more.

Two successive hypotheses that agree on a word make it stable (LocalAgreement-2: Liu et al. 2020;
Machacek et al. 2023, `HypothesisBuffer` of ufal/whisper_streaming). Words compare without case
and punctuation. A word of high probability that is well before the edge of the sound is stable at
once, as in QuentinFuxa/WhisperLiveKit. Stable is not settled: as long as the sound is there, the
newest decode replaces all that was heard in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from kame_ros.wire.transcript import Word


def plain(text: str) -> str:
    """A word without case, blanks and punctuation."""
    return ''.join(c for c in text.casefold() if c.isalnum())


def core(text: str) -> str:
    """A word without the punctuation after it."""
    end = len(text)
    while end and not text[end - 1].isalnum():
        end -= 1
    return text[:end]


def has_number(text: str) -> bool:
    """Whether a digit is in it, of any script: what follows may belong to the same number."""
    return any(c.isnumeric() for c in text)


@dataclass(frozen=True)
class AgreementConfig:
    """When a word is stable. Probabilities, and seconds before the edge of the sound.

    Two hypotheses that agree on a word need `min_probability` and `margin_s`, or to have agreed for
    `stable_s` of sound; a single one needs `sure_probability` and `sure_margin_s`.
    """

    min_probability: float = 0.7
    margin_s: float = 0.1
    stable_s: float = 1.9
    sure_probability: float = 0.85
    sure_margin_s: float = 0.2


class Agreement:
    """Hypotheses of a growing sound in; the newest one out, and how much of it is stable."""

    def __init__(self, config: AgreementConfig | None = None) -> None:
        self.config = config or AgreementConfig()
        self.words: list[Word] = []  # the newest hypothesis, all of it
        self.stable = 0  # so many of its first words
        self._since: list[float] = []  # edge at which each word was first heard

    def update(self, words: Sequence[Word], edge: float) -> None:
        """Take a hypothesis of the sound up to `edge`, s."""
        since: list[float | None] = [None] * len(words)
        old = [plain(word.text) for word in self.words]
        new = [plain(word.text) for word in words]
        for block in SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks():
            since[block.b : block.b + block.size] = self._since[block.a : block.a + block.size]
        self.words = list(words)
        self._since = [edge if t is None else t for t in since]
        self.stable = 0
        for word, t in zip(words, since, strict=True):
            stable_for = None if t is None else edge - t
            if not self._is_stable(word, stable_for, edge - word.end):
                break
            self.stable += 1

    @property
    def stable_until(self) -> float:
        """The end of the last stable word, s; 0 without one."""
        return self.words[self.stable - 1].end if self.stable else 0.0

    def drop_unstable(self) -> None:
        """Forget the words that are not stable."""
        del self.words[self.stable :], self._since[self.stable :]

    def forget(self, count: int, seconds: float) -> list[Word]:
        """Give up the first `count` words; the sound loses its first `seconds`."""
        gone = self.words[:count]
        self.words = [_earlier(word, seconds) for word in self.words[count:]]
        self._since = [edge - seconds for edge in self._since[count:]]
        self.stable = max(0, self.stable - count)
        return gone

    def _is_stable(self, word: Word, agreed_for: float | None, before: float) -> bool:
        config = self.config
        if agreed_for is None:
            return word.probability >= config.sure_probability and before >= config.sure_margin_s
        if agreed_for >= config.stable_s - 1e-6:
            return True
        return word.probability >= config.min_probability and before >= config.margin_s


def _earlier(word: Word, seconds: float) -> Word:
    return replace(word, start=word.start - seconds, end=word.end - seconds)
