"""Ollama's own interface, with the options that its OpenAI-compatible one lacks."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Any

from kame_ros.oracle.clients.base import (
    AsksOneToken,
    ClientConfig,
    LlmError,
    Message,
    Options,
    Usage,
    missing_sdk,
)
from kame_ros.oracle.clients.errors import translate


class OllamaClient(AsksOneToken):
    """Streams from an Ollama server (`base_url`, else OLLAMA_HOST, else 127.0.0.1:11434).

    Reasoning is off, the model stays loaded, and the answer's length is bounded by the server.
    """

    # The server's default, OLLAMA_NUM_PARALLEL=1: a second request waits for the first.
    slots = 1

    def __init__(self, config: ClientConfig, *, keep_alive: float | str = -1) -> None:
        try:
            import ollama
        except ImportError as error:
            raise missing_sdk('ollama') from error
        import httpx

        self._config = config
        self._keep_alive = keep_alive
        self._client = ollama.AsyncClient(
            host=config.base_url or None,
            timeout=httpx.Timeout(config.idle_s, connect=config.connect_s),
        )

    async def stream(
        self, messages: Sequence[Message], options: Options, usage: Usage
    ) -> AsyncGenerator[str, None]:
        """See LlmClient.stream."""
        with translate(self._config):
            request: dict[str, Any] = {
                'temperature': options.temperature,
                'num_predict': options.max_tokens,
                **self._config.extra,
            }
            if options.stop:
                request['stop'] = list(options.stop)
            chunks: Any = await self._client.chat(
                model=self._config.model,
                messages=list(messages),
                stream=True,
                think=False,
                keep_alive=self._keep_alive,
                options=request,
            )
            try:
                done = False
                async for chunk in chunks:
                    done = done or bool(chunk.done)
                    if chunk.prompt_eval_count is not None:
                        usage.tokens_in = chunk.prompt_eval_count
                    if chunk.eval_count is not None:
                        usage.tokens_out = chunk.eval_count
                    if chunk.message.content:
                        yield chunk.message.content
                if not done:
                    raise LlmError('the stream broke off')
            finally:
                await chunks.aclose()

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._client._client.aclose()
