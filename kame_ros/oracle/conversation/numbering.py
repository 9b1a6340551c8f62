"""Which transcripts are news, whoever numbers them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from kame_ros.oracle.policy.compare import is_older
from kame_ros.wire.transcript import Transcript

_SILENCE_S = 10.0  # after so long any numbering is believed
_STEP = 3  # utterances: a run of numbers may skip some that nobody understood
_RUNS = 4  # other runs of numbers that are remembered


@dataclass
class Numbering:
    """Follows the numbers of utterances and revisions, which grow.

    One message with a high number must not make all that follow old, nor a transcriber that counts
    from below after a restart. So lower numbers are news again when they go on with a run that was
    heard before, or tell of speech that came later (`_is_later`), and any number is after 10 s of
    silence. Every other lone lower one is old: it came late.
    """

    newest: Transcript | None = None
    heard_at: float = float('-inf')
    _others: deque[Transcript] = field(default_factory=lambda: deque(maxlen=_RUNS))

    def is_old(self, t: float, transcript: Transcript) -> bool:
        """Whether the transcript, heard at `t` seconds, is to be passed over."""
        newest = self.newest
        if newest is None or not is_older(transcript, newest):
            return False
        if not self.heard_at - 1.0 <= t <= self.heard_at + _SILENCE_S:  # or the clock was set
            same = transcript.utterance == newest.utterance
            return same and transcript.revision >= newest.revision
        if _is_again(transcript, newest) or any(_is_again(transcript, o) for o in self._others):
            return True
        if self._is_later(transcript, newest):
            return False
        return not any(_goes_on(run, transcript) for run in self._others)

    def starts_anew(self, t: float, transcript: Transcript) -> bool:
        """Whether it is news in spite of its lower number."""
        old = self.newest is not None and is_older(transcript, self.newest)
        return old and not self.is_old(t, transcript)

    def take(self, t: float, transcript: Transcript) -> None:
        """Takes note of one that is news."""
        newest, self.heard_at = self.newest, t
        self.newest = transcript
        self._others = deque(
            (run for run in self._others if not _goes_on(run, transcript)), maxlen=_RUNS
        )
        if newest is not None and not _goes_on(newest, transcript):
            self._others.append(newest)

    def pass_over(self, transcript: Transcript) -> None:
        """Takes note of an old one; if it is of another run, the next one of that is news."""
        if self.newest and transcript.utterance in (self.newest.utterance, *self._utterances):
            return
        self._others.append(transcript)

    def _is_later(self, transcript: Transcript, newest: Transcript) -> bool:
        """Whether it was said after the newest, or after that was heard; else it may just be late.

        Each stamp is enough: who forges a number can forge one, but not when it came.
        """
        return transcript.start > newest.end or transcript.end > self.heard_at

    @property
    def _utterances(self) -> list[int]:
        return [run.utterance for run in self._others]


def _is_again(transcript: Transcript, heard: Transcript) -> bool:
    """The same utterance, not newer than what was heard of it."""
    return transcript.utterance == heard.utterance and (
        heard.final or transcript.revision <= heard.revision
    )


def _goes_on(run: Transcript, transcript: Transcript) -> bool:
    if transcript.utterance == run.utterance:
        return not run.final and transcript.revision > run.revision
    return run.utterance < transcript.utterance <= run.utterance + _STEP
