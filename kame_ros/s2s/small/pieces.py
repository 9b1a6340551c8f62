"""Pieces of pronunciation: the tokens in which kame-small reads and writes its monologue.

The G2P of the voice writes a text as sounds ('ðə kˈæpəTᵊl ʌv fɹˈæns'); these are cut into pieces
by longest match. A piece that begins a word carries a space, the first word of a text too.
Punctuation that is heard as a pause or a melody is a piece of its own; quotes and brackets are
left out. How `pieces.json` was made: training/small/piece_maker.py.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

FILE = Path(__file__).with_name('pieces.json')
SIGNS = ';:,.!?—…'  # punctuation that is a piece
SILENT = '"“”()[]→↓↗↘'  # characters of the voice that are no sound
STRESS = 'ˈˌ'
_WORD = re.compile(f'[{re.escape(SIGNS)}]|[^\\s{re.escape(SIGNS + SILENT)}]+')


@dataclass(frozen=True)
class Pieces:
    """`names[token]` is what a piece stands for; names[0], nothing begins here, is empty."""

    names: list[str]

    @classmethod
    def load(cls, path: Path = FILE) -> Pieces:
        """Raises OSError, or ValueError for a file that is none."""
        names = json.loads(path.read_text(encoding='utf-8'))
        if not isinstance(names, list) or not names or names[0] != '':
            raise ValueError(f'{path} is no list of pieces that begins with an empty one')
        return cls(names)

    @property
    def END(self) -> int:
        """The token that says: the text ends here. Never said."""
        return len(self.names)

    @property
    def size(self) -> int:
        """How many tokens there are, END among them."""
        return len(self.names) + 1

    def encode(self, phonemes: str) -> list[int]:
        """The tokens of a text in the voice's alphabet; what no piece stands for is left out."""
        return [token for token, _ in self.placed(phonemes)]

    def placed(self, phonemes: str) -> list[tuple[int, int]]:
        """The same, each with the index in `phonemes` of the first character that it sounds as."""
        found = []
        for match in _WORD.finditer(phonemes):
            found += self._word(match[0], match.start())
        return found

    def begins_word(self, token: int) -> bool:
        """Whether a word begins with it: not for punctuation, 0 and END."""
        return token < len(self.names) and self.names[token].startswith(' ')

    @cached_property
    def _tokens(self) -> dict[str, int]:
        return {name: token for token, name in enumerate(self.names) if name}

    @cached_property
    def _longest(self) -> int:
        return max(map(len, self.names))

    def _word(self, word: str, start: int) -> list[tuple[int, int]]:
        text = word if word in SIGNS else ' ' + word
        shift = start - (len(text) - len(word))
        found, at = [], 0
        while at < len(text):
            part = self._longest_at(text, at)
            if part:
                found.append((self._tokens[part], max(start, shift + at)))
            at += max(1, len(part))
        return found

    def _longest_at(self, text: str, at: int) -> str:
        for size in range(min(self._longest, len(text) - at), 0, -1):
            if text[at : at + size] in self._tokens:
                return text[at : at + size]
        return ''
