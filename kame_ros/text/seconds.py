"""Seconds as people read them."""

from __future__ import annotations


def in_seconds(latency: float | None) -> str:
    """A latency with its sign, to a hundredth of a second; a dash where there is none."""
    return '-' if latency is None else f'{latency:+.2f} s'
