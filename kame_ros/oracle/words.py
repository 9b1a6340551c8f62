"""Whole words, whatever pieces they come in."""

from __future__ import annotations

import re
import unicodedata

# Scripts written without spaces: a word may end after any of these characters.
_UNSPACED = re.compile(r'[\u3000-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uff00-\uffef]')


class WordRechunker:
    """Joins the pieces of a stream into whole words.

    Tokenising piece by piece splits words ("un|believ|able" becomes three), so a word leaves only
    when the next space, or the end, shows that it is complete. Each word after the first begins
    with its space: joined as they are, the words give the text with single spaces.
    """

    def __init__(self) -> None:
        self._rest = ''
        self._begun = False

    def push(self, piece: str) -> list[str]:
        """Takes a piece of text and returns the words that are complete."""
        self._rest += piece
        cut = self._last_boundary()
        done, self._rest = self._rest[:cut], self._rest[cut:]
        return self._spaced(done)

    def flush(self) -> list[str]:
        """Returns the last word; the stream is over."""
        done, self._rest = self._rest, ''
        return self._spaced(done)

    def _last_boundary(self) -> int:
        for i in range(len(self._rest), 0, -1):
            if self._rest[i - 1].isspace() or _UNSPACED.match(self._rest[i - 1]):
                return i
        return 0

    def _spaced(self, text: str) -> list[str]:
        words = []
        for word in text.split():
            words.append(f' {word}' if self._begun else word)
            self._begun = True
        return words


def normalise(text: str) -> str:
    """The text as it is compared: lower case, words only, single spaces."""
    text = unicodedata.normalize('NFKC', text).lower()
    text = re.sub(r"[’']", '', text)
    return ' '.join(re.findall(r'\w+', text))


def word_count(text: str) -> int:
    """The number of words in the text."""
    return len(normalise(text).split())
