"""One answer in the making."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field

from kame_ros.oracle.backend import Backend
from kame_ros.oracle.clients.base import (
    CONTENT_FILTER,
    LlmClient,
    LlmError,
    Message,
    Options,
    Usage,
)
from kame_ros.oracle.decision import Start
from kame_ros.oracle.speech import RESTART, SpokenStream
from kame_ros.well_formed import well_formed

_SPENT = ('length', 'max_tokens')  # why a server ended that had no token left
_WITHHELD = (CONTENT_FILTER, 'refusal')


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
        pieces = requests = 0
        try:
            while (piece := await _next_piece(stream)) is not None:
                self.reading = not piece and not self.words
                pieces += bool(piece)
                self._give(spoken.push(well_formed(piece)), on_words)
                on_piece(self)
                for request in spoken.take_requests():
                    requests += 1
                    on_request(self, request)
                if spoken.done:
                    break
        finally:
            self.calls = spoken.calls
            await stream.aclose()
        self._give(spoken.flush(), on_words)
        if not self.words and not requests:
            self._explain_silence(pieces)

    def _explain_silence(self, pieces: int) -> None:
        finish, name = self.usage.finish, self.backend.name
        if finish in _SPENT and (pieces or self.usage.thought):
            raise LlmError(
                f'{name} spent all its {self.backend.max_tokens} tokens on thinking and answered '
                f'nothing: raise max_tokens, or switch its thinking off',
                retryable=False,
            )
        if finish in _WITHHELD:
            raise LlmError(f'the content filter of {name} stopped the answer', retryable=False)

    def _give(self, words: list[str], on_words: Callable[[Generation, list[str]], None]) -> None:
        if words:
            self.words += words
            on_words(self, words)


async def _next_piece(stream: AsyncGenerator[str, None]) -> str | None:
    """The next piece, or None at the end. Whatever a client raises is an LlmError."""
    try:
        return await anext(stream, None)
    except LlmError:
        raise
    except Exception as error:  # a client must not take the oracle down
        raise LlmError(f'{type(error).__name__}: {error}') from error
