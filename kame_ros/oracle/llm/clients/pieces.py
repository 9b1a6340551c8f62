"""Tells a server that sends what is new of an answer from one that sends all that it has so far."""

from __future__ import annotations

from itertools import pairwise, takewhile

_SURE = 2  # pieces in a row, each beginning with the one before: no answer is written so


class AnswerPieces:
    """The text of one answer, from pieces that are new (`delta`) or the whole so far (`message`).

    The names of the fields are not to be trusted, so the pieces decide. A piece that does not begin
    with all that came before is new, and so are all after it. One that begins so, and goes on, is
    the whole so far: at once in a `message`, in a `delta` when a second one does the same, or at
    the end, if the two together are no text. A `message` that repeats the one before exactly tells
    nothing yet: it waits for the next piece, and is nothing new at the end of the answer. A `delta`
    that repeats another is new ('very very').
    """

    def __init__(self) -> None:
        self.text = ''
        self._count = 0  # pieces in it
        self._whole: bool | None = None  # which kind of server it is, if that is known
        self._held: list[str] = []  # pieces that may be either
        self._in_messages = False

    def delta(self, piece: str) -> str:
        """Takes a piece that should be new; returns what is."""
        if piece and self._whole is None and piece == self._last:
            self._whole = False
        return self._push(piece, _SURE)

    def message(self, piece: str) -> str:
        """Takes a piece that should be the whole so far, or at the end; returns what is new."""
        if self.text and not self._in_messages:  # the rest came in deltas: this sums them up
            held = self._settle(whole=False)
            return held + self._rest(piece)
        self._in_messages = True
        if self._whole is False and self._count > 1 and piece.strip() == self.text.strip():
            return ''
        return self._push(piece, 1)

    def flush(self) -> str:
        """What is left of pieces that might have been either."""
        return self._settle(self._in_messages or (bool(self._held) and self._is_no_joint()))

    @property
    def _last(self) -> str:
        return self._held[-1] if self._held else self.text

    def _is_no_joint(self) -> bool:
        """Whether no text goes on so: 'Par' and 'Paris.' are no 'ParParis.'."""
        before = self.text
        grown = len(self._held[-1]) > len(before) > 2
        return grown and before[0].isupper() and not before[-1].isspace()

    def _push(self, piece: str, sure: int) -> str:
        if not piece:
            return ''
        if self._whole is None and self.text.strip():
            if piece.startswith(self._last):
                self._held.append(piece)
                chain = [self.text, *self._held]
                grown = sum(len(a) < len(b) for a, b in pairwise(chain))
                return self._settle(whole=True) if grown >= sure else ''
            return self._settle(whole=False) + self._take(piece)
        return self._rest(piece) if self._whole else self._take(piece)

    def _settle(self, whole: bool) -> str:
        held, self._held = self._held, []
        if self._whole is None and self.text.strip():
            self._whole = whole
        if not held:
            return ''
        return self._rest(held[-1]) if whole else self._take(''.join(held))

    def _rest(self, piece: str) -> str:
        """What a whole adds to the text; of one that was revised, what is behind its length."""
        text = self.text
        if not piece.startswith(text) and piece.strip().startswith(text.strip()):
            piece = text + piece.strip()[len(text.strip()) :]  # blanks at its ends were trimmed
        same = sum(
            1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(piece, text, strict=False))
        )
        if 2 * same < len(text):
            if not self._in_messages or self._whole is False:
                return ''  # sums up in other words what was said
            self._whole = False  # it has nothing in common with what came before: it is new
            return self._take(piece)
        new = piece[len(text) :]
        self.text += new
        return new

    def _take(self, piece: str) -> str:
        self.text += piece
        self._count += 1
        return piece
