"""What the user writes instead of saying it: an utterance between those that are heard."""

from __future__ import annotations

from collections import deque

from kame_ros.stt.speech_to_text import Output
from kame_ros.wire.transcript import Transcript
from kame_ros.wire.turn import TurnKind

_WAITING = 4  # texts, while somebody speaks
LONGEST = 2_000  # characters of a text


class TypedTexts:
    """Numbers utterances from `first` on: those that are heard, and those that are written.

    A text is an utterance as soon as none is being heard, so that their numbers keep their order.
    One thread owns it; `texts` come from elsewhere.
    """

    def __init__(self, first: int) -> None:
        self.given = 0
        self.dropped = 0
        self._first = first
        self._next = first
        self._open: int | None = None  # the utterance that is being heard
        self._texts: deque[str] = deque()

    def number(self, output: Output) -> int:
        """The number of the utterance that this output of the recogniser is of."""
        number = self._first + output.utterance + self.given
        if _ends(output):
            self._close(number)
        elif self._open is None or number > self._open:
            self._open = number
        self._next = max(self._next, number + 1)
        return number

    def put(self, text: str) -> None:
        """The user has written this."""
        if len(self._texts) >= _WAITING:
            self.dropped += 1
            return
        self._texts.append(text)

    def take(self, t: float) -> list[Transcript]:
        """The texts whose time has come, as the utterances that they are."""
        if self._open is not None:
            return []
        found = []
        while self._texts:
            text = self._texts.popleft()
            found.append(Transcript(self._next, 0, text, len(text), True, t, t, stable=len(text)))
            self.given += 1
            self._next += 1
        return found

    def _close(self, number: int) -> None:
        if self._open is not None and number >= self._open:
            self._open = None


def _ends(output: Output) -> bool:
    """Whether nothing more of the utterance comes."""
    if isinstance(output, Transcript):
        return output.final
    return output.kind == TurnKind.SILENT
