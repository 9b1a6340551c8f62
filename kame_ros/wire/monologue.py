"""The inner monologue: the words that the robot says, at the frame in which each begins."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class MonologueToken:
    """Text that is spoken from the frame `seq` of the speech on, which answers what was heard at
    `t` seconds on the audio clock.

    Texts are joined as they are: spaces belong to them. `source` is empty and `generation` is -1
    where the front-end says something of its own.
    """

    seq: int
    t: float
    text: str
    source: str = ''
    generation: int = -1
