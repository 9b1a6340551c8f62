"""From what an LLM writes to what a robot can say."""

from __future__ import annotations

import re

from kame_ros.oracle.actions import CLOSE, OPEN

_THOUGHTS = {
    '<think>': '</think>',
    '<thinking>': '</thinking>',
    '<reasoning>': '</reasoning>',
    '<|channel|>analysis': '<|end|>',
    '◁think▷': '◁/think▷',
}
_FENCE = '```'  # code is not for the ear
_MAX_INSIDE = 4_000  # characters of a request: longer ones are refused
_MAX_REQUESTS = 8  # of one answer


class ThoughtFilter:
    """Takes reasoning traces and code blocks out of a stream of text pieces.

    `thinking` says that the stream begins inside a trace, as with models whose template opens it.
    A mark may be split over pieces: text that may be the start of one is held back. Requests for
    actions are taken out too, and collected in `requests` when they are complete.
    """

    def __init__(self, thinking: bool = False) -> None:
        self._rest = ''
        self._until = '</think>' if thinking else ''
        self._marks = {**_THOUGHTS, _FENCE: _FENCE, OPEN: CLOSE}
        self._inside = ''
        self.requests: list[str] = []

    def push(self, piece: str) -> str:
        """Takes a piece and returns the text that is surely outside of a trace."""
        self._rest += piece
        said = ''
        while True:
            if self._until:
                before, mark, after = self._rest.partition(self._until)
                if not mark:
                    held = _possible_start(self._rest, [self._until])
                    self._collect(self._rest[: len(self._rest) - len(held)])
                    self._rest = held
                    return said
                self._collect(before)
                if self._until == CLOSE and len(self.requests) < _MAX_REQUESTS:
                    self.requests.append(self._inside)
                self._rest, self._until, self._inside = after, '', ''
            at, mark = self._next_mark()
            if not mark:
                held = _possible_start(self._rest, list(self._marks))
                said += self._rest[: len(self._rest) - len(held)]
                self._rest = held
                return said
            said += self._rest[:at]
            self._rest, self._until = self._rest[at + len(mark) :], self._marks[mark]

    def flush(self) -> str:
        """Returns what was held back; a trace without an end stays unsaid."""
        rest, self._rest = self._rest, ''
        return '' if self._until else rest

    def _collect(self, text: str) -> None:
        if self._until == CLOSE and len(self._inside) < _MAX_INSIDE:
            self._inside += text

    def _next_mark(self) -> tuple[int, str]:
        found = [(self._rest.find(mark), mark) for mark in self._marks if mark in self._rest]
        return min(found, default=(-1, ''))


def _possible_start(text: str, marks: list[str]) -> str:
    """The longest end of the text that a mark may begin with."""
    for size in range(min(len(text), max(map(len, marks)) - 1), 0, -1):
        if any(mark.startswith(text[-size:]) for mark in marks):
            return text[-size:]
    return ''


_SPOKEN = {
    '%': ' percent',
    '&': ' and ',
    '+': ' plus ',
    '=': ' equals ',
    '@': ' at ',
    '°C': ' degrees Celsius',
    '°F': ' degrees Fahrenheit',
    '°': ' degrees',
    '×': ' times ',
    '÷': ' divided by ',
    '–': '-',
    '—': ',',
    '…': '.',
    '’': "'",
}
_LINK = re.compile(r'https?://\S+|www\.\S+')
_BULLET = re.compile(r'^(?:[-*•]|\d+[.)]|#+)$')
_UNSPEAKABLE = re.compile(r"[^\w\s.,;:!?'\"$€£¥/()-]|_", re.UNICODE)


def speakable(word: str) -> str:
    """One whole word without markup, links, emoji or symbols; empty if nothing is left to say.

    A leading space is kept.
    """
    space = ' ' if word[:1].isspace() else ''
    word = word.strip()
    if _LINK.search(word) or (_BULLET.match(word) and not word[0].isdigit()):
        return ''
    for symbol, spoken in _SPOKEN.items():
        word = word.replace(symbol, spoken)
    word = ' '.join(_UNSPEAKABLE.sub('', word).split())
    return space + word if re.search(r'\w', word) else ''


class AnswerLimit:
    """Ends an answer at `max_words`, at the end of a sentence where there is one.

    The first sentence passes word by word; a later one passes when it is known to fit, as a whole.
    A first sentence that is too long is cut and closed with a full stop.
    """

    def __init__(self, max_words: int) -> None:
        self._max = max_words
        self._count = 0
        self._first = True
        self._held: list[str] = []
        self.done = False  # nothing more will pass

    def push(self, word: str) -> list[str]:
        """Takes a whole word and returns the words that may be said now."""
        if self.done:
            return []
        ends = word.rstrip('"\')').endswith(('.', '!', '?', '。', '！', '？'))
        self._held.append(word)
        self._count += len(word.split())
        if not self._first and self._count > self._max:
            self._held, self.done = [], True
            return []
        if self._first and self._count >= self._max:
            self.done = True
            if not ends:
                self._held[-1] = self._held[-1].rstrip('.,;:-') + '.'
            return self._release()
        if self._first or ends:
            self._first = self._first and not ends
            return self._release()
        return []

    def flush(self) -> list[str]:
        """Returns the words of the last sentence; the answer is complete."""
        return [] if self.done else self._release()

    def _release(self) -> list[str]:
        words, self._held = self._held, []
        return words


def clean_heard(text: str) -> str:
    """What the user said, or a fact, without anything that a chat template could take for a mark.

    Control characters, invisible ones and the brackets of templates go: speech has none of them.
    """
    text = ''.join(c if c.isprintable() else ' ' for c in text)
    return ' '.join(re.sub(r'[<>|{}\[\]`\\]', ' ', text).split())
