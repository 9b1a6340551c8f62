"""What the transcriber tells besides transcripts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from kame_ros.stt.transcript import Transcript


class SpeechKind(Enum):
    """What happened to the user's speech. NOISE: an utterance that ended without a transcript."""

    START = 'start'
    END = 'end'
    NOISE = 'noise'


@dataclass(frozen=True)
class SpeechEvent:
    """The user's speech starts or ends at `t` on the audio clock, s."""

    kind: SpeechKind
    t: float
    utterance: int


Output = Transcript | SpeechEvent
