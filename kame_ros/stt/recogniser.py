"""What every speech recogniser offers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from kame_ros.stt.transcript import Word


class RecogniserError(RuntimeError):
    """The engine failed on this sound; the next one may succeed."""


@dataclass(frozen=True)
class Hypothesis:
    """What an engine hears in a sound.

    The text of a word has its punctuation and the blank before it, so that joined words are the
    text; times are seconds from the start of the sound. `log_probability` is the mean over the
    tokens, `no_speech` the model's own doubt that anyone speaks (0 where the engine has none).
    """

    words: tuple[Word, ...] = ()
    log_probability: float = 0.0
    no_speech: float = 0.0
    language: str = ''

    @property
    def text(self) -> str:
        """All words."""
        return ''.join(word.text for word in self.words).strip()


class Recogniser(Protocol):
    """An engine. One thread owns it; a call blocks until the sound is decoded."""

    max_sound: float  # seconds it hears in one call

    def recognise(self, sound: np.ndarray, final: bool) -> Hypothesis:
        """Decode float32[n] at 16 kHz, the whole of it. `final` asks for quality over speed.

        Nothing of earlier text is given: what conditions a decoder can make it loop, and text that
        was heard wrongly would spoil what follows. Raises RecogniserError.
        """

    def warm_up(self) -> None:
        """Load and decode once, so that the first call is as fast as the others."""
