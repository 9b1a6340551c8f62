"""How far this process is with long work, such as loading a model, for whoever shows it.

A node tells it on /diagnostics while it is configured; whoever brings it up takes each new word
for a sign of life. The work needs to know nobody: it says where it is.
"""

from __future__ import annotations

_told = ''


def tell(text: str) -> None:
    """Says how far the work is, in a few words; empty: there is none."""
    global _told
    _told = text


def told() -> str:
    """What was said last."""
    return _told
