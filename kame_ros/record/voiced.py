"""Finds where there is speech in a recording: latency is measured on sound, not on timers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kame_ros.audio.level import RECORDED_SPEECH_RMS_DBFS, amplitude, pcm
from kame_ros.wire.frame import SAMPLE_RATE

HOP_S = 0.01
_HOP = round(SAMPLE_RATE * HOP_S)  # samples
_MERGE_S, _SHORTEST_S = 0.4, 0.05  # a shorter gap is bridged, a shorter stretch is dropped
_FLOOR = pcm(RECORDED_SPEECH_RMS_DBFS)
_BELOW_LOUD = amplitude(-30.0)  # 30 dB below the loud parts of the same recording


@dataclass(frozen=True)
class Segment:
    """A stretch of sound, in seconds from the start of the recording."""

    start: float
    end: float


def levels(samples: np.ndarray) -> np.ndarray:
    """The root mean square of each whole 10 ms of int16 samples at 24 kHz, 0 to 32768."""
    hops = len(samples) // _HOP
    blocks = samples[: hops * _HOP].astype(np.float64).reshape(hops, _HOP)
    return np.asarray(np.sqrt((blocks**2).mean(axis=1)))


def voiced(samples: np.ndarray) -> list[Segment]:
    """The stretches of a recording, int16 at 24 kHz, that are louder than its quiet."""
    return stretches(levels(samples))


def stretches(level: np.ndarray) -> list[Segment]:
    """The stretches that are louder than the quiet of a recording of which these are the levels.

    The threshold is 30 dB below the loud parts (95th percentile of the 10 ms levels), never below
    -50 dBFS; gaps shorter than 0.4 s are bridged and stretches shorter than 0.05 s are dropped.
    The resolution is 10 ms.
    """
    heard = level[level > _FLOOR]
    if not len(heard):
        return []
    loud = level > max(_FLOOR, float(np.percentile(heard, 95)) * _BELOW_LOUD)
    edges = np.flatnonzero(np.diff(np.concatenate(([0], loud.astype(np.int8), [0]))))
    found = [Segment(a * HOP_S, b * HOP_S) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    return [s for s in _merged(found) if s.end - s.start >= _SHORTEST_S]


def _merged(segments: list[Segment]) -> list[Segment]:
    merged: list[Segment] = []
    for segment in segments:
        if merged and segment.start - merged[-1].end < _MERGE_S:
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
