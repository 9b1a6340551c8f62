"""The turns of a conversation from its sound: when the user ended, when the robot answered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kame_ros.record.speech import ROBOT_GAP_S, common, merged, seconds
from kame_ros.record.voiced import Segment

BACKCHANNEL_S = 1.0  # what is shorter, and over before the user's turn is, is no answer
BACKCHANNEL_WORDS = 2
_LOUD_BEFORE_S = 0.1  # a stretch that began so shortly before the user did is not cut by them
TURN_GAP_S = 2.0  # the user's turn goes on after a shorter pause, if the robot did not answer in it

DEFINITION = (
    'latency: first sample of the answer minus last sample of the user, signed, by Silero on both '
    'channels (threshold 0.5, voice of 0.25 s, silence of 0.1 s), or by the label where the scene '
    "has one; the answer is the first speech of the robot that begins in the user's turn or after "
    'it and is no back-channel (under 1 s, two words at most, over before the turn is)'
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


def _is_backchannel(stretch: Segment, turn: Segment, words: Words | None) -> bool:
    short = stretch.end - stretch.start < BACKCHANNEL_S and stretch.end <= turn.end
    return short and (words is None or words(stretch) <= BACKCHANNEL_WORDS)
