"""The way of an answer: pieces from an LLM in, words for the robot out."""

from __future__ import annotations

import re
from collections.abc import Iterable

from kame_ros.oracle.actions.book import CLOSE, OPEN
from kame_ros.oracle.text.answer_limit import AnswerLimit
from kame_ros.oracle.text.own_part import OwnPart
from kame_ros.oracle.text.repetition import ends_in_loop
from kame_ros.oracle.text.thoughts import ReasoningGuess
from kame_ros.text.compare import normalise
from kame_ros.text.markup import Markup
from kame_ros.text.spoken_words import GrowingWords, SpokenWord

_SLICE = 1_024  # characters that are read before it is seen whether more are needed
_REQUESTS = re.compile(rf'(?={re.escape(OPEN)})')
_MOST = 100_000  # characters of an answer, reasoning included

RESTART = '</think>'  # as a word: what was said before it was reasoning, and is taken back


class SpokenStream:
    """Whole words of one answer as they are written, of at most `max_words` when spoken.

    Markup, reasoning and calls of tools are out (see text.markup); signs stay as they are, since
    whoever speaks or shows the words reads them. Push the pieces as they come; `done` tells that no
    more is needed and the server can stop: the answer is long enough, caught in a loop, or goes on
    with the user's part. A word that is RESTART says that the words before it were reasoning; it
    goes on to the topic as such.
    """

    def __init__(self, max_words: int, thinking: bool = False, hidden: Iterable[str] = ()) -> None:
        self._guess = None if thinking else ReasoningGuess()
        self._markup = Markup(thinking, request=(OPEN, CLOSE), hidden=hidden, parts=True)
        self._max_words = max_words
        self._taken = self._read = 0
        self._begin()

    def _begin(self) -> None:
        self._text = ''
        self._own = OwnPart()
        self._growing = GrowingWords()
        self._limit = AnswerLimit(self._max_words)
        self._known = 0  # words that the limit was shown
        self._said_any = False
        self._plain: list[str] = []  # the words so far, as they are compared
        self._loops = False

    @property
    def done(self) -> bool:
        """No more words will come, whatever is pushed."""
        return self._limit.done or self._loops or self._own.cut or self._read > _MOST

    @property
    def plays_user(self) -> bool:
        """Whether the answer went on with the user's part, and was ended there."""
        return self._own.cut

    @property
    def calls(self) -> int:
        """Calls of tools that were written as text, and left out."""
        return self._markup.calls

    def take_requests(self) -> list[str]:
        """Requests for actions that are complete since the last call, as they were written."""
        requests = self._markup.requests[self._taken :]
        self._taken = len(self._markup.requests)
        return requests

    def push(self, piece: str) -> list[str]:
        """Takes a piece of the answer and returns the words that it completes."""
        words: list[str] = []
        parts = _REQUESTS.split(piece)  # what is asked for in another part is not read
        for part in (p[n : n + _SLICE] for p in parts for n in range(0, len(p), _SLICE)):
            if self.done:
                break
            self._read += len(part)
            words += self._take(self._guess.push(part) if self._guess else part, ended=False)
        return words

    def flush(self) -> list[str]:
        """Returns the last words; the answer is complete."""
        words = self._take(self._guess.flush() if self._guess else '', ended=True)
        rest = [] if self._loops else self._limit.flush()
        return words + self._spaced(rest)

    def _take(self, piece: str, ended: bool) -> list[str]:
        before = self._markup.restarts
        said = self._markup.push(piece)
        restarted = self._markup.restarts > before
        if ended:
            before = self._markup.restarts
            rest = self._markup.flush()
            restarted = restarted or self._markup.restarts > before
            said = rest if self._markup.restarts > before else said + rest
        taken_back: list[str] = []
        if restarted:
            taken_back = [f' {RESTART}'] if self._said_any else []
            self._begin()
            self._said_any = bool(taken_back)
        self._text += self._own.push(said, ended)
        words = self._growing.update(self._text, ended)
        return taken_back + self._say(words)

    def _say(self, words: list[SpokenWord]) -> list[str]:
        said: list[str] = []
        while self._known < len(words):
            start = self._growing.ends[self._known - 1] if self._known else 0
            word = words[self._known]
            written = self._text[start : self._growing.ends[self._known]].strip()
            self._known += 1
            self._plain += normalise(written).split()
            self._loops = self._loops or ends_in_loop(self._plain)
            if not self._loops:
                said += self._limit.push(word, written)
        return self._spaced(said)

    def _spaced(self, words: list[str]) -> list[str]:
        """Each word but the first of all with its space."""
        spaced = []
        for word in words:
            if word:
                spaced.append(f' {word}' if self._said_any and word != '.' else word)
                self._said_any = True
        return spaced
