"""The words around one that is to be said, and which of them are numbers."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kame_ros.text.amounts import VULGAR

OPENERS = '("\'“‘«„¿¡'
CLOSERS = '"\'”’)»'
TAIL = '.,;:!?…' + CLOSERS
VULGARS = ''.join(VULGAR)
NUM = r'(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+,\d{1,2}(?![\d,])|\d+(?:\.\d+)?|\.\d+)'
AMOUNT = rf'(?:{NUM}?[{VULGARS}]|{NUM})'
_NUMBER = re.compile(
    rf'[-−+]?(?:{AMOUNT}(?:[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻]+|\^-?\d+)?|\d{{1,4}}/\d{{1,4}}|{NUM}[-–—~]{NUM})'
)


class Wait(Exception):
    """The word cannot be said before more of the text is known."""


@dataclass
class Context:
    """The words around the one that is said: those `before` it, nearest last, and after it."""

    before: Sequence[str]
    after: Callable[[int], str]  # the nth word after it, '' at the end of the text; raises Wait
    quoted: bool = False  # a quotation is open

    @property
    def left(self) -> str:
        """The word before, without brackets; '' at the start of the text."""
        return self.before[-1].lstrip(OPENERS) if self.before else ''

    def right(self, n: int = 1) -> str:
        """A word after. Raises Wait."""
        return self.after(n).lstrip(OPENERS)


def is_number(word: str) -> bool:
    """Whether the word is a number, a fraction or a range of numbers."""
    return bool(_NUMBER.fullmatch(word))
