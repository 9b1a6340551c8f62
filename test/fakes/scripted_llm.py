"""An LLM in this process that answers what a test tells it to; no server, no waiting."""

import asyncio

from kame_ros.oracle.llm.clients.base import Usage


class ScriptedClient:
    """`answer(messages)` gives the pieces: texts, exceptions to raise, events to wait for."""

    def __init__(self, answer, warm=None):
        self.answer, self.warm = answer, warm
        self.asked, self.warmed = [], []

    async def stream(self, messages, options, usage: Usage):
        self.asked.append(messages)
        for piece in self.answer(messages):
            await asyncio.sleep(0)
            if isinstance(piece, BaseException):
                raise piece
            if isinstance(piece, asyncio.Future | asyncio.Task):
                await piece
            elif callable(piece):
                await piece()
            else:
                yield piece

    async def warm_up(self, messages):
        self.warmed.append(messages)
        if self.warm is not None:
            await self.warm()

    async def aclose(self):
        pass
