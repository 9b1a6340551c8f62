"""Pieces of pronunciation that spell: two letters each, so that tests can read a window."""

from collections.abc import Sequence

END = 9_999


class SpelledPieces:
    """Numbers pairs of letters in the order in which they come; ' ' marks the first of a word.

    `unspeakable`: words with this in them have no pieces.
    """

    def __init__(self) -> None:
        self.names = ['']
        self.asked: list[list[str]] = []  # the words of each call
        self.unspeakable = '#'

    def __call__(self, words: Sequence[str]) -> list[tuple[int, ...]]:
        self.asked.append(list(words))
        return [tuple(self._number(part) for part in self._parts(word)) for word in words]

    def read(self, row: Sequence[int]) -> str:
        """What a window shows, without the empty places: ' th·e· ca·t'."""
        known = [int(piece) for piece in row if piece]
        return '·'.join('END' if piece == END else self.names[piece] for piece in known)

    def _parts(self, word: str) -> list[str]:
        heard = '' if self.unspeakable in word else word.lower()
        pairs = [heard[i : i + 2] for i in range(0, len(heard), 2)]
        return [f' {pair}' if i == 0 else pair for i, pair in enumerate(pairs)]

    def _number(self, name: str) -> int:
        if name not in self.names:
            self.names.append(name)
        return self.names.index(name)
