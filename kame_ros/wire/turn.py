"""What happens in a conversation, as the topic `turn` tells it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import IntEnum
from typing import Any


class TurnKind(IntEnum):
    """The kinds of `TurnEvent`; below 100 the values are those of msg/TurnEvent.msg."""

    USER_SPEECH_START = 1
    USER_SPEECH_END = 2
    ROBOT_SPEECH_START = 3
    ROBOT_SPEECH_END = 4
    BARGE_IN = 5
    INPUT_ENDED = 6
    RESET = 7
    TURN_ENDED = 8
    TAKEN_BACK = 9
    GENERATION_BEGUN = 10
    GENERATION_FIRST_WORD = 11
    ORACLE_APPLIED = 12
    ORACLE_SPOKEN = 13
    GENERATION_ENDED = 14
    GENERATION_CANCELLED = 15
    GENERATION_FAILED = 16
    SILENT = 17
    TURN_BOOKED = 18
    # Told inside the oracle node only; they have no value on the topic.
    GAVE_UP = 100  # no back-end answers
    STOPPED = 101  # a stop word was heard


# Told of the generation of the apology: whoever asked learns that there is no answer, and why.
TOLD_AS = {TurnKind.GAVE_UP: TurnKind.GENERATION_FAILED}


@dataclass(frozen=True)
class TurnEvent:
    """One thing that happened, at `t` seconds on the audio clock; `why` for people."""

    kind: TurnKind
    t: float
    source: str = ''
    generation: int = -1
    utterance: int = -1
    revision: int = -1
    text: str = ''
    why: str = ''

    @property
    def books(self) -> dict[str, Any]:
        """What TURN_BOOKED tells of the cost of a turn; empty where that cannot be read."""
        try:
            books = json.loads(self.text)
        except (ValueError, RecursionError):
            return {}
        return books if isinstance(books, dict) else {}
