"""What follows a conversation: a page, a display of the robot's face, a record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kame_ros.wire.frame import Frame
from kame_ros.wire.health import Health
from kame_ros.wire.monologue import MonologueToken
from kame_ros.wire.oracle import OracleChunk
from kame_ros.wire.transcript import Transcript
from kame_ros.wire.turn import TurnEvent


class Consumer:
    """Is told what passes in a graph; what it has no method for is not even asked for.

    A new one derives from this and has the methods of what it wants to know. All are called in one
    thread, in the order in which things came.
    """

    def on_mic(self, frame: Frame) -> None:
        """80 ms of what the robot hears."""

    def on_played(self, frame: Frame) -> None:
        """80 ms of what left the loudspeaker; `source_seq` is the frame of the speech it was."""

    def on_transcript(self, transcript: Transcript) -> None:
        """A revision of what the user says."""

    def on_oracle(self, chunk: OracleChunk) -> None:
        """A piece of what the robot should say."""

    def on_monologue(self, token: MonologueToken) -> None:
        """Words that the robot begins to say."""

    def on_turn(self, event: TurnEvent) -> None:
        """Somebody begins or ends to speak, an answer is begun, and the like."""

    def on_health(self, node: str, health: Health) -> None:
        """What a node of the graph tells of itself, once a second."""

    def close(self) -> None:
        """The conversation is over: the last call."""

    @property
    def hears(self) -> frozenset[str]:
        """The names of those of these methods that it has itself."""
        own, none = type(self), Consumer
        return frozenset(name for name in HEARS if vars_of(own, name) is not vars_of(none, name))


HEARS = tuple(name for name in vars(Consumer) if name.startswith('on_'))


class Relay(Consumer):
    """A consumer that hands on all that it is told."""

    def pass_on(self, name: str, *told: Any) -> None:
        """The method of this name was called."""
        raise NotImplementedError


def _passing_on(name: str) -> Callable[..., None]:
    return lambda self, *told: self.pass_on(name, *told)


for _name in HEARS:
    setattr(Relay, _name, _passing_on(_name))


def vars_of(kind: type, name: str) -> object:
    """A method of a class, its own or inherited."""
    return next(vars(each)[name] for each in kind.__mro__ if name in vars(each))
