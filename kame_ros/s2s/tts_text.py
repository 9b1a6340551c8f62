"""From the text of a language model to words that can be read, spoken and compared."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_MAX_LETTERS = 30  # of one word given to the voice: a longer one is no word
_ABBREVIATIONS = frozenset(
    ('dr', 'mr', 'mrs', 'ms', 'prof', 'st', 'jr', 'sr', 'vs', 'approx', 'e.g', 'i.e')
)
_SYMBOLS = {'&': 'and', '+': 'plus', '=': 'equals', '%': 'percent', '@': 'at', '°': 'degrees'}
_LINK = re.compile(r'\]\([^)\s]*\)?')  # the address of a Markdown link
_MARKS = re.compile(r'[*`~#|<>\[\]{}\\^]')  # what Markdown and HTML add to a word
_URL = re.compile(r'(?:https?|ftp|file)://(?:www\.)?|www\.', re.IGNORECASE)
_EMAIL = re.compile(r'[^@\s]+@[^@\s]+\.[^@\s]+')
_CLOSERS = '"\'”’)]»'


@dataclass(frozen=True)
class SpokenWord:
    """A word of the text.

    `text` is for reading, `speech` for the voice, `key` for comparing (no case, no punctuation).
    `pause` and `stop` say whether a clause, or a sentence, ends here.
    """

    text: str
    speech: str
    key: str
    pause: bool = False
    stop: bool = False


def words_of(text: str, ended: bool) -> list[SpokenWord]:
    """The words of a growing text; the last one is held back while it may still grow.

    What cannot be spoken (emoji, Markdown, control characters, scripts that the voice does not
    know) is left out.
    """
    tokens = text.split()
    if tokens and not ended and not text[-1].isspace():
        tokens.pop()
    words: list[SpokenWord] = []
    for token in tokens:
        word = _word(token)
        if word is not None:
            words.append(word)
        elif words and token.strip('*_') in {'-', '–', '—', '--', '...', '…', ':', ','}:
            words[-1] = _with_pause(words[-1])
    return words


def _with_pause(word: SpokenWord) -> SpokenWord:
    return SpokenWord(word.text, word.speech, word.key, True, word.stop)


def _word(token: str) -> SpokenWord | None:
    text = readable(token)
    speech = speakable(text)
    key = ''.join(c for c in _plain(text) if c.isalnum()) or ''.join(speech.split())
    if not speech or not key:
        return None
    bare = text.rstrip(_CLOSERS)
    stop = bare.endswith(('.', '!', '?', '…')) and not _is_abbreviation(bare)
    return SpokenWord(text, speech, key, stop or bare.endswith((',', ';', ':', '—', '–')), stop)


def _is_abbreviation(bare: str) -> bool:
    """Whether the point belongs to the word, as in "Dr." and "J."."""
    stem = bare[:-1].lstrip('("\'“‘')
    return bare.endswith('.') and (
        stem.casefold() in _ABBREVIATIONS or (len(stem) == 1 and stem.isalpha() and stem != 'I')
    )


def _plain(text: str) -> str:
    """Without case and accents."""
    decomposed = unicodedata.normalize('NFKD', text.casefold())
    return ''.join(c for c in decomposed if not unicodedata.combining(c))


def readable(token: str) -> str:
    """A word without what is only markup or picture."""
    token = ''.join(c for c in unicodedata.normalize('NFC', token) if _is_text(c))
    if _URL.match(token):
        return token
    token = _MARKS.sub('', _LINK.sub('', token).replace('_', ' '))
    return ' '.join(token.split())


def _is_text(c: str) -> bool:
    if c in '°':
        return True
    if '\ufe00' <= c <= '\ufe0f' or c == '\u20e3':  # parts of emoji
        return False
    category = unicodedata.category(c)
    return category[0] != 'C' and category not in ('So', 'Sk')


def speakable(text: str) -> str:
    """What the voice is given for a readable word; numbers, units and times are its own affair."""
    bare = text.strip('.,;:!?…—–-' + _CLOSERS + '(“‘«')
    if bare in _SYMBOLS:
        return _SYMBOLS[bare]
    tail = text[len(text.rstrip('.,;:!?…' + _CLOSERS)) :]
    if (address := _URL.match(bare)) is not None:
        text = re.split(r'[/?#]', bare[address.end() :])[0].replace('.', ' dot ') + tail
    elif _EMAIL.fullmatch(bare):
        text = bare.replace('@', ' at ').replace('.', ' dot ') + tail
    if any(c.isalpha() for c in text):
        text = re.sub(r'[/_+=]', ' ', text)
    text = unicodedata.normalize('NFKC', text)
    text = re.sub(rf'([^\W\d_]{{{_MAX_LETTERS}}})[^\W\d_]+', r'\1', text)
    speaks = any(c.isascii() and c.isalnum() for c in _plain(text))
    return ' '.join(text.split()) if speaks else ''
