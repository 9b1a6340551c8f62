"""A fake of the part of `torch.cuda` that says which GPU is the current one; there is none."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class RecordingCuda:
    """Notes which GPU was made the current one, in which thread; `current` is it now, there."""

    def __init__(self, count: int = 2) -> None:
        self.count = count
        self.entered: list[tuple[str, str]] = []
        self._now: dict[str, list[str]] = {}

    @property
    def current(self) -> str:
        """The current GPU of this thread; empty: none was chosen."""
        return (self._now.get(threading.current_thread().name) or [''])[-1]

    @contextmanager
    def device(self, where: object) -> Iterator[None]:
        """As torch.cuda.device."""
        name = threading.current_thread().name
        self.entered.append((str(where), name))
        stack = self._now.setdefault(name, [])
        stack.append(str(where))
        try:
            yield
        finally:
            stack.pop()

    def device_count(self) -> int:
        """As torch.cuda.device_count."""
        return self.count
