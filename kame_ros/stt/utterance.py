"""One utterance while it grows: its sound, its words, its revisions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from kame_ros.audio.hearing import MODEL_RATE, Window
from kame_ros.stt.agreement import Agreement, AgreementConfig, core, has_number
from kame_ros.stt.transcript import Transcript, Word

_CUT_LEAVES = 0.3  # s of sound kept before a cut would touch the next word
_SENTENCE_ENDS = '.?!。'


class Utterance:
    """Sound from a little before the first voice on, and what is known of its text.

    Times are seconds of the stream; word times inside the agreement count from the start of the
    sound that is kept. What was heard in that sound is what its newest decode says. Words whose
    sound was given up are in `past`: they are committed, and only they.
    """

    def __init__(self, number: int, windows: list[Window], config: AgreementConfig) -> None:
        self.number = number
        self.agreement = Agreement(config)
        self.past: list[Word] = []
        self.start = windows[0].t  # of the speech; corrected by the owner
        self.voice_end = windows[-1].end
        self.voiced = 0.0
        self.closed = False
        self.decoded_to = windows[0].t  # end of the sound of the last decode, s of the stream
        self.known_to = windows[0].t  # the same, of the last one that did not fail
        self.decodes = 0
        self.language = ''
        self.revision = 0  # of the next transcript
        self._begin = windows[0].t
        self._sound: list[np.ndarray] = [w.sound for w in windows]
        self._last: tuple[str, int, int] | None = None

    @property
    def begin(self) -> float:
        """Start of the sound that is kept, s of the stream."""
        return self._begin

    @property
    def end(self) -> float:
        """End of the sound, s of the stream."""
        return self._begin + self.length

    @property
    def length(self) -> float:
        """Seconds of sound that are kept."""
        return sum(len(part) for part in self._sound) / MODEL_RATE

    @property
    def published(self) -> bool:
        """Whether anyone was told of it."""
        return self.revision > 0

    def add(self, window: Window) -> None:
        """The sound goes on."""
        self._sound.append(window.sound)

    def sound(self, seconds: float) -> np.ndarray:
        """The first seconds of the sound that is kept, float32[n] at 16 kHz."""
        return self._whole()[: int(seconds * MODEL_RATE)]

    def _whole(self) -> np.ndarray:
        if len(self._sound) > 1:
            self._sound = [np.concatenate(self._sound)]
        return self._sound[0]

    def trim_end(self, t: float) -> None:
        """Drop the sound after `t`."""
        self._sound = [self.sound(max(0.0, t - self._begin))]

    def shorten(self, seconds: float) -> float:
        """Give up so much sound from the start; all that is known of it is committed. Seconds."""
        begin = self._begin
        self._drop(seconds)
        self._commit(len(self.agreement.words), begin)
        return self._begin - begin

    def _drop(self, seconds: float) -> None:
        whole = self._whole()
        count = min(len(whole), int(seconds * MODEL_RATE))
        self._sound = [whole[count:]]
        self._begin += count / MODEL_RATE

    def cut(self, after: float, until: float) -> bool:
        """Cut the sound where a word has ended, between `after` and `until`; False if none has.

        Never inside a number if there is another place; at the end of a sentence, else at the
        longest gap.
        """
        words = self.agreement.words
        places = [i for i, word in enumerate(words, 1) if after <= word.end <= until]
        if not places:
            return False

        def merit(i: int) -> tuple[bool, bool, float, int]:
            before, after = words[i - 1], words[i] if i < len(words) else None
            gap = after.start - before.end if after else 0.0
            number = has_number(before.text) and (after is None or has_number(after.text))
            return not number, before.text[-1:] in _SENTENCE_ENDS, gap, i

        i = max(places, key=merit)
        at = words[i - 1].end
        if i < len(words):
            at = min(max(at, words[i].start - _CUT_LEAVES), words[i].start)
        begin = self._begin
        self._drop(at)
        self._commit(i, begin)
        return True

    def _commit(self, count: int, begin: float) -> None:
        """The first words go to the past; the sound began at `begin` before it was cut."""
        gone = self.agreement.forget(count, self._begin - begin)
        self.past += [_later(word, begin) for word in gone]

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
        kept = [_later(w, self._begin) for w in self.agreement.words]
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


def _later(word: Word, seconds: float) -> Word:
    return replace(word, start=word.start + seconds, end=word.end + seconds)
