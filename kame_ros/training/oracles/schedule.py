"""When an oracle is asked for in a dialogue, and how much of the turn was heard by then.

As the live policy does: when two more words were heard, at least 0.4 s after the last time, and at
the end of the turn. The six hint levels are those of the KAME paper (section on simulated oracles):
the share of the turn that was heard decides how much the simulator may know of the real answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from kame_ros.training.data.dialogue import Dialogue, DialogueUtterance, DialogueWord

LEVEL_BOUNDS = (0.5, 0.65, 0.8, 0.95, 1.0)  # below the first: level 0; at the last: level 5
TRUTH = len(LEVEL_BOUNDS)


@dataclass(frozen=True)
class Cadence:
    """How often the oracle is asked: `words` more, `interval` s apart, `end_s` after the turn."""

    words: int = 2
    interval: float = 0.4
    end_s: float = 0.1


@dataclass(frozen=True)
class Request:
    """An oracle that is asked for at `at` s, after `heard` words of the dialogue.

    `listener` is the speaker who gets the oracle, `truth` what they really say next. `said` counts
    the words of the running turn that were heard.
    """

    at: float
    heard: int
    said: int
    ratio: float
    listener: str
    truth: str

    @property
    def level(self) -> int:
        """The hint level, 0 (a free guess) to 5 (the truth itself)."""
        return level(self.ratio)


def level(ratio: float) -> int:
    """The hint level for the share of a turn that was heard.

    >>> [level(ratio) for ratio in (0.3, 0.5, 0.7, 0.8, 0.99, 1.0)]
    [0, 1, 2, 3, 4, 5]
    """
    return sum(ratio >= bound for bound in LEVEL_BOUNDS)


def plan(dialogue: Dialogue, cadence: Cadence | None = None) -> list[Request]:
    """All requests of a dialogue, in the order of time.

    A turn ends where the other speaker takes over, however long the pauses in it are, and whoever
    says "uh-huh" in between: only then is the ratio 1, and the truth given away. (kame_finetune,
    tools/oracle_generation.py, ends it at any pause of 1 s, and so gives the answer in mid-turn.)
    The last turn has no answer and no oracle.
    """
    cadence = cadence or Cadence()
    turns = list(dialogue.utterances())
    return [request for turn, answer in pairwise(turns) for request in _ask(turn, answer, cadence)]


def _ask(turn: DialogueUtterance, answer: DialogueUtterance, cadence: Cadence) -> list[Request]:
    found: list[Request] = []
    last, counted = float('-inf'), 0
    for said, word in enumerate(turn.words, 1):
        final = said == len(turn.words)
        if final or (said - counted >= cadence.words and word.end - last >= cadence.interval):
            last, counted = word.end, said
            found.append(_request(turn, answer, said, word, cadence.end_s if final else 0.0))
    return found


def _request(
    turn: DialogueUtterance, answer: DialogueUtterance, said: int, word: DialogueWord, late: float
) -> Request:
    return Request(
        at=word.end + late,
        heard=turn.places[said - 1] + 1,
        said=said,
        ratio=said / len(turn.words),
        listener=answer.speaker,
        truth=answer.text,
    )
