"""The clients in use: made once, closed when no configuration names them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from kame_ros.oracle.backend import Backend
from kame_ros.oracle.clients.base import LlmClient, LlmError


class ClientPool:
    """Clients by back-end, made at first use in a worker thread, as SDKs import for seconds.

    Belongs to one event loop.
    """

    def __init__(self) -> None:
        self._clients: dict[str, asyncio.Future[LlmClient]] = {}

    async def get(self, backend: Backend) -> LlmClient:
        """The client of this back-end. Raises LlmError; the next call tries anew."""
        future = self._clients.get(backend.name)
        if future is None:
            future = asyncio.ensure_future(asyncio.to_thread(backend.connect))
            self._clients[backend.name] = future
        try:
            return await asyncio.shield(future)
        except LlmError:
            self._clients.pop(backend.name, None)
            raise

    async def keep_only(self, backends: Sequence[Backend]) -> None:
        """Closes the clients of all other back-ends."""
        names = {backend.name for backend in backends}
        for name in [name for name in self._clients if name not in names]:
            await self._close(self._clients.pop(name))

    async def aclose(self) -> None:
        """Closes all clients."""
        await self.keep_only(())

    @staticmethod
    async def _close(future: asyncio.Future[LlmClient]) -> None:
        try:
            client = await future
        except LlmError:
            return
        await client.aclose()
