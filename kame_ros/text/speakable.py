"""Whether a text can be spoken at all, and its words as they are said, for models that read."""

from __future__ import annotations

import unicodedata

from kame_ros.text.markup import plain
from kame_ros.text.sign_names import LATIN
from kame_ros.text.spoken_words import GrowingWords, words_of

_SCRIPTS = {'CJK': 'Chinese characters', 'HIRAGANA': 'Japanese', 'KATAKANA': 'Japanese'}
_MOST_SCRIPTS = 3  # that are named in a sentence
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
        scripts = ' or '.join(_scripts(read))
        not_these = f': it reads Latin letters, not {scripts}' if scripts else ''
        return f'nothing in it can be spoken by this voice{not_these}'
    return ''


def left_out(text: str) -> str:
    """What of a text that can be spoken is not, as it is in other scripts; empty: nothing."""
    read = plain(text[:_MOST])
    if read.isascii() or not (scripts := _scripts(read)):
        return ''
    words = GrowingWords()
    words.update(read, ended=True)
    many = words.unspeakable
    if not many:
        return ''
    return f'{many} {"word" if many == 1 else "words"} in {" and ".join(scripts)} left out'


def _scripts(text: str) -> list[str]:
    """The scripts of letters that are not Latin and have no name that is read, such as pi."""
    letters = dict.fromkeys(c for c in text if c.isalpha() and c not in LATIN)
    names = (unicodedata.name(c, 'UNKNOWN').split()[0] for c in letters)
    found = dict.fromkeys(_SCRIPTS.get(name, name.capitalize()) for name in names)
    return [name for name in found if name != 'Latin'][:_MOST_SCRIPTS]


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
