"""Ollama's own interface, with the options that its OpenAI-compatible one lacks."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from typing import Any

from kame_ros import trust
from kame_ros.oracle.clients.base import (
    AsksOneToken,
    ClientConfig,
    LlmError,
    Message,
    Options,
    Usage,
    is_whole,
)
from kame_ros.oracle.clients.errors import translate
from kame_ros.oracle.clients.sdk import load_sdk, making_client
from kame_ros.proxies import connection_options

KEY = 'OLLAMA_API_KEY'
_OFFICIAL = 'http://127.0.0.1:11434'


class OllamaClient(AsksOneToken):
    """Streams from an Ollama server (`base_url`, else OLLAMA_HOST, else 127.0.0.1:11434).

    Reasoning is off, the model stays loaded, and the answer's length is bounded by the server.
    """

    # The server's default, OLLAMA_NUM_PARALLEL=1: a second request waits for the first.
    slots = 1

    def __init__(self, config: ClientConfig, *, keep_alive: float | str = -1) -> None:
        ollama = load_sdk('ollama', 'ollama')
        import httpx

        self._keep_alive = keep_alive
        host = config.base_url or os.environ.get('OLLAMA_HOST', '').strip() or _OFFICIAL
        host = host if '://' in host else f'http://{host}'
        host = host.rstrip('/').removesuffix('/v1').removesuffix('/api')
        variable = trust.variable_for(host, config.key_name or KEY)
        self._config = replace(config, base_url=host, key_name=variable, kind='ollama')
        key = trust.key_for(variable, host)
        with making_client(host):
            self._client = ollama.AsyncClient(
                host=host,
                timeout=httpx.Timeout(config.idle_s, connect=config.connect_s),
                headers={'authorization': f'Bearer {key}'} if key else {},
                **connection_options(host),
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
