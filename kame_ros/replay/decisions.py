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
_NEAR_S = 2.0  # a decision that is taken again later than that is another one
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


@dataclass(frozen=True)
class Moved:
    """A decision that both have, before or after others."""

    record: Decided
    replay: Decided

    def __str__(self) -> str:
        return f'{self.record.t:7.2f} s → {self.replay.t:.2f} s  {self.record.what}'


@dataclass(frozen=True)
class Compared:
    """Where a record and its replay differ, not counting when: `moved` is in both."""

    differences: list[Difference]
    moved: list[Moved]


def compare(record: Sequence[Decided], replay: Sequence[Decided]) -> Compared:
    """Lays the decisions of a replay beside those of the record."""
    before, after = [d.what for d in record], [d.what for d in replay]
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    places = [row[1:] for row in matcher.get_opcodes() if row[0] != 'equal']
    added = {at: replay[at] for _, _, c, d in places for at in range(c, d)}
    moved: dict[int, int] = {}  # place in the record -> in the replay
    for at in (at for a, b, _, _ in places for at in range(a, b)):
        old = record[at]
        near = {
            there: abs(new.t - old.t)
            for there, new in added.items()
            if new.what == old.what and abs(new.t - old.t) <= _NEAR_S
        }
        if near:
            moved[at] = min(near, key=near.__getitem__)
            del added[moved[at]]
    found = []
    for a, b, c, d in places:
        lost = tuple(record[at] for at in range(a, b) if at not in moved)
        new = tuple(replay[at] for at in range(c, d) if at in added)
        if lost or new:
            found.append(Difference(lost, new))
    return Compared(found, [Moved(record[a], replay[c]) for a, c in moved.items()])
