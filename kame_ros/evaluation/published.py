"""Figures that others published, for the paper's picture: never in one style with measured ones."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Published:
    """A system's mean of MT-Bench (three categories) and its latency, and who says so."""

    system: str
    score: float
    latency_s: float
    categories: tuple[float, float, float] | None = None  # reasoning, STEM, humanities


SOURCE = 'KAME paper: its own judge, questions, voices and latency, none of which are published'
POINTS = (
    Published('Moshi', 2.05, 0.0),
    Published('KAME (gpt-4.1)', 6.43, 0.0, (5.44, 6.65, 7.19)),
    Published('KAME (opus-4-1)', 6.23, 0.0),
    Published('Unmute (gpt-4.1)', 7.70, 2.1),
)
TEXT_ONLY = 7.79  # the text of the final oracle alone
