"""The bounded queue between the callbacks of a node and the one thread that owns its model."""

from __future__ import annotations

import threading
from collections import deque
from typing import Generic, TypeVar

T = TypeVar('T')


class Inbox(Generic[T]):
    """A queue with a bound, for one reader and any number of writers.

    When it is full, the oldest item goes (`drop='oldest'`: what is new matters more, as with
    sound) or the new one is refused (`drop='newest'`: what is first matters more, as with text).
    Either way the loss is counted.

    Raises ValueError for a bound below 1 or another policy.
    """

    def __init__(self, bound: int, drop: str = 'oldest') -> None:
        if bound < 1:
            raise ValueError(f'the bound of an inbox is at least 1, not {bound}')
        if drop not in ('oldest', 'newest'):
            raise ValueError(f"an inbox drops the 'oldest' or the 'newest', not {drop!r}")
        self.bound = bound
        self.received = 0
        self.dropped = 0
        self.deepest = 0
        self._drop = drop
        self._items: deque[T] = deque()
        self._changed = threading.Condition()
        self._closed = False

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: T) -> bool:
        """Adds an item; False if something had to be dropped for want of room."""
        with self._changed:
            if self._closed:
                return False
            self.received += 1
            full = len(self._items) >= self.bound
            if full:
                self.dropped += 1
                if self._drop == 'newest':
                    return False
                self._items.popleft()
            self._items.append(item)
            self.deepest = max(self.deepest, len(self._items))
            self._changed.notify()
            return not full

    def get(self, timeout: float | None = None) -> T | None:
        """Takes the oldest item; None when `timeout` seconds have passed or the inbox is closed."""
        with self._changed:
            if not self._items and not self._closed:
                self._changed.wait(timeout)
            return self._items.popleft() if self._items else None

    def drain(self) -> list[T]:
        """Takes everything that is there, oldest first, without waiting."""
        with self._changed:
            items = list(self._items)
            self._items.clear()
            return items

    def open(self) -> None:
        """Empty, and takes items again after `close`; the counters go on."""
        with self._changed:
            self._items.clear()
            self._closed = False

    def close(self) -> None:
        """Wakes the reader; later items are refused, those that are there can still be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def counters(self, prefix: str) -> dict[str, float]:
        """Depth and losses for diagnostics, each name with the given prefix."""
        return {
            f'{prefix}_queue': len(self._items),
            f'{prefix}_queue_deepest': self.deepest,
            f'{prefix}_dropped': self.dropped,
        }
