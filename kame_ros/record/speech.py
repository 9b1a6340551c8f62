"""Finds where somebody speaks in a recording, by Silero: noise and music are no speech."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from kame_ros.record.voiced import Segment
from kame_ros.wire.frame import SAMPLE_RATE

VAD_RATE = 16_000
THRESHOLD = 0.5
SHORTEST_MS, SILENCE_MS, PAD_MS = 250, 100, 30  # as Full-Duplex-Bench asks Silero
USER_GAP_S, ROBOT_GAP_S = 0.6, 0.5  # over which stretches are one (Full-Duplex-Bench v1.5)


def speech_segments(samples: np.ndarray, rate: int = SAMPLE_RATE) -> list[Segment]:
    """The stretches in which somebody speaks, of int16[n] or floats[n] in [-1, 1].

    Voices of at least 0.25 s, silences of at least 0.1 s, 30 ms of margin. Needs faster-whisper,
    which brings Silero.
    """
    sound = samples.astype(np.float32) / (32_768.0 if samples.dtype == np.int16 else 1.0)
    if rate != VAD_RATE:
        import soxr

        sound = soxr.resample(sound, rate, VAD_RATE).astype(np.float32)
    if len(sound) < VAD_RATE // 20:
        return []
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    options = VadOptions(
        threshold=THRESHOLD,
        min_speech_duration_ms=SHORTEST_MS,
        min_silence_duration_ms=SILENCE_MS,
        speech_pad_ms=PAD_MS,
    )
    found = get_speech_timestamps(sound, options, sampling_rate=VAD_RATE)
    return [Segment(part['start'] / VAD_RATE, part['end'] / VAD_RATE) for part in found]


def merged(segments: Iterable[Segment], gap_s: float) -> list[Segment]:
    """Stretches with no more than `gap_s` between them are one."""
    out: list[Segment] = []
    for segment in segments:
        if out and segment.start - out[-1].end <= gap_s:
            out[-1] = Segment(out[-1].start, max(out[-1].end, segment.end))
        else:
            out.append(segment)
    return out


def common(a: Iterable[Segment], b: Iterable[Segment]) -> list[Segment]:
    """Where both speak."""
    others = list(b)
    both = [
        Segment(max(x.start, y.start), min(x.end, y.end))
        for x in a
        for y in others
        if x.start < y.end and y.start < x.end
    ]
    return sorted(both, key=lambda segment: segment.start)


def seconds(segments: Iterable[Segment]) -> float:
    """Of all stretches together."""
    return sum(segment.end - segment.start for segment in segments)
