"""What the policy decides."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Start:
    """Ask back-end number `backend` (0: the preferred one) to answer `text`."""

    gen: int
    text: str
    utterance: int
    revision: int
    final: bool
    stable: int = 0  # so many characters of the text will hardly change
    backend: int = 0
    attempt: int = 0
    follow_up: bool = False  # `text` is the result of an action in this turn


@dataclass(frozen=True)
class Cancel:
    """Stop this generation, on the server too."""

    gen: int
    why: str


@dataclass(frozen=True)
class Adopt:
    """From its first word on, this generation is the oracle."""

    gen: int


@dataclass(frozen=True)
class GiveUp:
    """No back-end answers; `answered` tells whether some words of an answer were given."""

    utterance: int
    revision: int
    why: str
    answered: bool


@dataclass(frozen=True)
class Clear:
    """Forget what the oracle has said and the robot has not."""

    why: str


@dataclass(frozen=True)
class Confirm:
    """The final transcript, this revision, says what this generation answers."""

    gen: int
    revision: int


Decision = Start | Cancel | Adopt | GiveUp | Clear | Confirm
