"""A recogniser of any words that never heard this voice: Whisper, to tell what a stranger hears."""

from __future__ import annotations

import re

import numpy as np

from kame_ros.audio.frame import SAMPLE_RATE
from kame_ros.training.tiny.lexicon import SPOKEN

_RATE = 16_000


class Stranger:
    """Hears sound at 24 kHz and gives words in small letters, digits as words."""

    def __init__(self, model: str) -> None:
        """Raises MissingWeights."""
        from kame_ros.stt.whisper import WhisperRecogniser

        self._whisper = WhisperRecogniser(model, language='en', window=30.0)

    def words(self, sound: np.ndarray) -> list[str]:
        """The words of float[n]."""
        import soxr

        heard = self._whisper.recognise(soxr.resample(sound, SAMPLE_RATE, _RATE), final=True)
        return plain(heard.text)


def plain(text: str) -> list[str]:
    """The words of a text without case and marks; each digit is a word.

    >>> plain("It's 25 degrees, Anna.")
    ["it's", 'two', 'five', 'degrees', 'anna']
    """
    apart = re.sub(r'(\d)', r' \1 ', text.lower().replace('%', ' percent').replace('\u2019', "'"))
    return [SPOKEN.get(word, word) for word in re.findall(r"[a-z']+|\d", apart)]
