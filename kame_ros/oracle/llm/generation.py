"""One answer being written by an LLM: its words, its tokens, and why it failed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field

from kame_ros.oracle.llm.backend import Backend
from kame_ros.oracle.llm.clients.base import (
    CONTENT_FILTER,
    LlmClient,
    LlmError,
    Message,
    Options,
    Usage,
)
from kame_ros.oracle.policy.decision import Start
from kame_ros.oracle.text.spoken_stream import RESTART, SpokenStream
from kame_ros.runtime.faults import RAISED_BY_OTHERS
from kame_ros.text.well_formed import Halves

_SPENT = ('length', 'max_tokens')  # why a server ended that had no token left
_WITHHELD = (CONTENT_FILTER, 'refusal')
_PART = 1_024  # characters that are read in one turn of the loop, in a few milliseconds


@dataclass
class Generation:
    """A question, the LLM that is asked, and what it has answered so far."""

    ask: Start
    backend: Backend
    messages: list[Message]
    max_words: int
    task: asyncio.Task[None] | None = None
    words: list[str] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)
    reading: bool = False  # the LLM still reads the prompt
    refused: bool = False  # the server wrote nothing and asks no price
    hidden: tuple[str, ...] = ()  # marks of the model, see text.markup
    calls: int = 0  # of tools, written as text and left out
    plays_user: bool = False  # it went on with the user's part, and was cut there

    @property
    def text(self) -> str:
        """The answer so far, as the robot would say it."""
        return ''.join(self.words).rpartition(RESTART)[2].lstrip()

    @property
    def prompt(self) -> str:
        """The whole prompt as one text."""
        return ' '.join(message['content'] for message in self.messages)

    def stop(self) -> bool:
        """Stops the answer, and the server; False if it is over already."""
        return self.task is not None and self.task.cancel()

    async def write(
        self,
        client: LlmClient,
        on_words: Callable[[Generation, list[str]], None],
        on_request: Callable[[Generation, str], None],
        on_piece: Callable[[Generation], None],
    ) -> None:
        """Streams the answer: whole words to `on_words`, requests for actions to `on_request`.

        `on_piece` is called at every piece, whether it is to be said or not.

        Raises LlmError for whatever the client raises; what a callback raises is passed on, as it
        is no fault of the LLM. However it ends, the server has been stopped.
        """
        spoken = SpokenStream(self.max_words, self.backend.thinks, self.hidden)
        options = Options(self.backend.max_tokens, self.backend.temperature)
        stream = client.stream(self.messages, options, self.usage)
        halves = Halves()
        pieces = requests = 0
        try:
            while (piece := await _next_piece(stream)) is not None:
                self.reading = not piece and not self.words
                pieces += bool(piece)
                await self._read(spoken, halves.push(piece), on_words)
                on_piece(self)
                for request in spoken.take_requests():
                    requests += 1
                    on_request(self, request)
                if spoken.done:
                    break
        finally:
            self.calls, self.plays_user = spoken.calls, spoken.plays_user
            await stream.aclose()
        self._give(spoken.push(halves.flush()) + spoken.flush(), on_words)
        self.plays_user = spoken.plays_user
        if not self.text and not requests:
            raise self._silence(pieces)

    async def _read(
        self,
        spoken: SpokenStream,
        piece: str,
        on_words: Callable[[Generation, list[str]], None],
    ) -> None:
        """A piece may be a whole book: between its parts the loop turns."""
        for start in range(0, len(piece), _PART):
            if start:
                await asyncio.sleep(0)
            self._give(spoken.push(piece[start : start + _PART]), on_words)
            if spoken.done:
                break

    def _silence(self, pieces: int) -> LlmError:
        """Why nothing came that could be said or done: an empty answer is a failure."""
        finish, name = self.usage.finish, self.backend.name
        if finish in _SPENT and (pieces or self.usage.thought):
            return LlmError(
                f'{name} spent all its {self.backend.max_tokens} tokens on thinking and answered '
                f'nothing: raise max_tokens, or switch its thinking off',
                retryable=False,
            )
        if finish in _WITHHELD:
            return LlmError(f'the content filter of {name} stopped the answer', retryable=False)
        if self.calls:
            return LlmError(f'{name} called a tool in its text and answered nothing')
        if pieces or self.usage.thought:
            return LlmError(f'nothing that {name} answered can be said')
        return LlmError(f'the answer of {name} was empty')

    def _give(self, words: list[str], on_words: Callable[[Generation, list[str]], None]) -> None:
        if words:
            self.words += words
            on_words(self, words)


async def _next_piece(stream: AsyncGenerator[str, None]) -> str | None:
    """The next piece, or None at the end. Whatever a client raises is an LlmError."""
    try:
        piece: object = await anext(stream, None)
    except LlmError:
        raise
    except RAISED_BY_OTHERS as error:  # a client must not take the oracle down
        raise LlmError(f'{type(error).__name__}: {error}') from error
    if piece is None or isinstance(piece, str):
        return piece
    raise LlmError(f'a piece of the answer is no text but {type(piece).__name__}', retryable=False)
