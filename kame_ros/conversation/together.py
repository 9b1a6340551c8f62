"""Which utterances of a conversation that goes on are one turn: by the rules of a record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kame_ros.conversation.conversation import Conversation
from kame_ros.conversation.turn import LiveTurn
from kame_ros.record.generations import GenerationRecord
from kame_ros.record.voiced import Segment
from kame_ros.record.whole_turns import BrokeIn, whole_turns
from kame_ros.text.well_formed import joined


@dataclass(frozen=True)
class Together:
    """A turn of the user, of one utterance or several, and the robot's answer.

    `broke_in`: when the robot took it too early for ended; what it said then is no answer.
    """

    parts: tuple[LiveTurn, ...]
    broke_in: tuple[BrokeIn, ...] = ()

    @property
    def last(self) -> LiveTurn:
        """Its newest utterance."""
        return self.parts[-1]

    @property
    def heard(self) -> list[tuple[LiveTurn, bool]]:
        """Its utterances, and whether the robot took the turn for ended after each."""
        after = {back.after for back in self.broke_in}
        return [(part, place in after) for place, part in enumerate(self.parts)]

    @property
    def said(self) -> str:
        """What the robot has answered so far."""
        words = [word for part in self.parts for word in part.words]
        return joined(w.text for w in words if not any(b.has(w.t) for b in self.broke_in))

    @property
    def generations(self) -> list[GenerationRecord]:
        """All answers that were asked for."""
        return [each for part in self.parts for each in part.generations.values()]

    @property
    def interrupted(self) -> bool:
        """Whether the user broke into the answer."""
        return any(part.barge_in is not None for part in self.parts)


def together(conversation: Conversation, after: int = 0) -> list[Together]:
    """The turns of a conversation, as far as they are known, from utterance `after` on."""
    parts = [turn for turn in conversation.turns if turn.number > after]
    wholes = whole_turns(
        [Segment(part.start, max(part.start, part.end or part.start)) for part in parts],
        apart={place for place in range(len(parts)) if _is_apart(parts, place)},
        ends=conversation.turn_ends,
        backs=conversation.taken_back,
        words=[word.t for part in parts for word in part.words],
    )
    return [Together(tuple(parts[p] for p in whole.places), whole.broke_in) for whole in wholes]


def _is_apart(parts: Sequence[LiveTurn], place: int) -> bool:
    """Whether it is no part of a spoken turn: the robot's own, a noise, what was typed."""
    part = parts[place]
    if part.utterance < 0 or (part.final and not part.heard.strip()):
        return True
    if part.end is not None and part.end <= part.start:
        return True
    return place > 0 and part.start < parts[place - 1].start  # the clock was set back
