"""What a node must still know when it is started anew after it has died.

Whoever starts nodes anew (`kame up`, the launch file) gives them a folder for it, which goes when
the graph ends. A node that nobody starts anew remembers nothing.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kame_ros.trust.private_folder import read_private, write_private

FOLDER = 'KAME_MEMORY'  # the environment variable with the path of the folder
_EPOCH = 1_767_225_600  # s: the beginning of 2026, so that numbers stay short
_SIMULATED = 1e9  # s: a clock below this (2001) is no wall clock
_UNKNOWN_S = 86_400  # as long as a machine may have been off, if its clock cannot tell


class Memory:
    """A few values of one node that outlive its process, if there is a folder for them."""

    def __init__(self, full_name: str) -> None:
        folder = os.environ.get(FOLDER, '')
        self._path = Path(folder, f'{full_name.strip("/")}.json'.replace('/', '.'))
        self._kept = bool(folder)

    def get(self, key: str, default: Any = None) -> Any:
        """The value of a key."""
        return self._read().get(key, default)

    def set(self, **values: Any) -> bool:
        """Keeps values; False where that cannot be."""
        if not self._kept:
            return False
        try:
            write_private(self._path, json.dumps({**self._read(), **values}))
        except OSError:
            return False
        return True

    def _read(self) -> dict[str, Any]:
        if not self._kept:
            return {}
        try:
            values = json.loads(read_private(self._path))
        except (OSError, ValueError):
            return {}
        return values if isinstance(values, dict) else {}


def fresh_number(memory: Memory, now: float, uptime: Callable[[], float] | None = None) -> int:
    """A number above all that an earlier life of the node has counted from its own.

    `now` is the node's clock, which may have been set back since; less than one a second is
    counted. `uptime` is in seconds since the machine was started.
    """
    up = (uptime or _uptime)()
    by_clock = int(now) - _EPOCH if now > _SIMULATED else int(now)
    last, then = memory.get('number'), memory.get('uptime')
    number = max(by_clock, 0)
    if isinstance(last, int) and isinstance(then, int | float):
        passed = up - then if up >= then else _UNKNOWN_S
        number = max(number, last + int(passed) + 1)
    memory.set(number=number, uptime=up)
    return number


def _uptime() -> float:
    clock = getattr(time, 'CLOCK_BOOTTIME', time.CLOCK_MONOTONIC)
    return time.clock_gettime(clock)


def shortfalls(memory: Memory) -> int:
    """How often a node has died because its memory ran out."""
    count = memory.get('shortfalls')
    return count if isinstance(count, int) and count > 0 else 0


def note_shortfall(memory: Memory) -> bool:
    """The node dies because its memory ran out; False: its next life will not know."""
    return memory.set(shortfalls=shortfalls(memory) + 1)
