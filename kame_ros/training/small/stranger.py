"""A recogniser of any words that never heard this voice: Whisper, to tell what a stranger hears."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from kame_ros.training.small.spoken_form import spoken_words
from kame_ros.wire.frame import SAMPLE_RATE

_RATE = 16_000
_AROUND_S = 0.3  # of silence before and after: Whisper is not used to a word at the very edge
_QUIET = 0.003  # of full scale: a stranger hears nothing in what is below
_WINDOWS_S = (15.0, 30.0)  # of the encoder: the short one costs a quarter, with the same errors


class Hearer(Protocol):
    """Gives the words that it hears in float[n] at 24 kHz, as `spoken_words` writes them."""

    def __call__(self, sound: np.ndarray) -> list[str]:
        """Nothing for silence."""


class WhisperHearer:
    """See Hearer."""

    def __init__(self, model: str) -> None:
        """Raises MissingWeights."""
        from kame_ros.stt.engines.whisper import WhisperRecogniser

        self._whispers = [WhisperRecogniser(model, language='en', window=w) for w in _WINDOWS_S]

    def __call__(self, sound: np.ndarray) -> list[str]:
        """Of at most 27 s; what is longer is cut."""
        import soxr

        loud = np.flatnonzero(np.abs(sound) > _QUIET)
        if not len(loud):
            return []
        around = round(_AROUND_S * _RATE)
        inner = soxr.resample(sound[loud[0] : loud[-1] + 1], SAMPLE_RATE, _RATE)
        padded = np.pad(inner.astype(np.float32), around)
        short, long = self._whispers
        whisper = short if len(padded) <= short.max_sound_s * _RATE else long
        heard = whisper.recognise(padded[: int(whisper.max_sound_s * _RATE)], final=True)
        return spoken_words(heard.text)
