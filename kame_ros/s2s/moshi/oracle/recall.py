"""How much of what the robot was told to say it has said."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence


def recalled(told: Sequence[int], said: Sequence[int]) -> int:
    """How many tokens of `told` are in `said`, in their order (the longest common subsequence).

    >>> recalled([1, 2, 3, 4], [9, 1, 3, 9, 4])
    3
    """
    row = [0] * (len(told) + 1)
    for token in said:
        before = 0
        for at, wanted in enumerate(told, 1):
            above = row[at]
            row[at] = before + 1 if token == wanted else max(above, row[at - 1])
            before = above
    return row[-1]


class Recall:
    """The recall of the last `window` texts that were fed in full, each counted by its tokens."""

    def __init__(self, window: int = 20) -> None:
        self._last: deque[tuple[int, int]] = deque(maxlen=window)

    def add(self, count: int, told: int) -> None:
        """A text of `told` tokens is over, of which `count` were said."""
        if told:
            self._last.append((count, told))

    @property
    def value(self) -> float:
        """0 to 1; 1 as long as nothing was told."""
        pairs = tuple(self._last)  # it is read in other threads
        told = sum(count for _, count in pairs)
        return sum(count for count, _ in pairs) / told if told else 1.0
