"""An event loop in which time passes only while all wait, and then at once."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from kame_ros.runtime.faults import RAISED_BY_OTHERS

T = TypeVar('T')


class Stuck(RuntimeError):
    """All wait for something that no time will bring."""


class _AtOnce(selectors.DefaultSelector):  # type: ignore[misc,valid-type]
    """Where the loop would sleep, time goes on instead."""

    loop: VirtualLoop

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if ready:
            return ready
        if timeout is None:
            raise Stuck('the replay waits for what nobody does')
        self.loop.pass_time(timeout)
        return ready


class _InPlace(ThreadPoolExecutor):
    """Does what a thread would do, in the thread that asks: its time is none of the loop's."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except RAISED_BY_OTHERS as error:
            future.set_exception(error)
        return future


class VirtualLoop(asyncio.SelectorEventLoop):
    """Begins at `start`, in seconds: far below a million, or the loop cannot tell two times apart.

    The same program takes the same turns each time.
    """

    def __init__(self, start: float = 0.0) -> None:
        self._now = start
        selector = _AtOnce()
        selector.loop = self
        super().__init__(selector)
        self.set_default_executor(_InPlace(1))

    def time(self) -> float:
        """The virtual time."""
        return self._now

    def pass_time(self, seconds: float) -> None:
        """So much time has passed."""
        self._now += max(0.0, seconds)


def run(main: Coroutine[Any, Any, T], loop: VirtualLoop) -> T:
    """Runs it to its end, and closes the loop."""
    try:
        return loop.run_until_complete(main)
    finally:
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
