"""Whether the user's words have changed since an answer was asked for: then a newer one comes."""

from __future__ import annotations

from collections.abc import Callable

from kame_ros.text.compare import goes_on, normalise
from kame_ros.turns.words_heard import MAX_CHARS, Words
from kame_ros.wire.oracle import Oracle

_FILLERS = frozenset(('um', 'uhm', 'uh', 'hm', 'hmm', 'mm', 'mhm', 'äh', 'ähm', 'öh', 'euh'))


def is_outdated(oracle: Oracle, words: Words | None) -> bool:
    """Whether it answers words of this utterance that the user did not say, as is known by now.

    Case, punctuation and fillers do not count, nor that they have said more since: to begin before
    all is said is what a tandem is for. False where nobody knows.
    """
    both = _asked_and_said(oracle, words)
    return both is not None and not goes_on(*both)


def is_partial(oracle: Oracle, words: Words | None) -> bool:
    """Whether it is not known to answer all that is known of this utterance: they have said more,
    or something else. See `is_outdated`.
    """
    both = _asked_and_said(oracle, words)
    return both is not None and both[0] != both[1]


def _asked_and_said(oracle: Oracle, words: Words | None) -> tuple[list[str], list[str]] | None:
    """What it answers and what is known of the same utterance; None where nobody can compare."""
    if not oracle.asked or words is None or words.utterance != oracle.utterance:
        return None
    if len(words.text) >= MAX_CHARS:
        return None  # only its end is kept
    return _content(oracle.asked), _content(words.text)


def _content(text: str) -> list[str]:
    return [word for word in normalise(text).split() if word not in _FILLERS]


class NewerAnswer:
    """Waits for the answer to the words that are known now. A pure policy; times in seconds.

    `wait_s`: from when it is asked first, or from newer words. `is_old` tells for which answer
    another one is awaited.
    """

    def __init__(
        self, wait_s: float, is_old: Callable[[Oracle, Words | None], bool] = is_outdated
    ) -> None:
        self._wait_s, self._is_old = wait_s, is_old
        self._words = (-1, '')  # for whose answer it waits
        self._since = 0.0

    def is_awaited(
        self, oracle: Oracle, words: Words | None, now: float, all_told: bool = True
    ) -> bool:
        """Whether the robot does not begin with this answer yet. Ask when the user is silent.

        Without `all_told` words of theirs are still to come, which the answer cannot know.
        """
        if words is None or not oracle.asked or words.utterance != oracle.utterance:
            return False
        if all_told and not self._is_old(oracle, words):
            return False
        if self._words != (words.utterance, words.text):
            self._words, self._since = (words.utterance, words.text), now
        return now - self._since < self._wait_s - 1e-6
