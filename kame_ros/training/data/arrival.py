"""When what was asked for arrives: late, cut off, or overtaken, as it does from a real LLM."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

from kame_ros.training.data.layout import OracleEvent


@dataclass(frozen=True)
class Latency:
    """The time from a request to the first word of its oracle: log-normal, cut at both ends, in s.

    The bounds are those of recognition plus a first word from an LLM near by, and far away.
    `pace` is how many tokens a second follow, `aborted` the share of streams that break off, and
    `lost` that of requests that bring nothing.
    """

    least: float = 0.2
    middle: float = 0.55
    most: float = 1.5
    spread: float = 0.5
    pace: tuple[float, float] = (8.0, 60.0)
    aborted: float = 0.05
    lost: float = 0.02

    def __post_init__(self) -> None:
        if not 0 <= self.least <= self.middle <= self.most:
            raise ValueError('a latency has least <= middle <= most, from 0 s on')

    def draw(self, rng: random.Random) -> float:
        """One latency, in s."""
        drawn = self.middle * math.exp(rng.gauss(0.0, self.spread))
        return min(max(drawn, self.least), self.most)


@dataclass(frozen=True)
class ArrivedOracle:
    """What was written for a request made at `at` s; `final` if the turn had ended."""

    at: float
    text: str
    final: bool


def arrive(
    oracles: Sequence[ArrivedOracle], rng: random.Random, latency: Latency | None = None
) -> list[OracleEvent]:
    """The oracles as a front-end meets them, in the order of time.

    Each has a latency of its own. One that comes after a newer one has come is never seen: the
    newest wins. That of a finished turn neither breaks off nor gets lost, so that there is
    something to say; how the robot behaves without is for examples without oracles.
    """
    latency = latency or Latency()
    came: list[tuple[float, int, str]] = []
    for number, oracle in enumerate(oracles):
        if not oracle.text or (not oracle.final and rng.random() < latency.lost):
            continue
        text = oracle.text
        if not oracle.final and rng.random() < latency.aborted:
            words = text.split()
            text = ' '.join(words[: rng.randint(1, len(words))])
        came.append((oracle.at + latency.draw(rng), number, text))
    found: list[OracleEvent] = []
    newest = -1
    for start, number, text in sorted(came):
        if number > newest:
            newest = number
            found.append(OracleEvent(start, text, rng.uniform(*latency.pace)))
    return found


def mishear(words: Sequence[str], rng: random.Random, rate: float) -> list[str]:
    """What a recogniser may make of `words`: some are left out, doubled in part, or cut short."""
    found: list[str] = []
    for word in words:
        if rng.random() >= rate:
            found.append(word)
            continue
        kind = rng.randrange(3)
        if kind == 1:
            found.append(word[: max(1, len(word) // 2)])
        elif kind == 2:
            found += [word, word]
    return found
