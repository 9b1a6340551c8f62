"""The bounded way into an asyncio loop from other threads."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar('T')


@dataclass(frozen=True)
class _Item(Generic[T]):
    value: T
    droppable: bool


class Mailbox(Generic[T]):
    """A queue for one loop and any number of writers.

    When it is full, the oldest droppable item goes (a partial transcript: a later one says more);
    with none of them, the oldest item. Each loss is counted.
    """

    def __init__(self, bound: int) -> None:
        if bound < 1:
            raise ValueError(f'the bound of a mailbox is at least 1, not {bound}')
        self.dropped = 0
        self.deepest = 0
        self._bound = bound
        self._items: deque[_Item[T]] = deque()
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake = asyncio.Event()

    def __len__(self) -> int:
        return len(self._items)

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Names the loop that reads."""
        self._loop = loop
        self._wake.set()

    def put(self, value: T, droppable: bool = False) -> None:
        """Adds an item, from any thread."""
        with self._lock:
            if len(self._items) >= self._bound:
                self._drop_one()
            self._items.append(_Item(value, droppable))
            self.deepest = max(self.deepest, len(self._items))
        self.wake()

    def wake(self) -> None:
        """Makes the reader look again, from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake.set)

    def drain(self) -> list[T]:
        """Takes everything, oldest first."""
        with self._lock:
            items = [item.value for item in self._items]
            self._items.clear()
        return items

    async def wait(self, timeout: float | None) -> None:
        """Returns when something was put, the reader was woken, or `timeout` seconds passed."""
        try:
            await asyncio.wait_for(self._wake.wait(), timeout)
        except asyncio.TimeoutError:
            return
        self._wake.clear()

    def _drop_one(self) -> None:
        self.dropped += 1
        for i, item in enumerate(self._items):
            if item.droppable:
                del self._items[i]
                return
        self._items.popleft()
