"""Finds a phrase that a small model repeats without end, so that the answer can stop there."""

from __future__ import annotations

from collections.abc import Sequence

_LONGEST = 8  # words of a phrase
_TIMES = 3  # in a row; a single word may come once more


def ends_in_loop(words: Sequence[str]) -> bool:
    """Whether the words end in the same phrase, again and again. The words are normalised."""
    for length in range(1, _LONGEST + 1):
        times = _TIMES + (length == 1)
        tail = words[-length * times :]
        if len(tail) == length * times and all(
            tail[place] == tail[place % length] for place in range(len(tail))
        ):
            return True
    return False
