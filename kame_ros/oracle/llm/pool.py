"""The clients in use: made once, closed when no configuration names them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

from kame_ros.oracle.llm.backend import Backend
from kame_ros.oracle.llm.clients.base import LlmClient, LlmError, LlmUnavailable, Message
from kame_ros.runtime.faults import RAISED_BY_OTHERS


class ClientPool:
    """Clients by back-end, made at first use in a worker thread, as SDKs import for seconds.

    Belongs to one event loop.
    """

    def __init__(self) -> None:
        self._clients: dict[tuple[str, ...], asyncio.Future[LlmClient]] = {}
        self._preparing: set[asyncio.Task[None]] = set()
        self._waiting: dict[tuple[str, ...], asyncio.Future[None]] = {}  # until it is prepared
        self._reading: dict[tuple[str, ...], asyncio.Task[None]] = {}  # what prepares it

    async def get(self, backend: Backend) -> LlmClient:
        """The client of this back-end. Raises LlmError; the next call tries anew."""
        key = backend.connection
        future = self._clients.get(key)
        if future is None:
            future = asyncio.ensure_future(asyncio.to_thread(backend.connect))
            self._clients[key] = future
        try:
            return await asyncio.shield(future)
        except LlmError:
            self._clients.pop(key, None)
            raise
        except RAISED_BY_OTHERS as error:  # a broken SDK raises what it likes
            self._clients.pop(key, None)
            raise LlmUnavailable(f'{backend.name}: {type(error).__name__}: {error}') from error

    def prepare(
        self,
        backends: Sequence[Backend],
        messages: Sequence[Message],
        on_error: Callable[[LlmError], None],
    ) -> None:
        """Connects in the background, before anything is asked; local models are loaded."""
        for backend in backends:
            ready = asyncio.get_running_loop().create_future()
            self._waiting[backend.connection] = ready  # before anyone can ask
            task = asyncio.ensure_future(self._prepare(backend, messages, on_error))
            self._preparing.add(task)
            self._reading[backend.connection] = task
            # No `finally` in the task: one that is cancelled before its first step has none.
            task.add_done_callback(partial(self._prepared, backend.connection, ready))

    def is_ready(self, backend: Backend) -> bool:
        """Whether it can be asked at once."""
        future = self._clients.get(backend.connection)
        return future is not None and future.done() and backend.connection not in self._waiting

    async def ready(self, backend: Backend) -> LlmClient:
        """The client of this back-end when it has been prepared. Raises LlmError."""
        if backend.about.in_process and backend.connection in self._waiting:
            # The question reads on where it stopped, and tells how far it is.
            self._reading[backend.connection].cancel()
        while (ready := self._waiting.get(backend.connection)) is not None:
            await asyncio.shield(ready)
        return await self.get(backend)

    async def _prepare(
        self,
        backend: Backend,
        messages: Sequence[Message],
        on_error: Callable[[LlmError], None],
    ) -> None:
        try:
            client = await self.get(backend)
            if backend.about.loads:
                await client.warm_up(messages)
        except LlmError as error:
            on_error(error)
        except RAISED_BY_OTHERS as error:
            on_error(LlmError(f'{backend.name}: {type(error).__name__}: {error}'))

    def _prepared(
        self, key: tuple[str, ...], ready: asyncio.Future[None], task: asyncio.Task[None]
    ) -> None:
        self._preparing.discard(task)
        if self._waiting.get(key) is ready:
            del self._waiting[key]
            del self._reading[key]
        if not ready.done():
            ready.set_result(None)

    async def keep_only(self, backends: Sequence[Backend]) -> None:
        """Closes the clients of all other back-ends."""
        keys = {backend.connection for backend in backends}
        for key in [key for key in self._clients if key not in keys]:
            await self._close(self._clients.pop(key))

    async def aclose(self) -> None:
        """Closes all clients."""
        for task in list(self._preparing):
            task.cancel()
        await asyncio.gather(*self._preparing, return_exceptions=True)
        await self.keep_only(())

    @staticmethod
    async def _close(future: asyncio.Future[LlmClient]) -> None:
        try:
            client = await future
            await client.aclose()
        except RAISED_BY_OTHERS:  # it never was open, or is gone
            return
