"""Which utterances are one turn: the user paused, or the robot took them too early for finished.

The same rule as that of the LLM's history: what is said on after a turn was taken back belongs to
it, and so does what is said before it ended.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from kame_ros.record.voiced import Segment

_GOES_ON_S = 2.0  # who is heard so soon after a turn that was taken back speaks in it
_STOPS_S = 1.0  # in which the robot ends its word, and its sound leaves the loudspeaker
_RACE_S = 0.1  # by which the times of an event and of a sound may differ


@dataclass(frozen=True)
class BrokeIn:
    """The robot took the turn for ended at `at`, after utterance `after` of the turn (from 0).

    What it begins to say from then on and before `until` was not meant to be said.
    """

    at: float
    until: float
    after: int

    def has(self, t: float) -> bool:
        """Whether what begins at `t` was not meant."""
        return self.at - _RACE_S <= t < self.until


@dataclass(frozen=True)
class WholeTurn:
    """The places of its utterances among those that were given, from the first sound to the last.

    `broke_in`: when it was taken back.
    """

    places: tuple[int, ...]
    span: Segment
    broke_in: tuple[BrokeIn, ...] = ()


def whole_turns(
    spans: Sequence[Segment],
    *,
    apart: Collection[int] = (),
    ends: Sequence[float] = (),
    backs: Sequence[float] = (),
    words: Sequence[float] = (),
    voice: Sequence[Segment] = (),
) -> list[WholeTurn]:
    """The turns of utterances that were spoken at `spans`, in order; times of one clock, in s.

    `apart`: places of utterances that need no answer: they are of no other's turn. `ends`: when
    the front-end took a turn for ended; where it never tells, each utterance is a turn. `backs`:
    which of these it took back. `words`: when the robot began its words. `voice`: where the user
    is heard.
    """
    groups: list[list[int]] = []
    for place, span in enumerate(spans):
        before = groups[-1][-1] if groups else -1
        alone = not groups or before in apart or place in apart
        if not alone and _is_one(spans[before], span, ends, backs, words):
            groups[-1].append(place)
        else:
            groups.append([place])
    return [_whole(group, spans, ends, backs, voice) for group in groups]


def _is_one(
    first: Segment,
    second: Segment,
    ends: Sequence[float],
    backs: Sequence[float],
    words: Sequence[float],
) -> bool:
    if any(first.start < t < second.end and t >= second.start - _GOES_ON_S for t in backs):
        return True
    ended = any(first.start < t <= second.start for t in ends)
    said = any(first.end <= t < second.start for t in words)
    return bool(ends) and not ended and not said


def _whole(
    group: Sequence[int],
    spans: Sequence[Segment],
    ends: Sequence[float],
    backs: Sequence[float],
    voice: Sequence[Segment],
) -> WholeTurn:
    span = Segment(spans[group[0]].start, spans[group[-1]].end)
    broke_in = []
    for t in sorted(backs):
        if not span.start < t < span.end:
            continue
        goes_on = next((s.start for s in voice if s.start >= t - _RACE_S), t)
        goes_on = min(goes_on, t + _GOES_ON_S)
        next_end = next((e for e in sorted(ends) if e > goes_on + _RACE_S), float('inf'))
        after = max(n for n, place in enumerate(group) if n == 0 or spans[place].start <= t)
        broke_in.append(BrokeIn(t, min(goes_on + _STOPS_S, next_end), after))
    return WholeTurn(tuple(group), span, tuple(broke_in))
