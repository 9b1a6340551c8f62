"""What the user is heard to say, while the user still says it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Word:
    """One heard word with its time on the audio clock (s) and its probability (0 to 1)."""

    text: str
    start: float
    end: float
    probability: float = 1.0


@dataclass(frozen=True)
class Transcript:
    """One revision of what was heard in an utterance.

    `text` is the whole text of the utterance so far; its first `committed` characters never change
    in a later revision. `revision` counts from 0 within an `utterance`. Exactly one revision of
    an utterance is `final`, and it is the last. `start` and `end` delimit the speech on the audio
    clock, in seconds.
    """

    utterance: int
    revision: int
    text: str
    committed: int
    final: bool
    start: float
    end: float
    language: str = ''
    words: tuple[Word, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.committed <= len(self.text):
            raise ValueError(f'committed {self.committed} is outside the text of {len(self.text)}')
        if self.final and self.committed != len(self.text):
            raise ValueError('a final transcript is committed as a whole')

    @property
    def committed_text(self) -> str:
        """The part of the text that never changes."""
        return self.text[: self.committed]
