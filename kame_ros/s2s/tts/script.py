"""Compares a text that still changes with what was said of it, and finds what to say next."""

from __future__ import annotations

import re

from kame_ros.text.spoken_words import GrowingWords, SpokenWord
from kame_ros.wire.oracle import Oracle

_LONGEST_CLAUSE = 120  # letters, about 8 s of speech: more takes the voice longer than a frame
_CLAUSE_END = re.compile(r'[^\W\d_][.,;:!?]$')
_CLAUSE_SLACK = 3  # words: a clause that ends so soon after the limit is not torn


class Scripts:
    """The newest script of each source; the sources quiet for longest are forgotten."""

    _MOST = 32

    def __init__(self) -> None:
        self._of: dict[str, Script] = {}

    def __len__(self) -> int:
        return len(self._of)

    def get(self, source: str) -> Script | None:
        """The script of a source."""
        return self._of.get(source)

    def add(self, script: Script) -> None:
        """Remembers it instead of what its source said before."""
        self._of.pop(script.oracle.source, None)
        self._of[script.oracle.source] = script
        if len(self._of) > self._MOST:
            del self._of[next(iter(self._of))]

    def on_user_speech(self) -> None:
        """What was said to its end is not corrected any more once the user speaks again."""
        for script in self._of.values():
            script.may_correct = script.may_correct and not script.spoken


class Script:
    """One source's answer to one utterance, through all its generations.

    The words of the text up to `planned` were given to the voice, those up to `begun` were heard.
    Newer text is compared with them word by word, without case and punctuation: where it agrees
    the script just goes on; where it differs from what is only planned, that is dropped; where it
    differs from what was heard, its sentence is said anew after a correction.
    """

    def __init__(self, oracle: Oracle) -> None:
        self.oracle = oracle
        self.begun = 0
        self.heard = False  # whether any word of it was begun
        self.spoken = False  # this generation was reported as spoken
        self.applied = False  # this generation was reported as applied
        self.dropped = False  # the user, or an interrupt, ended it
        self.may_correct = True  # false once the user has taken another turn
        self._planned: list[str] = []  # keys
        self._contradicts = False
        self._growing = GrowingWords()
        self.words: list[SpokenWord] = []
        self.dropped_from = 0
        self.grown_at = 0.0  # s

    @property
    def planned(self) -> int:
        """How many words of the text were given to the voice."""
        return len(self._planned)

    @property
    def unspeakable(self) -> int:
        """How many words of the text no voice knows."""
        return self._growing.unspeakable

    @property
    def done(self) -> bool:
        """Whether the text is complete and no word of it is left to begin."""
        return self.oracle.ended and not self._contradicts and self.begun >= len(self.words)

    @property
    def unsaid(self) -> int:
        """Words that are known and were not begun."""
        return max(0, len(self.words) - self.begun)

    def continues(self, oracle: Oracle) -> bool:
        """Whether the oracle answers what this script answers."""
        if oracle.source != self.oracle.source or oracle.life != self.oracle.life:
            return False
        if oracle.generation == self.oracle.generation:
            return True
        if oracle.utterance != self.oracle.utterance:
            return False
        if self.dropped:  # only if more of the utterance was heard since is it asked for again
            return oracle.revision <= self.oracle.revision and oracle.utterance >= 0
        # To the same words of the user another answer was given to its end: this is a further one.
        asked_again = oracle.utterance >= 0 and oracle.revision != self.oracle.revision
        return asked_again or not self.spoken

    def update(self, oracle: Oracle, now: float) -> bool:
        """Takes the newest text at `now` s.

        True if the planned words from `dropped_from` on, of which none was begun, are no longer
        wanted. Where it differs from what was heard, it `contradicts` instead.
        """
        if oracle == self.oracle and self.words:
            return False
        if oracle.generation != self.oracle.generation:
            self.applied = self.spoken = False
        if oracle.text != self.oracle.text or not self.words:
            self.grown_at = now
        self.oracle = oracle
        self.words = list(self._growing.update(_text_so_far(oracle), oracle.ended))
        return self._compare()

    def correct(self) -> int:
        """Starts over at the sentence that contradicts; returns that word's index."""
        start = self._sentence_start(self._agreed())
        self._planned = [word.key for word in self.words[:start]]
        self.begun, self._contradicts = start, False
        return start

    def next_clause(self, limit: int, stalled: bool, hurry: bool) -> list[SpokenWord]:
        """The words to say next, and none where a clause is not complete yet.

        A clause ends with punctuation, at the end of the text, or after `limit` words, unless one
        of the next few words ends it (in a `hurry` these are not waited for); when the text is
        `stalled`, it is whatever there is. Does not plan them: see `plan`.
        """
        start = self._sentence_start(self._agreed()) if self._contradicts else self.planned
        clause = self._clause(self.words[start:], limit, stalled, hurry)
        length = 0
        for count, word in enumerate(clause):
            length += word.length
            if count and length > _LONGEST_CLAUSE:
                return clause[:count]
        return clause

    def _clause(
        self, rest: list[SpokenWord], limit: int, stalled: bool, hurry: bool
    ) -> list[SpokenWord]:
        for count, word in enumerate(rest[: limit + _CLAUSE_SLACK], start=1):
            if word.pause:
                return rest[:count]
        complete = self.oracle.ended or stalled
        if complete and len(rest) <= limit + _CLAUSE_SLACK:
            return rest
        enough = limit if hurry else limit + _CLAUSE_SLACK
        return rest[:limit] if complete or len(rest) >= enough else []

    @property
    def contradicts(self) -> bool:
        """Whether the text differs from what was already said."""
        return self._contradicts

    def plan(self, words: list[SpokenWord]) -> int:
        """The words go to the voice; returns the index of the first."""
        first = self.planned
        self._planned += [word.key for word in words]
        return first

    def begin(self, index: int) -> None:
        """The word at `index` is heard now."""
        self.begun = max(self.begun, index + 1)
        self.heard = True

    def roll_back(self) -> None:
        """What was planned and not begun was cut; it may be planned again."""
        del self._planned[self.begun :]

    def _agreed(self) -> int:
        """How many words of the plan and of the text are the same."""
        count = 0
        for key, word in zip(self._planned, self.words, strict=False):
            if key != word.key:
                break
            count += 1
        return count

    def _sentence_start(self, index: int) -> int:
        while index > 0 and not self.words[index - 1].stop:
            index -= 1
        return index

    def _compare(self) -> bool:
        agreed = self._agreed()
        self._contradicts = False
        if agreed == self.planned:
            return False
        if agreed == len(self.words) and not self.oracle.ended:
            return False  # so far the same; the rest is not written yet
        if agreed >= self.begun or agreed == len(self.words):
            # What is unsaid differs; or all of the new text was said, and more.
            self.dropped_from = max(agreed, self.begun)
            del self._planned[self.dropped_from :]
            return True
        self._contradicts = True
        return False


def _text_so_far(oracle: Oracle) -> str:
    """Its text; with a space where a clause ends, so that nobody waits for the next word.

    Answers come in whole words. Where one goes on without a space all the same, it is read anew.
    """
    whole = oracle.utterance >= 0 and not oracle.ended and _CLAUSE_END.search(oracle.text)
    return f'{oracle.text} ' if whole else oracle.text
