"""What happens in a conversation, as the topic `turn` tells it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Kind(IntEnum):
    """The kinds of `TurnEvent`; the values are those of the message."""

    USER_SPEECH_START = 1
    USER_SPEECH_END = 2
    ROBOT_SPEECH_START = 3
    ROBOT_SPEECH_END = 4
    BARGE_IN = 5
    INPUT_ENDED = 6
    RESET = 7
    GENERATION_BEGUN = 10
    GENERATION_FIRST_WORD = 11
    ORACLE_APPLIED = 12
    ORACLE_SPOKEN = 13
    GENERATION_ENDED = 14
    GENERATION_CANCELLED = 15
    GENERATION_FAILED = 16
    SILENT = 17
    TURN_BOOKED = 18


@dataclass(frozen=True)
class TurnEvent:
    """One thing that happened, at `t` seconds on the audio clock."""

    kind: Kind
    t: float
    source: str = ''
    generation: int = -1
    utterance: int = -1
    revision: int = -1
    text: str = ''
