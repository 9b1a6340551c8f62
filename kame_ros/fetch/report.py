"""Who is told how far a download is."""

from __future__ import annotations

from dataclasses import dataclass, field


class FetchReport:
    """Is told how far a download is; this one keeps it to itself.

    One file after the other: `begin`, then any number of `reached` and `note`, then `end`.
    """

    def begin(self, name: str, size: int, done: int) -> None:
        """A file of `size` bytes (0: unknown), of which `done` are here from an earlier try."""

    def reached(self, done: int, what: str = '') -> None:
        """So many bytes of the file are here; `what` is done with them, if not getting them."""

    def note(self, text: str) -> None:
        """Something happened that people want to know of: a broken line, a file left by another."""

    def end(self) -> None:
        """The file is whole."""


@dataclass
class Notes(FetchReport):
    """Keeps the notes."""

    notes: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        """See FetchReport.note."""
        self.notes.append(text)
