"""Ollama's own interface, with the options that its OpenAI-compatible one lacks."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Any

from kame_ros.oracle.llm.clients.base import (
    AsksOneToken,
    ClientConfig,
    Kind,
    LlmError,
    Message,
    Options,
    Usage,
    connection,
    is_whole,
)
from kame_ros.oracle.llm.clients.errors import translate
from kame_ros.oracle.llm.clients.sdk import http_options, load_sdk, making_client


class OllamaClient(AsksOneToken):
    """Streams from an Ollama server (`base_url`, else OLLAMA_HOST, else 127.0.0.1:11434).

    Reasoning is off, the model stays loaded, and the answer's length is bounded by the server.
    """

    def __init__(self, config: ClientConfig, *, keep_alive: float | str = -1) -> None:
        ollama = load_sdk('ollama', 'ollama')
        import httpx

        self._keep_alive = keep_alive
        self._config, key = connection(config, KIND, '/v1', '/api')
        host = self._config.base_url
        with making_client(host):
            self._client = ollama.AsyncClient(
                host=host,
                timeout=httpx.Timeout(config.idle_s, connect=config.connect_s),
                headers={'authorization': f'Bearer {key}'} if key else {},
                **http_options(self._config),
            )
        if not key:  # the SDK sends OLLAMA_API_KEY to whatever address
            self._client._client.headers.pop('authorization', None)

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
            chunks: Any = await self._client.chat(
                model=self._config.model,
                messages=list(messages),
                stream=True,
                think=False,
                keep_alive=self._keep_alive,
                options=request,
            )
            try:
                done, said = False, ''
                async for chunk in chunks:
                    done = done or bool(chunk.done)
                    if chunk.prompt_eval_count is not None:
                        usage.tokens_in = chunk.prompt_eval_count
                    if chunk.eval_count is not None:
                        usage.tokens_out = chunk.eval_count
                    if chunk.done_reason:
                        usage.finish = chunk.done_reason
                    usage.thought = usage.thought or bool(chunk.message.thinking)
                    if chunk.message.content:
                        said = (said + chunk.message.content)[-200:]
                        yield chunk.message.content
                if not done and not is_whole(said):
                    raise LlmError('the stream broke off')
            finally:
                await chunks.aclose()

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._client._client.aclose()


KIND = Kind(
    OllamaClient,
    about='LLMs of an ollama server',
    example='llama3.2',
    module='ollama',
    package='ollama',
    key='OLLAMA_API_KEY',
    needs_key=False,
    hosts=('ollama.com',),
    address='http://127.0.0.1:11434',
    address_variable='OLLAMA_HOST',
    slots=1,  # its default, OLLAMA_NUM_PARALLEL=1: a second request waits for the first
    loads=True,
)
