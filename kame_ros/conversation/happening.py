"""One thing that happened in a conversation, as a screen, a page or a line of text tells it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any


class What(str, Enum):
    """The kinds of happenings; the values are what a page is told."""

    USER_SPEAKS = 'user_speaks'
    USER_SILENT = 'user_silent'
    PARTIAL = 'partial'  # text: all that is heard so far; settled: so many characters of it stay
    FINAL = 'final'
    NOISE = 'noise'  # an utterance that needs no answer
    TURN_ENDED = 'turn_ended'  # the front-end decided that the user has said all they wanted to say
    TAKEN_BACK = 'taken_back'  # they go on
    ASKED = 'asked'  # the LLM was asked; text: what the user was heard to say until then
    FIRST_WORD = 'first_word'  # it answers, and takes the place of the answer before
    ADOPTED = 'adopted'  # the front-end took the first word
    WRITTEN = 'written'  # the answer is complete; text: all of it
    DROPPED = 'dropped'  # stopped before it was complete; text: what there was of it
    FAILED = 'failed'  # text: why
    SPOKEN = 'spoken'  # all of it was said
    WORD = 'word'  # the robot begins to say this; spaces belong to the text
    ROBOT_SPEAKS = 'robot_speaks'  # measured on the sound
    ROBOT_SILENT = 'robot_silent'
    BARGE_IN = 'barge_in'
    LATENCY = 'latency'  # of a turn is known; value: seconds, signed
    LOSS = 'loss'  # a counter of losses has grown; source: the node, text: its name, value: by what
    TROUBLE = 'trouble'  # source: a node; text: what is wrong with it
    WELL = 'well'  # source: a node that is well again
    INPUT_ENDED = 'input_ended'
    RESET = 'reset'


@dataclass(frozen=True)
class Happening:
    """At `t` seconds on the audio clock. `number` counts all of a conversation from 1.

    `utterance` and `generation` are those of the topics, -1: none; `turn` is the number of the turn
    it belongs to, 0: none.
    """

    number: int
    what: What
    t: float
    turn: int = 0
    utterance: int = -1
    generation: int = -1
    source: str = ''
    text: str = ''
    settled: int = 0
    value: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """For JSON: what says nothing is left out."""
        told: dict[str, Any] = {'number': self.number, 'what': self.what.value, 't': self.t}
        for name in ('turn', 'source', 'text', 'settled', 'value'):
            if given := getattr(self, name):
                told[name] = given
        for name in ('utterance', 'generation'):
            if (given := getattr(self, name)) >= 0:
                told[name] = given
        return told
