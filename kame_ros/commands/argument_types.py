"""Numbers of a command line, with their limits: what is outside is refused in one sentence."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable


def whole(least: int) -> Callable[[str], int]:
    """Reads a whole number of at least `least`; raises ArgumentTypeError."""

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if value < least:
            raise argparse.ArgumentTypeError(f'{text!r} is no whole number from {least} on')
        return value

    return read


def above_zero(text: str) -> float:
    """Reads a finite number above 0; raises ArgumentTypeError."""
    value = _number(text)
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f'{text!r} is no number above 0')
    return value


def from_zero(text: str) -> float:
    """Reads a finite number of at least 0; raises ArgumentTypeError."""
    value = _number(text)
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f'{text!r} is no number from 0 on')
    return value


def within(low: float, high: float) -> Callable[[str], float]:
    """Reads a number from `low` to `high`; raises ArgumentTypeError."""

    def read(text: str) -> float:
        value = _number(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(
                f'{text!r} is no number from {low:,.0f} to {high:,.0f}'
            )
        return value

    return read


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
