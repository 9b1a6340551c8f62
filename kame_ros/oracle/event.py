"""What happens to the oracle's generations, for diagnostics and the record."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class OracleEventKind(IntEnum):
    """What happened; where `TurnEvent.kind` has a value for it, that value."""

    BEGUN = 10  # text: the transcript that is asked
    FIRST_WORD = 11
    ENDED = 14  # text: the whole answer
    CANCELLED = 15  # text: what it had written
    FAILED = 16  # text: why
    SILENT = 17  # an utterance that needs no answer
    GAVE_UP = 100  # no back-end answers; text: why
    STOPPED = 101  # a stop word was heard; text: the word


@dataclass(frozen=True)
class OracleEvent:
    """Something happened to a generation at `t` (s on the runner's clock); `why` for people."""

    kind: OracleEventKind
    t: float
    generation: int = -1
    utterance: int = -1
    revision: int = -1
    text: str = ''
    why: str = ''
