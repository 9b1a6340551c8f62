"""Lets a consumer be as slow as it likes, and fail, without anybody noticing."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from kame_ros.consumers.consumer import Consumer, Relay
from kame_ros.runtime.faults import RAISED_BY_OTHERS, Faults
from kame_ros.runtime.inbox import Inbox
from kame_ros.runtime.owner import OwnerThread

_BOUND = 500  # of frames: 40 s
_POLL_S = 0.2

Call = tuple[Callable[..., None], tuple[Any, ...]]


class Queued(Relay):
    """Hands on what it is told in a thread of its own, through a queue.

    When the queue is full, the oldest goes, and is counted. What the consumer raises is counted,
    and each kind of it told once; it is told the next thing all the same.
    """

    def __init__(
        self, name: str, consumer: Consumer, tell: Callable[[str], None], bound: int = _BOUND
    ) -> None:
        self.name = name
        self._consumer = consumer
        self._inbox: Inbox[Call] = Inbox(bound)
        self._tell = tell
        self._faults = Faults(tell)
        self._thread = OwnerThread(f'consumer {name}', self._run, lambda error: tell(str(error)))
        self._thread.start()

    def pass_on(self, name: str, *told: Any) -> None:
        """Queues it."""
        self._inbox.put((getattr(self._consumer, name), told))

    def close(self, patience_s: float = 2.0) -> None:
        """Lets it take what waits, for so long at most, and closes it."""
        self._inbox.close()
        if not self._thread.stop(patience_s):
            self._tell(f'{self.name} did not end in {patience_s:g} s')

    @property
    def hears(self) -> frozenset[str]:
        """What the consumer hears."""
        return self._consumer.hears

    @property
    def dropped(self) -> int:
        """How much it was too slow for."""
        return self._inbox.dropped

    def counters(self) -> dict[str, float]:
        """Running totals for diagnostics, by name."""
        return {**self._inbox.counters('consumer'), 'consumer_failed': float(self._faults.count)}

    def _run(self, stop: threading.Event) -> None:
        while True:
            call = self._inbox.get(_POLL_S)
            if call is not None:
                self._call(*call)
            elif stop.is_set():
                break
        self._call(self._consumer.close)

    def _call(self, method: Callable[..., None], told: tuple[Any, ...] = ()) -> None:
        try:
            method(*told)
        except RAISED_BY_OTHERS as error:
            self._faults.book(f'{self.name}.{method.__name__}', error)
