"""Text tokens of the inner monologue to pieces of text, with the spaces where they belong."""

from __future__ import annotations

import codecs
from collections.abc import Collection
from typing import Any

SPACE = '\u2581'  # what SentencePiece writes for a space


class Monologue:
    """Gives the text of one token after another; joined, it is the text that is spoken.

    `silent` are tokens that stand for no text (padding). Bytes of a character that is not in the
    vocabulary are held back until it is whole.
    """

    def __init__(self, tokenizer: Any, silent: Collection[int]) -> None:
        self._tokenizer = tokenizer
        self._silent = frozenset(silent)
        self.reset()

    def reset(self) -> None:
        """Forgets everything: the next token is the first of a session."""
        self._bytes = codecs.getincrementaldecoder('utf-8')(errors='replace')
        self._first = True

    def text(self, token: int) -> str:
        """The text of this frame's token, often empty."""
        if token < 0 or token in self._silent:
            return ''
        if token >= self._tokenizer.vocab_size() or self._tokenizer.is_control(token):
            return ''
        piece = self._tokenizer.id_to_piece(token)
        if self._tokenizer.is_byte(token):
            text = self._bytes.decode(bytes([int(piece[1:-1], 16)]))
        elif self._tokenizer.is_unknown(token):
            return ''
        else:
            text = self._bytes.decode(b'', final=True) + piece.replace(SPACE, ' ')
            self._bytes.reset()
        if self._first and text:
            self._first = False
            return text.removeprefix(' ')
        return text
