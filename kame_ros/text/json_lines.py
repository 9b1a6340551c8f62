"""The lines of a file of JSON lines."""

from __future__ import annotations


def json_lines(text: str) -> list[str]:
    """The lines of a text, of which each is JSON, or empty.

    Only a line break ends one. What else `str.splitlines` takes for an end, such as U+2028, may
    stand inside a text.
    """
    lines = text.split('\n')
    return lines if lines[-1] else lines[:-1]
