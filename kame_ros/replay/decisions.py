"""What was decided in a conversation, and where two of it differ."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from kame_ros.conversation.conversation import Conversation
from kame_ros.conversation.happening import What

_DECISIONS = {
    What.FINAL: 'heard',
    What.ASKED: 'asked about',
    What.FIRST_WORD: 'first word of',
    What.ADOPTED: 'adopted',
    What.DROPPED: 'dropped',
    What.FAILED: 'failed',
    What.WRITTEN: 'written',
    What.SPOKEN: 'spoken',
    What.TURN_ENDED: 'the turn ended',
    What.TAKEN_BACK: 'they went on',
    What.BARGE_IN: 'the robot was interrupted',
    What.NOISE: 'noise',
}
_TEXTS = (What.FINAL, What.ASKED, What.WRITTEN, What.FAILED)


@dataclass(frozen=True)
class Decided:
    """One decision, in words that do not depend on numbers; `t` in seconds from the beginning."""

    what: str
    t: float

    def __str__(self) -> str:
        return f'{self.t:7.2f} s  {self.what}'


def decisions(conversation: Conversation, t0: float) -> list[Decided]:
    """All of them, in the order in which they were taken."""
    generations: dict[int, int] = {}
    found = []
    for happening in conversation.happenings:
        if happening.what not in _DECISIONS:
            continue
        if happening.what is What.DROPPED and happening.generation < 0:
            continue
        what = _DECISIONS[happening.what]
        if happening.generation >= 0:
            number = generations.setdefault(happening.generation, len(generations) + 1)
            what += f' answer {number}'
        if happening.what in _TEXTS:
            what += f': {" ".join(happening.text.split())}'
        found.append(Decided(what, happening.t - t0))
    return found


@dataclass(frozen=True)
class Difference:
    """What was decided in the record and not in the replay, and the other way round."""

    record: tuple[Decided, ...]
    replay: tuple[Decided, ...]


def differences(record: Sequence[Decided], replay: Sequence[Decided]) -> list[Difference]:
    """Where the two differ, in what was decided and in which order; not in when."""
    before, after = [d.what for d in record], [d.what for d in replay]
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    return [
        Difference(tuple(record[a:b]), tuple(replay[c:d]))
        for tag, a, b, c, d in matcher.get_opcodes()
        if tag != 'equal'
    ]
