"""The way of an answer: pieces from an LLM in, words for the robot out."""

from __future__ import annotations

from kame_ros.oracle.loops import ends_in_loop
from kame_ros.oracle.sanitise import AnswerLimit, ThoughtFilter, speakable
from kame_ros.oracle.words import WordRechunker, normalise


class SpokenStream:
    """Whole, speakable words of one answer, of at most `max_words`.

    Push the pieces as they come; `done` tells that no more is needed and the server can stop: the
    answer is long enough, or caught in a loop.
    """

    def __init__(self, max_words: int = 30, thinking: bool = False) -> None:
        self._thoughts = ThoughtFilter(thinking)
        self._words = WordRechunker()
        self._limit = AnswerLimit(max_words)
        self._begun = False
        self._taken = 0
        self._plain: list[str] = []  # the words so far, as they are compared
        self._loops = False

    @property
    def done(self) -> bool:
        """No more words will come, whatever is pushed."""
        return self._limit.done or self._loops

    def take_requests(self) -> list[str]:
        """Requests for actions that are complete since the last call, as they were written."""
        requests = self._thoughts.requests[self._taken :]
        self._taken = len(self._thoughts.requests)
        return requests

    def push(self, piece: str) -> list[str]:
        """Takes a piece of the answer and returns the words that it completes."""
        return self._say(self._words.push(self._thoughts.push(piece)))

    def flush(self) -> list[str]:
        """Returns the last words; the answer is complete."""
        last = self._words.push(self._thoughts.flush()) + self._words.flush()
        words = self._say(last)
        rest = [] if self._loops else self._limit.flush()
        return words + rest

    def _say(self, words: list[str]) -> list[str]:
        said: list[str] = []
        for word in words:
            clean = speakable(word)
            if clean and not self._begun:
                clean, self._begun = clean.lstrip(), True
            self._plain += normalise(clean).split()
            self._loops = self._loops or ends_in_loop(self._plain)
            if clean and not self._loops:
                said += self._limit.push(clean)
        return said
