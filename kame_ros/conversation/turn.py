"""One turn of a conversation, as it grows: what the user says, and what the robot answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from kame_ros.record.generations import GenerationRecord
from kame_ros.text.well_formed import joined


@dataclass(frozen=True)
class PlayedWord:
    """Text that the robot began to say at `t`; spaces belong to it. `source`: whose oracle."""

    t: float
    text: str
    source: str = ''


@dataclass
class LiveTurn:
    """Times are seconds on the audio clock, None: not yet.

    `number` counts from 1; `utterance` is that of the topics, -1 where the robot speaks of its own.
    `heard` is the newest revision of what the user said, its first `settled` characters stay.
    `user_end`, `robot_start` and `latency` are measured on the sound, like those of a record.
    """

    number: int
    utterance: int
    start: float
    heard: str = ''
    settled: int = 0
    final: bool = False
    end: float | None = None  # of the user's speech, as the recogniser has it
    user_end: float | None = None
    robot_start: float | None = None
    latency: float | None = None
    barge_in: float | None = None  # when the user broke into the robot's answer
    taken_back: bool = False
    measured: bool = False  # nothing more becomes of the latency
    words: list[PlayedWord] = field(default_factory=list)
    generations: dict[int, GenerationRecord] = field(default_factory=dict)
    books: dict[str, Any] = field(default_factory=dict)

    @property
    def said(self) -> str:
        """What the robot said, as far as it was played."""
        return joined(word.text for word in self.words)

    @property
    def adopted(self) -> GenerationRecord | None:
        """The answer whose words the front-end took last."""
        taken = [g for g in self.generations.values() if g.applied_at is not None]
        return max(taken, key=lambda g: g.applied_at or 0.0, default=None)
