"""Tokenises a text that is still being written, so that any chunking gives the same tokens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Encode = Callable[[str], list[int]]


def known_tokens(tokenizer: Any) -> Encode:
    """Encodes with a SentencePieceProcessor, and leaves out what it has no piece for."""
    return lambda text: [t for t in tokenizer.encode(text) if not tokenizer.is_unknown(t)]


class GrowingText:
    """Gives the tokens of a growing text that no later text can change.

    The last word is held back until a space follows or the text ends: SentencePiece never puts two
    words into one piece, and finds its way from left to right, so the tokens of all words before
    are final. The reference strips and tokenises each chunk alone, which breaks words in two
    (SakanaAI/kame, server_oracle.py). The whole text is encoded each time: it is a few sentences.
    """

    def __init__(self, encode: Encode) -> None:
        self._encode = encode
        self._text = ''
        self._sure = ''
        self._tokens: list[int] = []

    @property
    def text(self) -> str:
        """The text as far as it was given, without spaces at its end."""
        return self._text

    @property
    def tokens(self) -> list[int]:
        """All tokens that are final."""
        return self._tokens

    def update(self, text: str, ended: bool) -> list[int]:
        """Takes the whole text so far and gives the tokens that became final with it.

        Raises ValueError if `text` does not begin with the text of the last call.
        """
        if not text.startswith(self._text):
            raise ValueError('a growing text cannot change what it has said')
        self._text = text.rstrip(' ')
        sure = text if ended else _whole_words(text)
        if sure == self._sure:
            return []
        self._sure = sure
        tokens = self._encode(sure)
        new = tokens[len(self._tokens) :]
        self._tokens = tokens
        return new


def _whole_words(text: str) -> str:
    """The text up to the last space, without the spaces at its end."""
    end = text.rfind(' ')
    return text[:end].rstrip(' ') if end >= 0 else ''
