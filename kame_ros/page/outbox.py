"""What waits to be sent to one socket: bounded, for one that reads slowly or not at all."""

from __future__ import annotations

import asyncio
from collections import Counter, deque

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode

_GOODBYE_S = 1.0


class Outbox:
    """Texts for one socket, in order. When it is full it `is_overrun`, and takes no more."""

    def __init__(self, bound: int, most_characters: int = 8_000_000) -> None:
        self.is_overrun = asyncio.Event()
        self._bound, self._most = bound, most_characters
        self._characters = 0
        self._texts: deque[str] = deque()
        self._changed = asyncio.Event()

    def __len__(self) -> int:
        return len(self._texts)

    def put(self, text: str) -> bool:
        """Adds a text; False if there was no room."""
        full = len(self._texts) >= self._bound or self._characters + len(text) > self._most
        if full or self.is_overrun.is_set():
            self.is_overrun.set()
            return False
        self._texts.append(text)
        self._characters += len(text)
        self._changed.set()
        return True

    async def get(self) -> str:
        """The next text, as soon as there is one."""
        while not self._texts:
            self._changed.clear()
            await self._changed.wait()
        text = self._texts.popleft()
        self._characters -= len(text)
        return text


async def send_all(
    connection: ServerConnection, box: Outbox, count: Counter[str], cut: str
) -> None:
    """Sends what comes into the box; who reads too slowly is sent away, and counted as `cut`."""
    sending = asyncio.ensure_future(_send(connection, box))
    overrun = asyncio.ensure_future(box.is_overrun.wait())
    try:
        await asyncio.wait({sending, overrun}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        sending.cancel()
        overrun.cancel()
    if not box.is_overrun.is_set():
        return
    count[cut] += 1
    try:
        reason = 'this socket reads too slowly'
        await asyncio.wait_for(connection.close(CloseCode.TRY_AGAIN_LATER, reason), _GOODBYE_S)
    except asyncio.TimeoutError:  # it does not even read that
        connection.transport.abort()


async def _send(connection: ServerConnection, box: Outbox) -> None:
    try:
        while True:
            await connection.send(await box.get())
    except ConnectionClosed:
        return
