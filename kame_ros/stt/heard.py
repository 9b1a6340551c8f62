"""The words of one utterance so far, how many of them are settled, and its transcripts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from kame_ros.audio.hearing import Window
from kame_ros.stt.agreement import Agreement, AgreementConfig, core, has_number
from kame_ros.wire.transcript import Transcript, Word


class HeardWords:
    """The words of an utterance that grows, and the transcripts that tell of them.

    Times are seconds of the stream; word times inside the agreement count from `begin`. Words that
    can never change again are in `past`: they are committed, and only they. All others are what the
    newest decode says.
    """

    def __init__(self, number: int, begin: float, config: AgreementConfig) -> None:
        self.number = number
        self.agreement = Agreement(config)
        self.past: list[Word] = []
        self.begin = begin
        self.start = begin  # of the speech; corrected by the owner
        self.voice_end = begin
        self.voiced_s = 0.0
        self.closed = False
        self.decoded_to = begin  # end of the sound of the last decode
        self.known_to = begin  # the same, of the last one that did not fail
        self.decodes = 0
        self.language = ''
        self.revision = 0  # of the next transcript
        self._last: tuple[str, int, int] | None = None

    @property
    def published(self) -> bool:
        """Whether anyone was told of it."""
        return self.revision > 0

    def commit(self, count: int, shift: float = 0.0) -> None:
        """The first words go to the past; `begin` moves on by `shift` s."""
        gone = self.agreement.forget(count, shift)
        self.past += [_later(word, self.begin) for word in gone]
        self.begin += shift

    def text(self) -> str:
        """The whole text."""
        return ''.join(w.text for w in self.past + self.agreement.words).strip()

    def _stable(self) -> int:
        """How many characters of the text are committed or stable.

        The punctuation after the last stable word is open, and a number is until a word follows.
        """
        count = self.agreement.stable
        while count and has_number(self.agreement.words[count - 1].text):
            count -= 1
        return self._characters(self.past + self.agreement.words[:count])

    def _characters(self, words: list[Word]) -> int:
        return len(core(''.join(w.text for w in words).lstrip()))

    def transcript(
        self, clock: Callable[[float], float], final: bool, words: bool = False
    ) -> Transcript | None:
        """The next revision; None for a partial that says nothing new. Counts it as published."""
        text, committed, stable = self.text(), self._characters(self.past), self._stable()
        if final:
            committed = stable = len(text)
        elif self._last == (text, committed, stable) or not (text or self.published):
            return None
        self._last = (text, committed, stable)
        self.revision += 1
        end = self.voice_end if self.closed else min(self.decoded_to, self.voice_end)
        kept = [_later(w, self.begin) for w in self.agreement.words]
        return Transcript(
            utterance=self.number,
            revision=self.revision - 1,
            text=text,
            committed=committed,
            final=final,
            start=clock(self.start),
            end=clock(max(self.start, end)),
            language=self.language,
            words=tuple(
                Word(w.text.strip(), clock(w.start), clock(w.end), w.probability)
                for w in self.past + kept
            )
            if words
            else (),
            stable=stable,
        )


class UtteranceSound(HeardWords):
    """An utterance with the sound of it that is kept. What is kept, a subclass decides."""

    @property
    def length_s(self) -> float:
        """Seconds of the sound that is kept."""
        raise NotImplementedError

    def add(self, window: Window) -> None:
        """The sound goes on."""
        raise NotImplementedError

    def trim_end(self, t: float) -> None:
        """Drop the sound after `t`."""
        raise NotImplementedError


def _later(word: Word, seconds: float) -> Word:
    return replace(word, start=word.start + seconds, end=word.end + seconds)
