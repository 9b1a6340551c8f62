"""Takes the oracle from a front-end with no ear of its own when the user speaks over it. Pure."""

from __future__ import annotations

from kame_ros.turns.barge_in import BargeIn, Verdict
from kame_ros.turns.words_heard import WordsHeard
from kame_ros.wire.oracle import Oracle


class Overlap:
    """What the stt node tells in, whether to drop the oracle out. Times on the audio clock, s.

    The front-end goes on listening and speaking as it likes; only what it was told to say is taken
    back, once the user has spoken over it for long enough or their words are no back-channel. The
    answer to what the user is saying comes while they say it, and is not spoken over; nor is what
    another node has to say. A front-end that hears for itself when it is spoken over is not judged
    here: there is one judge. Owned by one thread.
    """

    def __init__(self) -> None:
        self._judge = BargeIn()
        self.reset()

    def reset(self) -> None:
        """A new session."""
        self._judge.reset()
        self.words = WordsHeard()
        self._speaking = False
        self._utterance = -1
        self._start = self._end = -1e9

    def on_speech(self, speaking: bool, t: float, utterance: int = -1) -> None:
        """The user begins or ends to speak, and the number that the stt node gives to it."""
        self._speaking = speaking
        if speaking:
            self.words.clear()
            self._start = self._end = t
            self._utterance = utterance
        else:
            self._end = t

    def update(self, now: float, oracle: Oracle | None) -> bool:
        """Whether the oracle that is there, if one is, must go. Once for each overlap."""
        if self._speaking:
            self._end = now
        verdict = self._judge.update(
            now,
            floor=self._can_be_spoken_over(oracle),
            speaking=self._speaking,
            start=self._start,
            voice_end=self._end,
            heard=self.words,
        )
        if verdict is Verdict.STOP:
            self._speaking = False  # what they go on to say is no second interruption
        return verdict is Verdict.STOP

    def _can_be_spoken_over(self, oracle: Oracle | None) -> bool:
        if oracle is None or oracle.priority > 0:
            return False
        return not 0 <= self._utterance <= oracle.utterance
