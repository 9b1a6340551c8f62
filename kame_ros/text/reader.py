"""One source's texts on the topic `oracle`, as plain text: each chunk is read as it comes."""

from __future__ import annotations

from dataclasses import dataclass, field

from kame_ros.text.markup import Markup
from kame_ros.text.speakable import why_not

MOST = 16_000  # characters of a chunk, read in less than 0.1 s: what is longer will be cut anyway
_OPEN = 2  # generations that may still grow: one, and the one that will replace it


@dataclass
class _Text:
    markup: Markup = field(default_factory=Markup)
    written: str = ''  # its beginning, to tell why nothing of it can be said


class Reader:
    """Reads the chunks of the generations of a source.

    `restarted` says after a call that all the text of this generation before was reasoning.
    """

    def __init__(self) -> None:
        self.restarted = False
        self.calls = 0  # of tools, written as text
        self._texts: dict[int, _Text] = {}

    def begin(self, number: int) -> None:
        """Generation `number` begins, though there may have been another of this number."""
        self._texts.pop(number, None)

    def read(self, number: int, chunk: str) -> str:
        """Returns what a chunk of generation `number` adds to its text."""
        if number not in self._texts:
            self._texts[number] = _Text()
            if len(self._texts) > _OPEN:
                del self._texts[next(iter(self._texts))]
        text = self._texts[number]
        if len(text.written) < 200:
            text.written += chunk[:200]
        restarts, calls = text.markup.restarts, text.markup.calls
        plain = text.markup.push(chunk[:MOST])
        self.restarted = text.markup.restarts > restarts
        self.calls += text.markup.calls - calls
        return plain

    def end(self, number: int) -> str:
        """Returns what was held back of generation `number`, which is complete."""
        text = self._texts.get(number)
        self.restarted = False
        if text is None:
            return ''
        restarts = text.markup.restarts
        rest = text.markup.flush()
        self.restarted = text.markup.restarts > restarts
        return rest

    def why_unsaid(self, number: int, plain: str) -> str:
        """Why nothing of generation `number`, whose text is `plain`, can be said; '' if it can."""
        if any(c.isascii() and c.isalnum() for c in plain):
            return ''
        text = self._texts.get(number)
        return why_not(text.written) if text and text.written.strip() else ''
