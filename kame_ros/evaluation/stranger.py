"""A recogniser outside of the graph: the words that a stranger hears in a recording, with times."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from kame_ros.record.speech import VAD_RATE, merged, speech_segments
from kame_ros.record.voiced import Segment
from kame_ros.wire.frame import SAMPLE_RATE
from kame_ros.wire.transcript import Word

DEFAULT_MODEL = 'whisper-base'
_WINDOW_S = 15.0  # of the encoder: a quarter of the work of 30 s, with the same errors
_AROUND_S = 0.2
_GAP_S = 0.6


class TimedWhisper:
    """Hears each stretch of speech by itself, so that silence is never turned into words."""

    def __init__(self, model: str = DEFAULT_MODEL) -> None:
        """Raises MissingWeights."""
        from kame_ros.stt.engines.whisper import WhisperRecogniser

        self.name = model
        self._whisper = WhisperRecogniser(model, language='en', window=_WINDOW_S)

    def words(self, samples: np.ndarray, segments: Sequence[Segment] | None = None) -> list[Word]:
        """What is heard in int16[n] at 24 kHz, with times in seconds of the recording.

        `segments`: where somebody speaks, if known.
        """
        import soxr

        found = speech_segments(samples) if segments is None else segments
        sound = soxr.resample(samples.astype(np.float32) / 32_768, SAMPLE_RATE, VAD_RATE)
        return [
            Word(w.text.strip(), w.start + start, w.end + start, w.probability)
            for start, end in self._pieces(list(found))
            for w in self._hear(sound, start, end)
        ]

    def _hear(self, sound: np.ndarray, start: float, end: float) -> Sequence[Word]:
        part = sound[round(start * VAD_RATE) : round(end * VAD_RATE)]
        return self._whisper.recognise(part.astype(np.float32), final=True).words

    def _pieces(self, segments: list[Segment]) -> list[tuple[float, float]]:
        """Stretches with some silence around, none longer than the recogniser hears at once."""
        longest = self._whisper.max_sound_s - 2 * _AROUND_S
        pieces: list[Segment] = []
        for stretch in merged(segments, _GAP_S):
            parts = [s for s in segments if s.start >= stretch.start and s.end <= stretch.end]
            for part in parts:
                joins = pieces and part.start - pieces[-1].end <= _GAP_S
                if joins and part.end - pieces[-1].start <= longest:
                    pieces[-1] = Segment(pieces[-1].start, part.end)
                else:
                    pieces += _cut(part, longest)
        return [(max(0.0, p.start - _AROUND_S), p.end + _AROUND_S) for p in pieces]


def _cut(segment: Segment, longest: float) -> list[Segment]:
    count = max(1, int(np.ceil((segment.end - segment.start) / longest)))
    edges = np.linspace(segment.start, segment.end, count + 1)
    return [Segment(float(a), float(b)) for a, b in pairwise(edges)]
