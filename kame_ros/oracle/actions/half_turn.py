"""What a turn asked for that was taken back: half a sentence is no order. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from kame_ros.wire.transcript import Transcript

_KNOWN = 8  # utterances that are remembered
_LEAST_S = 0.2  # s between the begin of an utterance and the end of its turn
_MOST_S = 3.5  # s between its last word and the end of its turn
_PATIENCE_S = 10.0  # s in which the words of the rest are known, or never will be


@dataclass(frozen=True)
class Held:
    """A request as an LLM wrote it, which waits until the user has said all."""

    text: str
    generation: int
    utterance: int  # that it answers


class HalfTurn:
    """Keeps what was asked for by half a turn until the words of the rest are known.

    If the user said more, the whole of it is answered anew, and what half of it asked for is not
    done. If it was a noise, the half was all, and counts. Times are those of the audio clock.
    """

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """A new session, or all is to stop."""
        self._heard: deque[Transcript] = deque(maxlen=_KNOWN)  # the newest of each utterance
        self._ended_at: float | None = None  # when the turn seemed to be over; None: no half
        self._due = 0.0  # when nobody waits for the rest any more
        self._void = -1  # what up to this utterance was asked for is not to be done
        self._held: list[Held] = []

    @property
    def is_open(self) -> bool:
        """Whether the user speaks on, and nobody knows what they say."""
        return self._ended_at is not None

    @property
    def deadline(self) -> float | None:
        """When nobody waits for the rest any more, or None."""
        return self._due if self.is_open else None

    def is_void(self, utterance: int) -> bool:
        """Whether more was said than this utterance that a request answers."""
        return utterance <= self._void

    def take_back(self, ended_at: float, now: float) -> int | None:
        """The turn that seemed to be over at `ended_at` goes on; gives the newest utterance of it.

        What was asked for since that utterance is to be stopped, and kept by `hold`.
        """
        self._ended_at, self._due = ended_at, now + _PATIENCE_S
        mine = [
            heard.utterance
            for heard in self._heard
            if heard.start < ended_at - _LEAST_S and heard.end > ended_at - _MOST_S
        ]
        return max(mine, default=None)

    def hold(self, held: Held) -> None:
        """Keeps a request until more is known."""
        self._held.append(held)

    def hear(self, transcript: Transcript) -> list[Held]:
        """A revision of what the user says; gives the requests that are to be done after all."""
        self._heard = deque(
            (h for h in self._heard if h.utterance != transcript.utterance), maxlen=_KNOWN
        )
        self._heard.append(transcript)
        if self._ended_at is None or not transcript.final or transcript.end <= self._ended_at:
            return []
        held, self._held, self._ended_at = self._held, [], None
        if not transcript.text.strip():
            return held
        self._void = transcript.utterance - 1
        return []

    def give_up(self, now: float) -> list[Held]:
        """Gives the requests that are never done, as the words of the rest did not come."""
        if self._ended_at is None or now < self._due:
            return []
        held, self._held, self._ended_at = self._held, [], None
        self._void = max((h.utterance for h in held), default=self._void)
        return held
