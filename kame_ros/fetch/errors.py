"""What cannot be got, and why."""

from __future__ import annotations


class FetchError(RuntimeError):
    """Weights that could not be got, with the reason and what to do in one sentence."""


class NoLine(FetchError):
    """The other side cannot be reached, or went silent; trying again later may help."""
