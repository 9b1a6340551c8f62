"""What every speech recogniser offers: one that decodes sound anew, or one that streams.

How a robot gets a new one: kame_ros/stt/engines/__init__.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from kame_ros.trust.redact import redact
from kame_ros.wire.transcript import Word


class RecogniserError(RuntimeError):
    """The engine failed on this sound; the next one may succeed."""


class ServerError(RecogniserError):
    """The engine is a server and gave no answer: it may come, or come back, later."""


def why(error: BaseException) -> str:
    """What an engine says that failed, in one line and without secrets."""
    kind = '' if isinstance(error, RecogniserError) else f'{type(error).__name__}: '
    return ' '.join(redact(f'{kind}{error}').split())


@dataclass(frozen=True)
class Hypothesis:
    """What an engine hears in a sound.

    The text of a word has its punctuation and the blank before it, so that joined words are the
    text; times are seconds from the start of the sound. `log_probability` is the mean over the
    tokens, `no_speech` the model's own doubt that anyone speaks (0 where the engine has none).
    A streaming engine says how many of the first words it will never change: `settled`.
    """

    words: tuple[Word, ...] = ()
    log_probability: float = 0.0
    no_speech: float = 0.0
    language: str = ''
    settled: int = 0

    @property
    def text(self) -> str:
        """All words."""
        return ''.join(word.text for word in self.words).strip()


@runtime_checkable
class Recogniser(Protocol):
    """An engine that hears a whole sound at once, again and again while it grows.

    One thread owns it; a call blocks until the sound is decoded. `Transcriber` makes it stream.
    """

    max_sound_s: float  # seconds it hears in one call, 4 at least; infinity: any

    def recognise(self, sound: np.ndarray, final: bool) -> Hypothesis:
        """Decode float32[n] at 16 kHz, the whole of it. `final` asks for quality over speed.

        Nothing of earlier text is given: what conditions a decoder can make it loop, and text that
        was heard wrongly would spoil what follows. Raises RecogniserError.
        """

    def warm_up(self) -> None:
        """Load and decode once, so that the first call is as fast as the others."""


@runtime_checkable
class StreamingRecogniser(Protocol):
    """An engine that hears each piece of sound once and remembers: it streams by itself.

    One thread owns it. It hears one utterance after the other, never two at a time.
    `StreamTranscriber` gives it the user's voice and publishes what it says.
    """

    def begin(self) -> None:
        """An utterance begins; all that was heard before is forgotten. Raises RecogniserError."""

    def hear(self, sound: np.ndarray) -> Hypothesis | None:
        """Take the next float32[n] at 16 kHz, up to 0.32 s of it.

        What is heard in the utterance so far, with times from its beginning; None: nothing new.
        Raises RecogniserError: the utterance then goes on after a new `begin`.
        """

    def finish(self) -> Hypothesis | None:
        """The utterance is over: the last word on it; None: what was said last holds."""

    def warm_up(self) -> None:
        """Load and decode once, so that the first call is as fast as the others."""
