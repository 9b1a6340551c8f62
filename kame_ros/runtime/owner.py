"""The one thread that owns a model."""

from __future__ import annotations

import threading
from collections.abc import Callable


class StopAsked(Exception):
    """Raised by a wait in an owner thread that was asked to stop, so that its body ends."""


class OutOfMemory(RuntimeError):
    """Raised in an owner thread whose model has no memory left; the text says what to do.

    No fault of the program: the process ends with that sentence, and the next one takes less.
    """


class OwnerThread:
    """Runs `body(stop)` in a thread of its own until it is stopped.

    `body` returns, or raises StopAsked, soon after the event `stop` is set. If it raises anything
    else, `on_fault` is called in the thread with the exception: a model that has failed is not used
    again.
    """

    def __init__(
        self,
        name: str,
        body: Callable[[threading.Event], None],
        on_fault: Callable[[BaseException], None],
    ) -> None:
        self.name = name
        self._body = body
        self._on_fault = on_fault
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def running(self) -> bool:
        """Whether the thread runs, asked to stop or not."""
        return self._thread.is_alive()

    def check(self) -> None:
        """Called in the body: raises StopAsked once the thread was asked to stop."""
        if self._stop.is_set() and self._thread is threading.current_thread():
            raise StopAsked

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def stop(self, timeout: float = 5.0) -> bool:
        """Stops and waits; False if the thread still runs after `timeout` seconds."""
        self._stop.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._body(self._stop)
        except StopAsked:
            return
        except BaseException as error:  # sys.exit() of a plug-in would end the thread unseen
            self._on_fault(error)


class Owners:
    """The owner threads that a node has started: a model never has two at a time."""

    def __init__(self) -> None:
        self._threads: list[OwnerThread] = []

    def add(self, thread: OwnerThread) -> OwnerThread:
        """Knows of a thread from now on."""
        self._threads = [known for known in self._threads if known.running]
        self._threads.append(thread)
        return thread

    def check(self) -> None:
        """Raises StopAsked in an owner thread that was asked to stop; does nothing in any other."""
        for thread in self._threads:
            thread.check()

    @property
    def lingering(self) -> str:
        """The names of those that run, comma between; after a stop: of those that did not end."""
        return ', '.join(thread.name for thread in self._threads if thread.running)
