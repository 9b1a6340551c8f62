"""The one thread that owns a model."""

from __future__ import annotations

import threading
from collections.abc import Callable


class OwnerThread:
    """Runs `body(stop)` in a thread of its own until it is stopped.

    `body` returns soon after the event `stop` is set. If it raises, `on_fault` is called in the
    thread with the exception: a model that has failed is not used again.
    """

    def __init__(
        self,
        name: str,
        body: Callable[[threading.Event], None],
        on_fault: Callable[[Exception], None],
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

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def ask_to_stop(self) -> None:
        """Sets the stop event and returns at once."""
        self._stop.set()

    def stop(self, timeout: float = 5.0) -> bool:
        """Stops and waits; False if the thread still runs after `timeout` seconds."""
        self._stop.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._body(self._stop)
        except Exception as error:
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

    @property
    def lingering(self) -> str:
        """The names of those that run, comma between; after a stop: of those that did not end."""
        return ', '.join(thread.name for thread in self._threads if thread.running)
