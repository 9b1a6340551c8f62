"""Messages that come by several ways, each given on once."""

from __future__ import annotations

import hashlib
from collections import Counter, OrderedDict, deque
from dataclasses import dataclass, field

_PATIENCE_S = 0.3  # for a sure way to bring the same message
_KEEP_S = 5.0  # a message that comes so much later is another one
_WAITING = 100  # messages that wait
_REMEMBERED = 1_000  # messages of which a copy may still come


@dataclass
class _Seen:
    last: float
    came: Counter[str] = field(default_factory=Counter)  # how often, by each way
    given: int = 0


class Once:
    """Equal messages are as many as came by the way that brought most of them.

    What comes by a sure way keeps its order and is given on at once. A way that may lose messages
    waits for a moment, so that it overtakes no sure one. Times in seconds, none runs back.
    `dropped`: messages that had to wait and found no room; `forgotten`: those that were forgotten
    while a copy could still come, which would be given on a second time.
    """

    def __init__(self) -> None:
        self._seen: OrderedDict[bytes, _Seen] = OrderedDict()  # who came last is the last
        self._waiting: deque[tuple[float, bytes, int, bytes]] = deque()
        self.dropped = self.forgotten = 0

    def put(self, way: str, message: bytes, now: float, sure: bool = True) -> bool:
        """A message came by a way; whether it is to be given on now."""
        key = hashlib.blake2b(message, digest_size=16).digest()
        seen = self._seen.setdefault(key, _Seen(now))
        self._seen.move_to_end(key)
        seen.last = now
        self._forget(now)
        seen.came[way] += 1
        if seen.came[way] <= seen.given:
            return False
        if sure:
            seen.given += 1
            return True
        if len(self._waiting) >= _WAITING:
            self.dropped += 1
        else:
            self._waiting.append((now + _PATIENCE_S, key, seen.came[way], message))
        return False

    def due(self, now: float) -> list[bytes]:
        """The messages that came by no sure way in time."""
        out = []
        while self._waiting and self._waiting[0][0] <= now:
            _, key, count, message = self._waiting.popleft()
            seen = self._seen.setdefault(key, _Seen(now))
            if count > seen.given:
                seen.given += 1
                out.append(message)
        return out

    def _forget(self, now: float) -> None:
        while len(self._seen) > _REMEMBERED:
            _, oldest = self._seen.popitem(last=False)
            self.forgotten += now - oldest.last <= _KEEP_S
