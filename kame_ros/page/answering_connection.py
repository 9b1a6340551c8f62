"""A connection that answers in HTTP what can be no WebSocket and no page, and then hangs up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.http11 import Response

from kame_ros.page.request_head import Refusal, judge

_LINGER_S = 1.0  # for the client to read the answer: a body that nobody reads would cut it off


class AnsweringConnection(ServerConnection):
    """Holds the head of a request back until it is whole.

    `refuse` makes the answer to what is none. How long the head may take is the library's to say:
    its `open_timeout` runs.
    """

    def __init__(self, refuse: Callable[[Refusal], Response], *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._refuse = refuse
        self._head = b''
        self._passed = self._refused = False

    def data_received(self, data: bytes) -> None:
        """Bytes from the client."""
        if self._passed:
            super().data_received(data)
            return
        if self._refused:
            return  # the rest of what is refused
        self._head += data
        judged = judge(self._head)
        if isinstance(judged, Refusal):
            self._refused, self._head = True, b''
            self._answer(self._refuse(judged))
        elif judged:
            self._passed, whole, self._head = True, self._head, b''
            super().data_received(whole)

    def _answer(self, response: Response) -> None:
        self.transport.write(response.serialize())
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.loop.call_later(_LINGER_S, self.transport.close)
