"""The figures of Full-Duplex-Bench v1 and v1.5, mended; with `compat` as its code gives them.

Facts of its code (DanielLin94144/Full-Duplex-Bench, CC BY-NC 4.0), written anew; nothing is taken.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kame_ros.evaluation.words import INSTALL, NotInstalled
from kame_ros.record.speech import ROBOT_GAP_S, USER_GAP_S, common, merged
from kame_ros.record.voiced import Segment
from kame_ros.wire.transcript import Word

LONG_S = 3.0  # a stretch that is longer is no back-channel
BIN_S = 0.2
_SHORT_S, _SHORT_WORDS = 1.0, 3
TASKS = ('pause', 'turn_taking', 'interruption', 'backchannel', 'overlap')


@dataclass(frozen=True)
class Backchannels:
    """TOR, back-channels a second, and the distance to the human distribution (nan: not known)."""

    tor: int
    frequency: float
    distance: float


def duration(words: Sequence[Word]) -> float:
    """From the first word to the last one; v1 takes the start of a last word without an end."""
    if not words:
        return 0.0
    last = words[-1]
    end = last.end if math.isfinite(last.end) and last.end >= last.start else last.start
    return end - words[0].start


def tor(words: Sequence[Word]) -> int:
    """1 if the words take the turn: a second of them, or more than three."""
    if not words:
        return 0
    return int(not (duration(words) < _SHORT_S and len(words) <= _SHORT_WORDS))


def turn_latency(words: Sequence[Word], turn_end: float, compat: bool = False) -> float:
    """First word minus the end of the turn, of an answer with TOR 1; signed, unless `compat`."""
    latency = words[0].start - turn_end
    return max(0.0, latency) if compat else latency


def interruption(
    words: Sequence[Word], end: float, compat: bool = False, speech: Sequence[Segment] = ()
) -> tuple[int, float]:
    """TOR and latency after an interruption that ends at `end`.

    With `compat` what is said after it counts, though it began before: a robot that simply talks
    on answers at once. Mended: the first stretch of `speech` that begins after it.
    """
    if compat:
        after = [word for word in words if word.end > end]
        taken = tor(after)
        return taken, max(0.0, after[0].start - end) if taken else math.nan
    starts = [s.start for s in merged(speech, ROBOT_GAP_S) if s.start >= end]
    after = [word for word in words if starts and word.start >= starts[0] - 0.2]
    taken = tor(after)
    return taken, starts[0] - end if taken else math.nan


def backchannels(
    segments: Sequence[Segment],
    words: Sequence[Word],
    length: float,
    human: Sequence[float] | None = None,
    compat: bool = False,
) -> Backchannels:
    """Of a robot that should only listen. `human`: their probability for each 0.2 s."""
    taken, short = 0, []
    for segment in segments:
        seconds = segment.end - segment.start
        if seconds > LONG_S:
            taken = 1
            break
        inside = sum(w.start < segment.end and w.end > segment.start for w in words)
        this = int(not (seconds < 1.0 and inside <= 2))
        taken = this if compat else max(taken, this)
        short.append(segment)
    distance = math.nan if human is None else _distance(short, human, length, compat)
    return Backchannels(taken, len(short) / length if length else 0.0, distance)


def _distance(
    segments: Sequence[Segment], human: Sequence[float], length: float, compat: bool
) -> float:
    """Jensen and Shannon's, of the times of back-channels; 1 where there are none."""
    if not segments or not len(human):
        return 1.0
    try:
        from scipy.spatial.distance import jensenshannon
    except ImportError as error:
        raise NotInstalled(INSTALL) from error
    bins = max(1, math.ceil(length / BIN_S))
    ours = np.zeros(bins)
    for segment in segments:
        first = int(segment.start / BIN_S)
        ours[first : max(first + 1, math.ceil(segment.end / BIN_S))] += 1
    places = np.linspace(0, len(human) - 1, bins)
    theirs = np.interp(places, np.arange(len(human)), np.asarray(human, np.float64))
    p, q = ours + 1e-10, theirs + 1e-10
    base = None if compat else 2.0
    return float(jensenshannon(p / p.sum(), q / q.sum(), base))


@dataclass(frozen=True)
class OverlapTimes:
    """v1.5: how long both spoke once the user spoke over it, and when it began again."""

    stop: float  # nan: they did not overlap
    response: float  # nan: it said nothing more
    resumed: bool


def overlap(
    user: Sequence[Segment],
    robot: Sequence[Segment],
    span: Segment,
    length: float,
    compat: bool = False,
) -> OverlapTimes:
    """Times around what was said over the robot in `span`.

    With `compat` the stop is the time in which both speak; mended: from its begin to the end of the
    robot's stretch, or of the file, so that a robot that never stops is not the length of the user.
    """
    users, robots = merged(user, USER_GAP_S), merged(robot, ROBOT_GAP_S)
    both = [b for b in common(users, robots) if b.end > span.start]
    stop = math.nan
    if both:
        stop = both[0].end - both[0].start
        if not compat:
            whole = [r for r in robots if r.start < both[0].end and r.end > both[0].start]
            stop = min(whole[0].end, length) - both[0].start
    ends = [u.end for u in users if u.end >= span.start] or [span.end]
    later = [r.start for r in robots if r.start > ends[0]]
    response = later[0] - ends[0] if later else math.nan
    resumed = bool(both) and bool(later) and later[0] - both[0].end <= 2.0
    return OverlapTimes(stop, response, resumed)


def means(rows: Sequence[Mapping[str, float]]) -> dict[str, tuple[float, int]]:
    """The mean of each figure and how many there are; what is nan is left out."""
    names = sorted({name for row in rows for name in row})
    out = {}
    for name in names:
        values = [row[name] for row in rows if name in row and not math.isnan(row[name])]
        out[name] = (float(np.mean(values)) if values else math.nan, len(values))
    return out
