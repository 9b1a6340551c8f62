"""What the stt node is made of: frames of the microphone in, transcripts out, by any engine."""

from __future__ import annotations

from typing import Protocol

from kame_ros.wire.frame import Frame
from kame_ros.wire.transcript import Transcript
from kame_ros.wire.turn import TurnEvent

# The user begins or ends to speak; SILENT: an utterance that ended without a transcript.
Output = Transcript | TurnEvent


class SpeechToText(Protocol):
    """Hears the user. One thread owns it: it calls `feed` with every frame and `work` between.

    Every utterance that is published gets exactly one final transcript, its last.
    """

    def warm_up(self) -> None:
        """Load the models. Raises RecogniserError, ServerError where it may come later."""

    def feed(self, frame: Frame) -> list[Output]:
        """Hear 80 ms of the microphone. Cheap: decodes nothing."""

    def played(self, frame: Frame) -> None:
        """Know what the loudspeaker played: it is not the user's."""

    def end_turn(self, t: float) -> None:
        """The user's turn was over at `t` s on the audio clock, as somebody else decided.

        What they said gets its final now, unless they have gone on since.
        """

    @property
    def busy(self) -> bool:
        """Whether `work` has something to do now."""

    def work(self) -> list[Output]:
        """Decode at most once."""

    def reset(self) -> list[Output]:
        """Begin anew. What was published gets its final, of what is known."""

    def take_error(self) -> str:
        """What the engine said when it last failed; empty if it did not since the last call."""

    def counters(self) -> dict[str, float]:
        """Totals since the beginning, for /diagnostics."""
