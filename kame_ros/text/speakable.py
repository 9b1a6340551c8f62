"""Whether a text can be spoken at all, and its words as they are said, for models that read."""

from __future__ import annotations

import unicodedata

from kame_ros.text.markup import plain
from kame_ros.text.spoken_words import GrowingWords, words_of

_MOST = 20_000  # characters that are looked at: what is longer has words before that


def why_not(text: str) -> str:
    """Why no word of a text can be spoken; empty if one can."""
    text = text[:_MOST]
    if all(c.isspace() or unicodedata.category(c)[0] == 'C' for c in text):
        return 'there is nothing to say'
    read = plain(text)
    if not read.strip() and any(c.isalnum() for c in text):
        return 'there is nothing to say: it is markup, reasoning or the call of a tool'
    if not words_of(read, ended=True):
        return 'nothing in it can be spoken by this voice'
    return ''


class SpokenText:
    """A growing text as it is said, for a model that turns text into tokens itself.

    "−5 °C" is given as "minus 5 degrees Celsius". It only ever grows, as the text does.
    """

    def __init__(self) -> None:
        self._words = GrowingWords()
        self._written = self._spoken = ''
        self._said = 0
        self._ended = False

    def update(self, text: str, ended: bool) -> str:
        """The text so far as it is said; a text that does not continue the last starts anew."""
        if (text, ended) == (self._written, self._ended):
            return self._spoken
        if self._ended or not text.startswith(self._written):
            self._words, self._spoken, self._said = GrowingWords(), '', 0
        self._written, self._ended = text, ended
        words = self._words.update(text, ended)
        for word in words[self._said :]:
            self._spoken += f'{word.speech} '
        self._said = len(words)
        return self._spoken.rstrip() if ended else self._spoken
