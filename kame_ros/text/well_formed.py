"""Text that everyone can pass on: JSON may hold halves of characters, UTF-8 may not."""

from __future__ import annotations

import re
from collections.abc import Iterable

# NUL ends a text where C reads it; control characters and marks of direction rule a terminal.
_RULING = re.compile('[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]')


def well_formed(text: str) -> str:
    """The text as it is; a surrogate without its other half becomes U+FFFD.

    For the edges where text comes from a server or a file: a lone surrogate cannot be published,
    logged or written.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode('utf-16', 'surrogatepass').decode('utf-16', 'replace')
    return text


def written_name(name: str) -> str:
    """A file's name as a text: bytes of it that are no UTF-8 stand in it as signs, and differ."""
    return name.encode(errors='backslashreplace').decode()


def printable(text: str) -> str:
    """The text on one line and well-formed: each control character becomes a blank.

    For what an error says, where it becomes a message, an event or a line of a log.
    """
    return _RULING.sub(' ', well_formed(text))


def printable_lines(text: str) -> str:
    """The same for a text of several lines, such as a traceback."""
    return '\n'.join(map(printable, text.split('\n')))


def joined(texts: Iterable[str]) -> str:
    """Pieces of speech as one line."""
    text = ''.join(c if c.isprintable() else ' ' for c in ''.join(texts))
    return ' '.join(text.split())


class Halves:
    """Makes pieces of a text well-formed where a character may be split between two of them."""

    def __init__(self) -> None:
        self._half = ''  # the first half of a character, until the next piece brings the other

    def push(self, piece: str) -> str:
        """The piece as far as it is whole."""
        text = self._half + piece
        self._half = text[-1] if '\ud800' <= text[-1:] <= '\udbff' else ''
        return well_formed(text[: len(text) - len(self._half)])

    def flush(self) -> str:
        """What stands for a half that stayed alone, at the end."""
        half, self._half = self._half, ''
        return well_formed(half)
