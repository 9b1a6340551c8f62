"""The words of what kame-small says of its own accord, told from the pieces that it says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

PhrasePieces = tuple[Sequence[str], Sequence[Sequence[int]]]  # words, and the pieces of each


class OwnWords:
    """Follows the pieces of known phrases; each word is told with its first piece.

    Where several phrases begin alike, the first of them tells the words: they are the same.
    """

    def __init__(self, phrases: Iterable[PhrasePieces]) -> None:
        marked = (list(_marked(*phrase)) for phrase in phrases)
        self._phrases = [phrase for phrase in marked if phrase]
        self._begin = {phrase[0][0] for phrase in self._phrases}
        self.forget()

    @property
    def long_ones(self) -> tuple[int, ...]:
        """The pieces with which phrases of several words begin, and none of a single word does."""
        firsts: dict[bool, set[int]] = {True: set(), False: set()}
        for phrase in self._phrases:
            firsts[sum(bool(word) for _, word in phrase) > 1].add(phrase[0][0])
        return tuple(sorted(firsts[True] - firsts[False]))

    @property
    def next_ones(self) -> tuple[int, ...]:
        """The pieces with which a phrase begins, or the one that has begun goes on."""
        on = {phrase[self._place][0] for phrase in self._open if len(phrase) > self._place}
        return tuple(sorted(self._begin | on))

    def forget(self) -> None:
        """The next piece begins a phrase."""
        self._open: list[list[tuple[int, str]]] = []
        self._place = 0

    def goes_on(self, piece: int) -> bool:
        """Whether a phrase has begun that goes on with this piece."""
        return bool(self._continued(piece))

    def say(self, piece: int) -> str | None:
        """The word that begins with a piece that was said; empty inside a word, None if unknown."""
        fits = self._continued(piece)
        if not fits:
            fits, self._place = [p for p in self._phrases if p[0][0] == piece], 0
        self._open = fits
        if not fits:
            return None
        self._place += 1
        return fits[0][self._place - 1][1]

    def _continued(self, piece: int) -> list[list[tuple[int, str]]]:
        return [p for p in self._open if len(p) > self._place and p[self._place][0] == piece]


def _marked(words: Sequence[str], pieces: Sequence[Sequence[int]]) -> Iterable[tuple[int, str]]:
    """Each piece with the word that it begins, or with an empty one."""
    for word, some in zip(words, pieces, strict=True):
        for place, piece in enumerate(some):
            yield piece, '' if place else word
