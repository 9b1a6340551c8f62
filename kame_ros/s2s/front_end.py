"""What every speech-to-speech front-end does: a new one derives from `FrontEnd`.

How a robot gets it: kame_ros/s2s/front_ends.py.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from kame_ros.wire.frame import Frame
from kame_ros.wire.oracle import Oracle
from kame_ros.wire.turn import TurnKind


@dataclass(frozen=True)
class Piece:
    """Text of the inner monologue, spoken from this frame on, and the oracle it came from.

    Pieces are joined as they are: spaces belong to the text. `source`, `generation` and `life` are
    those of the oracle; `source` is empty and `generation` is -1 where the front-end says something
    of its own.
    """

    text: str
    source: str = ''
    generation: int = -1
    life: int = 0


@dataclass(frozen=True)
class Event:
    """Something that happened in a step, and the oracle that it concerns, if any.

    `before_s`: so many seconds before the end of the frame; None: at its begin.
    """

    kind: TurnKind
    source: str = ''
    generation: int = -1
    life: int = 0
    before_s: float | None = None

    def t(self, heard: Frame) -> float:
        """When it happened, in seconds on the audio clock; `heard` is the frame of the step."""
        return heard.t if self.before_s is None else heard.end - self.before_s


@dataclass(frozen=True)
class Step:
    """What a front-end gives for one frame: 80 ms of speech int16[1920], text, happenings.

    `gain`: how loud what was given before is to be played from now on; 0: not at all, as far as
    it has not left the loudspeaker.
    """

    speech: np.ndarray
    pieces: tuple[Piece, ...] = ()
    events: tuple[Event, ...] = ()
    gain: float = 1.0


class Speaker(ABC):
    """Speaks for one robot, as far as whoever brings it the user's words and orders has to know.

    Owned by one thread, but for `counters`.
    """

    @property
    def judges_barge_in(self) -> bool:
        """Whether it gives way by itself to a user who speaks over it: nobody else does it then."""
        return False

    @property
    def hears_oracle(self) -> bool:
        """Whether it can be told what to say; false: it says what it likes."""
        return True

    def hear_words(  # noqa: B027 - who does not care need not have it
        self, utterance: int, text: str, start: float, end: float, final: bool = True
    ) -> None:
        """The user's words so far; times in seconds before the end of the last frame heard."""

    def hear_language(self, language: str) -> None:  # noqa: B027
        """The language of the words that come next, such as en or en-US; empty: not known."""

    def excuse(self) -> None:  # noqa: B027
        """What was taken for the user's speech was noise: nobody waits for an answer."""

    def keep_silent(self) -> None:  # noqa: B027 - who says nothing without an oracle need not
        """Nothing of its own is to be heard in the next step."""

    @abstractmethod
    def interrupt(self) -> None:
        """Stops speaking and forgets the oracle being spoken; the dialogue goes on."""

    def fall_silent(self) -> None:
        """The same where nobody asked for it: its thread was ended."""
        self.interrupt()

    @abstractmethod
    def reset(self) -> None:
        """Forgets the dialogue: the next step is the first one of a new session."""

    def counters(self) -> dict[str, float]:
        """Running totals for diagnostics, by name."""
        return {}


class FrontEnd(Speaker):
    """A full-duplex speaker: a frame of the user in, a frame of the robot out, each 80 ms.

    `oracle` is what the robot should say, as far as it is known now, or None; it is the whole text
    so far, not the difference to the last step. What a step raises ends the process of the node,
    which is then started anew; OutOfMemory with its sentence alone.
    """

    def warm_up(self) -> None:
        """Does slow first work before the first frame counts."""

    @abstractmethod
    def step(self, user: np.ndarray, oracle: Oracle | None) -> Step:
        """Hears int16[1920] at 24 kHz and speaks int16[1920] at 24 kHz."""

    def close(self) -> None:
        """The end of use: gives back the memory of its model."""

    def complaint(self) -> str:
        """What to do about a step that takes too long, if it knows better than others; or empty."""
        return ''
