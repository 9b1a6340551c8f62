"""Where there is speech in a recording: latency is measured on sound, not on timers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kame_ros.audio.frame import SAMPLE_RATE

_HOP = SAMPLE_RATE // 100  # 10 ms
_FLOOR = 10 ** (-50 / 20) * 32768  # below -50 dBFS nothing counts as speech
_BELOW_LOUD = 10 ** (-30 / 20)  # 30 dB below the loud parts of the same recording


@dataclass(frozen=True)
class Segment:
    """A stretch of sound, in seconds from the start of the recording."""

    start: float
    end: float


def voiced(samples: np.ndarray, merge: float = 0.4, shortest: float = 0.05) -> list[Segment]:
    """The stretches of a recording that are louder than its quiet.

    `samples` is int16 at 24 kHz. The threshold is 30 dB below the loud parts (95th percentile of
    the 10 ms levels), never below -50 dBFS; gaps shorter than `merge` seconds are bridged and
    stretches shorter than `shortest` are dropped. The resolution is 10 ms.
    """
    hops = len(samples) // _HOP
    if not hops:
        return []
    blocks = samples[: hops * _HOP].astype(np.float64).reshape(hops, _HOP)
    level = np.sqrt((blocks**2).mean(axis=1))
    heard = level[level > _FLOOR]
    if not len(heard):
        return []
    loud = level > max(_FLOOR, float(np.percentile(heard, 95)) * _BELOW_LOUD)
    edges = np.flatnonzero(np.diff(np.concatenate(([0], loud.astype(np.int8), [0]))))
    segments = [Segment(a * 0.01, b * 0.01) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    return [s for s in _merged(segments, merge) if s.end - s.start >= shortest]


def _merged(segments: list[Segment], gap: float) -> list[Segment]:
    merged: list[Segment] = []
    for segment in segments:
        if merged and segment.start - merged[-1].end < gap:
            merged[-1] = Segment(merged[-1].start, segment.end)
        else:
            merged.append(segment)
    return merged


def last_sound(segments: list[Segment], start: float, end: float) -> float | None:
    """The end of the last stretch that overlaps [start, end]; None if there is none."""
    ends = [s.end for s in segments if s.start < end and s.end > start]
    return ends[-1] if ends else None


def first_sound(segments: list[Segment], start: float, end: float) -> float | None:
    """The start of the first stretch that starts in [start, end); None if there is none."""
    starts = [s.start for s in segments if start <= s.start < end]
    return starts[0] if starts else None
