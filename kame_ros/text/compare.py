"""Texts as they are compared: by their words, without case and punctuation."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence


def normalise(text: str) -> str:
    """The text as it is compared: lower case, words only, single spaces."""
    text = unicodedata.normalize('NFKC', text).lower()
    text = re.sub(r"[’']", '', text)
    return ' '.join(re.findall(r'\w+', text))


def goes_on(before: Sequence[str], now: Sequence[str]) -> bool:
    """Whether the words go on from those before, of which the last one may have been cut."""
    sure = max(0, len(before) - 1)
    return list(now[:sure]) == list(before[:sure])


def word_count(text: str) -> int:
    """The number of words in the text."""
    return len(normalise(text).split())
