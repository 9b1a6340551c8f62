"""Two ways to decide which oracle token a frame gets: in order, or by position."""

from __future__ import annotations

from typing import Protocol


class TokenFeed(Protocol):
    """Oracle tokens of one session, one for each frame of 80 ms."""

    fed: int  # tokens that reached the model, start tokens not counted
    late: int  # tokens that were fed later than the frame they were meant for, or came too late
    superseded: int  # tokens that were never fed, because something newer took their place

    def restart(self, tokens: list[int]) -> None:
        """Begins a new oracle: what waits is dropped, the start token comes first."""

    def append(self, tokens: list[int]) -> None:
        """Continues the oracle; begins one if there is none."""

    def drop(self) -> int:
        """Forgets what waits, and gives how much that was; what was fed stays fed."""

    def reset(self) -> None:
        """Forgets everything: the next frame is the first of a session."""

    def next(self) -> int:
        """The token for this frame."""

    def waiting(self) -> list[int]:
        """The tokens that are still to be fed, without a start token."""

    def spent(self) -> list[int]:
        """The tokens of this oracle that were fed, without the start token."""


class FifoFeed:
    """Feeds every token on the next free frame: none is lost because it came late."""

    def __init__(self, start: int, padding: int) -> None:
        self._start, self._padding = start, padding
        self.fed = self.late = self.superseded = 0
        self.reset()

    def reset(self) -> None:
        """Forgets everything: the next frame is the first of a session."""
        self._tokens: list[int] = []
        self._next = 0
        self._running = self._start_due = False
        self._gap = 0  # frames of padding since this oracle began

    def restart(self, tokens: list[int]) -> None:
        """Begins a new oracle: what waits is dropped, the start token comes first."""
        self.superseded += self.drop()
        self._tokens, self._next, self._gap = list(tokens), 0, 0
        self._running = self._start_due = True

    def append(self, tokens: list[int]) -> None:
        """Continues the oracle; begins one if there is none."""
        if self._running:
            self._tokens += tokens
        else:
            self.restart(tokens)

    def drop(self) -> int:
        """Forgets what waits, and gives how much that was; what was fed stays fed."""
        dropped = len(self._tokens) - self._next
        del self._tokens[self._next :]
        self._start_due = False
        return dropped

    def next(self) -> int:
        """The token for this frame."""
        if self._start_due:
            self._start_due = False
            return self._start
        if self._next == len(self._tokens):
            self._gap += self._running
            return self._padding
        self._next += 1
        self.fed += 1
        self.late += self._gap > 0
        return self._tokens[self._next - 1]

    def waiting(self) -> list[int]:
        """The tokens that are still to be fed, without a start token."""
        return self._tokens[self._next :]

    def spent(self) -> list[int]:
        """The tokens of this oracle that were fed, without the start token."""
        return self._tokens[: self._next]


class PositionalFeed:
    """Feeds token n of an oracle on frame n after its start, or never: as the reference does.

    A token that is appended after its frame has passed is lost, and counted as late. For parity
    with SakanaAI/kame, src/kame/models/lm.py, update_oracle_tokens_streaming.
    """

    def __init__(self, start: int, padding: int) -> None:
        self._start, self._padding = start, padding
        self.fed = self.late = self.superseded = 0
        self.reset()

    def reset(self) -> None:
        """Forgets everything: the next frame is the first of a session."""
        self._tokens: list[int] = []
        self._spent: list[int] = []
        self._frame = 0
        self._began: int | None = None

    def restart(self, tokens: list[int]) -> None:
        """Begins a new oracle: what waits is dropped, the start token comes first."""
        self.superseded += len(self.waiting())
        self._tokens, self._spent, self._began = [self._start, *tokens], [], self._frame

    def append(self, tokens: list[int]) -> None:
        """Continues the oracle; begins one if there is none."""
        if self._began is None:
            self.restart(tokens)
            return
        passed = self._frame - self._began
        self.late += max(0, min(len(tokens), passed - len(self._tokens)))
        self._tokens += tokens

    def drop(self) -> int:
        """Forgets what waits, and gives how much that was; what was fed stays fed."""
        dropped = len(self.waiting())
        if self._began is not None:
            del self._tokens[max(0, self._frame - self._began) :]
        return dropped

    def next(self) -> int:
        """The token for this frame."""
        at = -1 if self._began is None else self._frame - self._began
        self._frame += 1
        if not 0 <= at < len(self._tokens):
            return self._padding
        if at > 0:
            self.fed += 1
            self._spent.append(self._tokens[at])
        return self._tokens[at]

    def waiting(self) -> list[int]:
        """The tokens that are still to be fed, without a start token."""
        if self._began is None:
            return []
        return self._tokens[max(1, self._frame - self._began) :]

    def spent(self) -> list[int]:
        """The tokens of this oracle that were fed, without the start token."""
        return self._spent
