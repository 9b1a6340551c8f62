"""How many words or letters differ (Levenshtein): without the packages of evaluation."""

from __future__ import annotations

from collections.abc import Sequence


def edits(wanted: Sequence[str], found: Sequence[str], after_others: bool = False) -> int:
    """The least number of words (or letters of two words) to put in, leave out or change.

    `after_others`: what is found before the wanted ones costs nothing.
    """
    row = [0] * (len(found) + 1) if after_others else list(range(len(found) + 1))
    for i, one in enumerate(wanted, 1):
        diagonal, row[0] = row[0], i
        for j, two in enumerate(found, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (one != two))
    return row[-1]
