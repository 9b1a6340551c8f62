"""Texts as they are compared: by their words, without case and punctuation."""

from __future__ import annotations

import re
import unicodedata


def normalise(text: str) -> str:
    """The text as it is compared: lower case, words only, single spaces."""
    text = unicodedata.normalize('NFKC', text).lower()
    text = re.sub(r"[’']", '', text)
    return ' '.join(re.findall(r'\w+', text))


def word_count(text: str) -> int:
    """The number of words in the text."""
    return len(normalise(text).split())
