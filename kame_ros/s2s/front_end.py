"""What every speech-to-speech front-end does."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

import numpy as np

from kame_ros.oracle.chunk import Oracle


class Happening(IntEnum):
    """Something a front-end noticed in a step; the values are those of `TurnEvent.kind`."""

    USER_SPEECH_START = 1
    USER_SPEECH_END = 2
    ROBOT_SPEECH_START = 3
    ROBOT_SPEECH_END = 4
    BARGE_IN = 5
    ORACLE_APPLIED = 12  # the first word of this generation was given to the front-end
    ORACLE_SPOKEN = 13  # all of an ended generation was spoken


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
    """Something that happened in a step, and the oracle that it concerns, if any."""

    kind: Happening
    source: str = ''
    generation: int = -1
    life: int = 0


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


class FrontEnd(Protocol):
    """A full-duplex speaker: a frame of the user in, a frame of the robot out, each 80 ms.

    Owned by one thread. `oracle` is what the robot should say, as far as it is known now, or
    None; it is the whole text so far, not the difference to the last step.
    """

    def warm_up(self) -> None:
        """Does slow first work before the first frame counts."""

    def step(self, user: np.ndarray, oracle: Oracle | None) -> Step:
        """Hears int16[1920] at 24 kHz and speaks int16[1920] at 24 kHz."""

    def interrupt(self) -> None:
        """Stops speaking and forgets the oracle being spoken; the dialogue goes on."""

    def reset(self) -> None:
        """Forgets the dialogue: the next step is the first one of a new session."""

    def counters(self) -> dict[str, float]:
        """Running totals for diagnostics, by name."""
