"""LocalAgreement over words: which words will not change any more.

Two successive hypotheses that agree on a word settle it (LocalAgreement-2: Liu et al. 2020;
Machacek et al. 2023, `HypothesisBuffer` of ufal/whisper_streaming). Words compare without case
and punctuation. A word of high probability that is well before the edge of the sound is settled at
once, as in QuentinFuxa/WhisperLiveKit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from kame_ros.stt.transcript import Word


def plain(text: str) -> str:
    """A word without case, blanks and punctuation."""
    return ''.join(c for c in text.casefold() if c.isalnum())


def core(text: str) -> str:
    """A word without the punctuation after it."""
    end = len(text)
    while end and not text[end - 1].isalnum():
        end -= 1
    return text[:end]


def continuation(settled: Sequence[Word], words: Sequence[Word]) -> int:
    """How many of `words` say what `settled` says already.

    The k for which `words[:k]` is nearest to `settled` in edit distance; among equals one that
    ends in the same word, then the nearest to the count of settled words, then the smaller, so
    that no word is lost.
    """
    target = [plain(word.text) for word in settled]
    row = list(range(len(target) + 1))
    distance = [row[-1]]
    for word in words:
        text, previous = plain(word.text), row
        row = [previous[0] + 1]
        for j, expected in enumerate(target):
            row.append(
                min(previous[j] + (text != expected), previous[j + 1] + 1, row[j] + 1),
            )
        distance.append(row[-1])

    def demerit(k: int) -> tuple[int, bool, int, int]:
        same_end = bool(k and target) and plain(words[k - 1].text) == target[-1]
        return distance[k], not same_end, abs(k - len(target)), k

    return min(range(len(distance)), key=demerit)


@dataclass(frozen=True)
class AgreementConfig:
    """When a word is settled. Probabilities, and seconds before the edge of the sound.

    Two hypotheses that agree on a word need `min_probability` and `margin`, or to have agreed for
    `stable` s of sound; a single one needs `sure` and `sure_margin`. A word settled wrongly stays
    wrong: two doubtful agreements alone cost 1.5 points of word error rate (base, 10 dB noise).
    """

    min_probability: float = 0.7
    margin: float = 0.1
    stable: float = 1.9
    sure: float = 0.85
    sure_margin: float = 0.2


class Agreement:
    """Hypotheses of a growing sound in; settled words, which never change, and a tail out."""

    def __init__(self, config: AgreementConfig | None = None) -> None:
        self.config = config or AgreementConfig()
        self.settled: list[Word] = []
        self.tail: list[Word] = []
        self._since: list[float] = []  # edge at which each word of the tail was first heard

    def update(self, words: Sequence[Word], edge: float) -> None:
        """Take a hypothesis of the sound up to `edge`, s."""
        k = continuation(self.settled, words)
        self._refresh_punctuation(words[:k])
        rest = list(words[k:])
        since = [edge] * len(rest)
        agreed = 0
        for i, (new, old) in enumerate(zip(rest, self.tail, strict=False)):
            if plain(new.text) != plain(old.text):
                break
            since[i] = self._since[i]
            agreed += 1
        count = 0
        while count < len(rest) and self._is_settled(
            rest[count], count < agreed, edge - since[count], edge - rest[count].end
        ):
            count += 1
        self.settled += rest[:count]
        self.tail, self._since = rest[count:], since[count:]

    def settle(self, until: float = float('inf')) -> None:
        """Settle the words of the tail that end by `until`, s."""
        count = 0
        while count < len(self.tail) and self.tail[count].end <= until:
            count += 1
        self.settled += self.tail[:count]
        self.tail, self._since = self.tail[count:], self._since[count:]

    def finish(self, words: Sequence[Word]) -> None:
        """Take the last hypothesis: all that continues the settled words is settled."""
        self.update(words, 0.0)
        self.settle()

    def drop_tail(self) -> None:
        """Forget what is not settled."""
        self.tail, self._since = [], []

    def forget(self, count: int, seconds: float) -> list[Word]:
        """Give up the first `count` settled words; the sound loses its first `seconds`."""
        gone, kept = self.settled[:count], self.settled[count:]
        self.settled = [_earlier(word, seconds) for word in kept]
        self.tail = [_earlier(word, seconds) for word in self.tail]
        self._since = [edge - seconds for edge in self._since]
        return gone

    def _is_settled(self, word: Word, agreed: bool, stable: float, before: float) -> bool:
        config = self.config
        if not agreed:
            return word.probability >= config.sure and before >= config.sure_margin
        if stable >= config.stable - 1e-6:
            return True
        return word.probability >= config.min_probability and before >= config.margin

    def _refresh_punctuation(self, words: Sequence[Word]) -> None:
        """The punctuation after the last settled word is settled only with the next word."""
        if self.settled and words and plain(words[-1].text) == plain(self.settled[-1].text):
            last = self.settled[-1]
            ending = words[-1].text[len(core(words[-1].text)) :]
            self.settled[-1] = replace(last, text=core(last.text) + ending)


def _earlier(word: Word, seconds: float) -> Word:
    return replace(word, start=word.start - seconds, end=word.end - seconds)
