"""One utterance with the sound that a re-decoding engine may hear again."""

from __future__ import annotations

import math

import numpy as np

from kame_ros.audio.hearing import MODEL_RATE, Window
from kame_ros.stt.agreement import AgreementConfig, has_number
from kame_ros.stt.heard import UtteranceSound

_CUT_LEAVES = 0.3  # s of sound kept before a cut would touch the next word
_SENTENCE_ENDS = '.?!。'


class Utterance(UtteranceSound):
    """Sound from a little before the first voice on, and what is known of its text.

    `begin` is the start of the sound that is kept. What was heard in that sound is what its newest
    decode says. Words whose sound was given up are committed, and only they.
    """

    def __init__(self, number: int, windows: list[Window], config: AgreementConfig) -> None:
        super().__init__(number, windows[0].t, config)
        self.failed_at = -math.inf  # `end` when the engine failed on it; -inf: it did not
        self._sound: list[np.ndarray] = [w.sound for w in windows]

    @property
    def end(self) -> float:
        """End of the sound, s of the stream."""
        return self.begin + self.length_s

    @property
    def length_s(self) -> float:
        """Seconds of sound that are kept."""
        return sum(len(part) for part in self._sound) / MODEL_RATE

    def add(self, window: Window) -> None:
        """The sound goes on."""
        self._sound.append(window.sound)

    def sound(self, seconds: float) -> np.ndarray:
        """The first seconds of the sound that is kept, float32[n] at 16 kHz."""
        return self._whole()[: int(min(seconds, self.length_s) * MODEL_RATE)]

    def _whole(self) -> np.ndarray:
        if len(self._sound) > 1:
            self._sound = [np.concatenate(self._sound)]
        return self._sound[0]

    def trim_end(self, t: float) -> None:
        """Drop the sound after `t`."""
        self._sound = [self.sound(max(0.0, t - self.begin))]

    def shorten(self, seconds: float) -> float:
        """Give up so much sound from the start, and commit the words in it. Seconds given up.

        A word that the end of that sound would divide is heard, and its rest is not heard again.
        """
        words = self.agreement.words
        inside = [i for i, word in enumerate(words, 1) if word.start + word.end <= 2 * seconds]
        count = inside[-1] if inside else 0
        if count:
            seconds = max(seconds, words[count - 1].end)
        return self._give_up(count, min(seconds, self.length_s))

    def _give_up(self, words: int, seconds: float) -> float:
        whole = self._whole()
        count = min(len(whole), int(seconds * MODEL_RATE))
        self._sound = [whole[count:]]
        self.commit(words, count / MODEL_RATE)
        return count / MODEL_RATE

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
        self._give_up(i, at)
        return True
