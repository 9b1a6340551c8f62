"""What one source of oracles has begun and still has to say, and how far it can be relied on."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from kame_ros.text import reader
from kame_ros.wire.oracle import OracleChunk

_REMEMBERED = 8  # numbers of a source whose late chunks are nobody's mistake
_MISTAKES = 5.0  # more than so many, of which one a second is forgiven, make a source unruly
_MOST_MISTAKES = 10.0


@dataclass
class SourceGeneration:
    """A text of a source, as far as it is written; times in seconds."""

    number: int
    life: int
    text: str
    since: int  # grows with every chunk taken; says who spoke first
    grew: float  # when its last text came
    ended: bool = False
    aged: bool = False  # it ended by silence, not by an END
    closed: bool = False  # it ended by an END
    spoken: bool = False
    full: bool = False  # no more characters are kept
    priority: int = 0
    utterance: int = -1
    revision: int = -1
    waits_since: float | None = None  # it is the current one, and no word of it was said since
    heard: int = 0  # characters that the robot has said
    between: bool = False  # the last word that the robot said ends a sentence
    queued: float = 0.0  # since when it has waited for its turn
    turn: float = 0.0  # when its turn began
    overdue: bool = False  # it has waited for too long: it is before others now

    @property
    def waiting(self) -> int:
        """How many characters are still to be said."""
        return max(0, len(self.text) - self.heard)

    @property
    def stale(self) -> bool:
        """It grows no more, and nobody ended it."""
        return (self.aged or self.full) and not self.closed


@dataclass(eq=False)
class MuxSource:
    """The numbers and texts of one source; times in seconds."""

    name: str
    seen: float  # when its last chunk came
    newest: int = -1  # the highest number of this life; it, and all below, were begun before
    open: int | None = None  # the number that was begun and has no text yet
    held: OracleChunk | None = None  # its last chunk, where that could not be read yet
    life: int = 0  # how often its numbers have begun anew
    began: float = float('-inf')  # when its last BEGIN came
    said: SourceGeneration | None = None
    proved: bool = False  # it has ended a generation with an END
    own: bool = False  # the node itself made it, for a goal: nobody else speaks in its name
    kept: bool = False  # own, or one that always has a place: the LLM
    known: deque[int] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    reader: reader.Reader = field(default_factory=reader.Reader)
    _mistakes: float = 0.0
    _erred: float = 0.0  # when it made the last one

    @property
    def idle(self) -> bool:
        """It has nothing to say."""
        return self.open is None and (self.said is None or self.said.spoken)

    def err(self, now: float) -> None:
        """It has sent what no sane node sends."""
        self._mistakes = min(self._left(now) + 1.0, _MOST_MISTAKES)
        self._erred = now

    def unruly(self, now: float) -> bool:
        """Whether it makes one mistake after the other."""
        return not self.own and self._left(now) > _MISTAKES

    def reliable(self, now: float) -> bool:
        """Whether what it says now is, or will soon be, properly ended."""
        said = self.said
        if said is None or said.stale or self.unruly(now):
            return False
        return said.closed or self.proved or self.kept

    def _left(self, now: float) -> float:
        return max(0.0, self._mistakes - (now - self._erred))
