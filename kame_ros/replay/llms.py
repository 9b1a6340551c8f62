"""LLMs of a replay: the recorded one, and a real one whose time passes virtually."""

from __future__ import annotations

import asyncio
import difflib
import threading
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from kame_ros.consumers.consumer import Consumer
from kame_ros.oracle.llm.backend import Backend
from kame_ros.oracle.llm.clients.base import LlmClient, LlmError, Message, Options, Usage
from kame_ros.record.generations import GenerationRecord
from kame_ros.text.compare import normalise
from kame_ros.wire.oracle import LLM, ChunkKind, OracleChunk

_ALIKE = 0.6  # of difflib: a question that is less alike than this was never asked
_BROKEN_OFF_S = 30.0  # an answer that was stopped in the record does not go on
_PATIENCE_S = 180.0  # for a whole answer of a real LLM


Piece = tuple[float, str]  # when it came, in seconds on the audio clock, and the text
_NONE: Mapping[int, Sequence[Piece]] = {}


class AnswerTimes(Consumer):
    """When each piece of the LLM's answers was published; `clock` tells when one is told."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.pieces: dict[int, list[Piece]] = {}

    def on_oracle(self, chunk: OracleChunk) -> None:
        """A piece of what the robot should say."""
        if chunk.source == LLM and chunk.kind == ChunkKind.TEXT:
            self.pieces.setdefault(chunk.generation, []).append((self._clock(), chunk.text))


@dataclass(frozen=True)
class ReplayBackend(Backend):
    """A back-end whose client is made by `maker`; all else is that of the real one."""

    maker: Callable[[], LlmClient] | None = None

    @classmethod
    def of(cls, backend: Backend, maker: Callable[[], LlmClient]) -> ReplayBackend:
        """The same back-end, with another client."""
        same = {each.name: getattr(backend, each.name) for each in fields(Backend)}
        return cls(**same, maker=maker)

    def check(self) -> None:
        """Nothing need be there that is not asked."""

    def connect(self) -> LlmClient:
        """The client."""
        assert self.maker is not None
        return self.maker()


class RecordedLlm:
    """Answers as the record has it, in the same time; `unknown` are questions it was not asked.

    Such a question gets the answer to the one most like it. `pieces` are the texts of an answer
    and when each came, by its number; where there are none, its words come evenly.
    """

    def __init__(
        self, answers: Iterable[GenerationRecord], pieces: Mapping[int, Sequence[Piece]] = _NONE
    ) -> None:
        self._answers = [each for each in answers if each.text or each.error]
        self._pieces = pieces
        self._used: set[int] = set()
        self.unknown: list[str] = []

    async def stream(
        self, messages: Sequence[Message], options: Options, usage: Usage
    ) -> AsyncGenerator[str, None]:
        """See LlmClient."""
        answer = self._find(messages[-1]['content'])
        if answer is None:
            raise LlmError('the record has no answer to this', retryable=False)
        last = answer.started_at
        for t, text in self._told(answer):
            await asyncio.sleep(max(0.0, t - last))
            last = max(last, t)
            yield text
        if answer.error:
            await asyncio.sleep(max(0.0, (answer.ended_at or last) - last))
            raise LlmError(answer.error, retryable=False)
        if answer.ended_at is not None and not answer.stopped:
            await asyncio.sleep(max(0.0, answer.ended_at - last))
        if answer.stopped:
            await asyncio.sleep(_BROKEN_OFF_S)

    async def warm_up(self, messages: Sequence[Message]) -> None:
        """See LlmClient."""

    async def aclose(self) -> None:
        """See LlmClient."""

    def _told(self, answer: GenerationRecord) -> list[Piece]:
        """The texts of an answer, and when each came."""
        if pieces := self._pieces.get(answer.number):
            return list(pieces)
        begin = answer.first_word_at if answer.first_word_at is not None else answer.ended_at
        begin = answer.started_at if begin is None else begin
        words = answer.text.split()
        step = max(0.0, (answer.ended_at or begin) - begin) / max(1, len(words))
        return [(begin + n * step, f'{word} ') for n, word in enumerate(words)]

    def _find(self, question: str) -> GenerationRecord | None:
        """The answer to these words, or to those most alike; one that was not given yet first."""
        words = normalise(question)
        same = [a for a in self._answers if _ends_with(words, normalise(a.transcript))]
        if same:
            longest = max(len(normalise(a.transcript)) for a in same)
            same = [a for a in same if len(normalise(a.transcript)) == longest]
            fresh = [a for a in same if a.number not in self._used]
            answer = (fresh or same)[0]
            self._used.add(answer.number)
            return answer
        self.unknown.append(question)
        text = ' '.join(words)
        scored = [
            (difflib.SequenceMatcher(None, text, ' '.join(normalise(a.transcript))).ratio(), a)
            for a in self._answers
        ]
        best = max(scored, key=lambda item: item[0], default=None)
        return best[1] if best and best[0] >= _ALIKE else None


def _ends_with(words: Sequence[str], end: Sequence[str]) -> bool:
    return bool(end) and list(words[-len(end) :]) == list(end)


class AheadLlm:
    """A real LLM: it is asked at once and to the end, and its pieces come when they came.

    While it writes, no virtual time passes; then they come as late as they really did. So the
    replay's own computing costs it nothing, and its answers are measured one at a time.
    """

    def __init__(self, backend: Backend) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name='llm', daemon=True)
        self._thread.start()
        self._client = backend.connect()
        self.asked = 0

    async def stream(
        self, messages: Sequence[Message], options: Options, usage: Usage
    ) -> AsyncGenerator[str, None]:
        """See LlmClient."""
        self.asked += 1
        pieces, error = self._wait(self._fetch(list(messages), options, usage))
        last = 0.0
        for offset, piece in pieces:
            await asyncio.sleep(offset - last)
            last = offset
            yield piece
        if error is not None:
            raise error

    async def warm_up(self, messages: Sequence[Message]) -> None:
        """See LlmClient."""
        self._wait(self._client.warm_up(messages))

    async def aclose(self) -> None:
        """See LlmClient."""
        self._wait(self._client.aclose())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5.0)

    def _wait(self, what: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(what, self._loop).result(_PATIENCE_S)

    async def _fetch(
        self, messages: Sequence[Message], options: Options, usage: Usage
    ) -> tuple[list[tuple[float, str]], LlmError | None]:
        began, pieces = time.perf_counter(), []
        try:
            async for piece in self._client.stream(messages, options, usage):
                pieces.append((time.perf_counter() - began, piece))
        except LlmError as error:
            return pieces, error
        return pieces, None
