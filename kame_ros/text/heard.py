"""What the user said, without anything that a chat template could take for a mark."""

from __future__ import annotations

import re


def clean_heard(text: str) -> str:
    """What the user said, or a fact, without anything that a chat template could take for a mark.

    Control characters, invisible ones and the brackets of templates go: speech has none of them.
    """
    text = ''.join(c if c.isprintable() else ' ' for c in text)
    return ' '.join(re.sub(r'[<>|{}\[\]`\\]', ' ', text).split())
