"""The turns of a conversation from its sound: when the user ended, when the robot answered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kame_ros.record.speech import ROBOT_GAP_S, common, merged, seconds
from kame_ros.record.voiced import Segment

BACKCHANNEL_S = 1.0  # what is shorter, and over before the user's turn is, is no answer
BACKCHANNEL_WORDS = 2
_LOUD_BEFORE_S = 0.1  # a stretch that began so shortly before the user did is not cut by them
WORD_BEFORE_S = 0.5  # a word is told of shortly before its sound is loud enough to be speech
_LEAD_S = 0.25  # so long may speech sound before its first word is told
TURN_GAP_S = 2.0  # the user's turn goes on after a shorter pause, if the robot did not answer in it

DEFINITION = (
    'latency: first sample of the answer minus last sample of the user, signed, by Silero on both '
    'channels (threshold 0.5, voice of 0.25 s, silence of 0.1 s), or by the label where the scene '
    "has one; the answer is the first speech of the robot that begins in the user's turn or after "
    'it and is no back-channel (under 1 s, two words at most, over before the turn is) and no hum '
    '(no word of the front-end is in it)'
)


@dataclass(frozen=True)
class SoundTurn:
    """A turn of the user, in seconds of the recording; `response` is the robot's stretch, or None.

    `overlap_s`: for how long both spoke, from the begin of this turn to that of the next.
    `until`: when the next turn begins.
    """

    start: float
    end: float
    response: Segment | None
    overlap_s: float = 0.0
    until: float = float('inf')

    @property
    def latency(self) -> float | None:
        """Seconds, negative where the robot began before the user had ended."""
        return None if self.response is None else self.response.start - self.end


Words = Callable[[Segment], int]  # how many words are in a stretch of the robot


def user_turns(user: Sequence[Segment], robot: Sequence[Segment]) -> list[Segment]:
    """The user's turns where nothing labels them.

    Stretches are one turn as long as the pause between them is no longer than 2 s and the robot
    did not begin to speak in it.
    """
    turns: list[Segment] = []
    for segment in user:
        if turns:
            pause = segment.start - turns[-1].end
            answered = any(turns[-1].end <= r.start < segment.start for r in robot)
            if pause <= TURN_GAP_S and not answered:
                turns[-1] = Segment(turns[-1].start, segment.end)
                continue
        turns.append(segment)
    return turns


def respond(
    turns: Sequence[Segment],
    robot: Sequence[Segment],
    user: Sequence[Segment] = (),
    words: Words | None = None,
) -> list[SoundTurn]:
    """The robot's answer to each turn. `robot` are its stretches, `user` those of the user.

    What sounded already when the user began answers nothing. `words` counts those of a stretch,
    where they are known: a back-channel has two at most.
    """
    stretches = merged(robot, ROBOT_GAP_S)
    both = common(user or turns, robot)
    out = []
    for place, turn in enumerate(turns):
        until = turns[place + 1].start if place + 1 < len(turns) else float('inf')
        answer = next(
            (
                r
                for r in stretches
                if turn.start + _LOUD_BEFORE_S < r.start < until
                and not _is_backchannel(r, turn, words)
            ),
            None,
        )
        over = [Segment(max(b.start, turn.start), min(b.end, until)) for b in both]
        overlap = seconds(b for b in over if b.end > b.start)
        out.append(SoundTurn(turn.start, turn.end, answer, overlap, until))
    return out


def worded(robot: Sequence[Segment], words: Sequence[float]) -> list[Segment]:
    """The stretches of the robot's speech but those in which it only hums.

    `words`: when each of its words begins, as the front-end tells; where it tells none, any speech
    counts.
    """
    if not words:
        return list(robot)
    kept: list[Segment] = []
    for stretch in robot:
        goes_on = bool(kept) and stretch.start - kept[-1].end <= ROBOT_GAP_S
        if goes_on or _first_word(stretch, words) is not None:
            kept.append(stretch)
    return kept


def from_words(robot: Sequence[Segment], words: Sequence[float]) -> list[Segment]:
    """The same; where speech follows right on a hum, it begins with its first word."""
    out: list[Segment] = []
    for stretch in worded(robot, words):
        word = _first_word(stretch, words)
        goes_on = bool(out) and stretch.start - out[-1].end <= ROBOT_GAP_S
        hum_s = 0.0 if word is None or goes_on else word - stretch.start
        short = _LEAD_S < hum_s < BACKCHANNEL_S
        out.append(Segment(stretch.start + hum_s, stretch.end) if short else stretch)
    return out


def _first_word(stretch: Segment, words: Sequence[float]) -> float | None:
    inside = (t for t in words if stretch.start - WORD_BEFORE_S <= t < stretch.end)
    return min(inside, default=None)


def _is_backchannel(stretch: Segment, turn: Segment, words: Words | None) -> bool:
    short = stretch.end - stretch.start < BACKCHANNEL_S and stretch.end <= turn.end
    return short and (words is None or words(stretch) <= BACKCHANNEL_WORDS)
