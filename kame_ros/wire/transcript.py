"""What the user is heard to say, while the user still says it."""

from __future__ import annotations

from dataclasses import dataclass, field


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

    `text` is the whole text of the utterance so far. Its first `committed` characters never change
    in a later revision: their sound was given up. Its first `stable` characters were heard alike
    by successive decodes; they seldom change, and the last decode has the last word on them.
    `revision` counts from 0 within an `utterance`. Exactly one revision of an utterance is
    `final`, and it is the last. `start` and `end` delimit the speech on the audio clock, in
    seconds; `published` is when the revision was, where a message told it.
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
    stable: int = 0
    published: float = field(default=0.0, compare=False)

    def __post_init__(self) -> None:
        if not 0 <= self.committed <= len(self.text):
            raise ValueError(f'committed {self.committed} is outside the text of {len(self.text)}')
        if not 0 <= self.stable <= len(self.text):
            raise ValueError(f'stable {self.stable} is outside the text of {len(self.text)}')
        if self.final and self.committed != len(self.text):
            raise ValueError('a final transcript is committed as a whole')

    @property
    def committed_text(self) -> str:
        """The part of the text that never changes."""
        return self.text[: self.committed]

    @property
    def stable_text(self) -> str:
        """The part of the text to begin work on; what is committed is part of it."""
        return self.text[: max(self.committed, self.stable)]
