"""Ends an answer that gets too long: at a sentence where there is one, or else at a clause."""

from __future__ import annotations

from kame_ros.text.lists import word_set
from kame_ros.text.spoken_words import SpokenWord

# A cut is not made behind these; nor behind an abbreviation.
_HANGING = word_set(
    """
    a an the this these those my your his her its our their some any every and or but nor
    because if when while although though until since as than which who whose whom where what
    how why that to of at by for with from into onto between without within during in on is
    are was were be been do does did has have had can could will would shall should may might
    must very not no so such about near plus minus times equals
    """
)


class AnswerLimit:
    """Ends an answer after at most `max_words` spoken words.

    Words pass at once while the answer is short; from two thirds of the limit on they wait until
    it is known that more than their clause fits. Once a sentence has ended (not one as short as
    "Sure!") a further one passes only as a whole. An answer whose sentence does not fit is cut
    behind the last clause that fits, or else behind a word, and closed with a full stop.
    """

    def __init__(self, max_words: int) -> None:
        self._max = max_words
        self._count = 0  # spoken words that are known
        self._passed = False  # some were given out
        self._opening = True  # no sentence has ended that would do as an answer
        self._held: list[tuple[SpokenWord, str]] = []
        self.done = False  # nothing more will pass

    def push(self, word: SpokenWord, text: str) -> list[str]:
        """Takes a word, and how it is written, and returns what may be said now."""
        if self.done:
            return []
        size = len(word.speech.split())
        if self._count + size > self._max and (self._passed or self._held or not self._opening):
            self.done = True
            return self._cut() if self._opening else []
        self._count += size
        self._held.append((word, text))
        if self._opening and self._count >= self._max:
            self.done = True
            return self._release() if word.stop else self._cut()
        if word.stop:
            self._opening = self._opening and self._count < self._max // 4
            return self._release()
        if self._opening and self._count <= self._max * 2 // 3:
            return self._release()
        if self._opening and word.pause:  # the clause before it can no longer be the last
            return self._release(self._last_pause(len(self._held) - 1))
        return []

    def flush(self) -> list[str]:
        """Returns the words of the last sentence; the answer is complete."""
        return [] if self.done else self._release()

    def _release(self, size: int | None = None) -> list[str]:
        texts = [text for _, text in self._held[:size]]
        self._held = self._held[size:] if size is not None else []
        self._passed = self._passed or bool(texts)
        return texts

    def _last_pause(self, before: int) -> int:
        """Where the last clause that ends among the first `before` held words ends, or 0."""
        return max((n + 1 for n in range(before) if self._held[n][0].pause), default=0)

    def _cut(self) -> list[str]:
        del self._held[self._last_pause(len(self._held)) or len(self._held) :]
        while len(self._held) > (not self._passed) and self._hangs(self._held[-1][0]):
            self._held.pop()
        if not self._held:
            return ['.'] if self._passed else []
        texts = [text for _, text in self._held]
        self._held = []
        texts[-1] = texts[-1].rstrip('.,;:-–—') + '.'
        return texts

    @staticmethod
    def _hangs(word: SpokenWord) -> bool:
        bare = word.text.rstrip('"\')”’')
        return word.key in _HANGING or word.broken or (bare.endswith('.') and not word.stop)
