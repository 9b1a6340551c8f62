"""Any server that speaks OpenAI's chat completions: OpenAI, vLLM, llama.cpp, Gemini, ..."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Sequence
from typing import Any

from kame_ros.oracle.clients.base import (
    AsksOneToken,
    ClientConfig,
    LlmError,
    Message,
    Options,
    Usage,
    key_from_environment,
    missing_sdk,
)
from kame_ros.oracle.clients.errors import translate

KEY = 'OPENAI_API_KEY'
_OPTIONAL = ('temperature', 'stop')  # refused by OpenAI's reasoning models
_TIMINGS = 'timings'  # llama.cpp's own report


class OpenAiClient(AsksOneToken):
    """Streams from `base_url` (OpenAI's if empty) with the official SDK.

    A key is demanded for OpenAI itself; other servers say if they need one. The SDK's own retries
    are off: the policy decides. An optional setting that a model refuses is not sent again.
    """

    slots = 4

    def __init__(self, config: ClientConfig) -> None:
        try:
            import openai
        except ImportError as error:
            raise missing_sdk('openai') from error
        self._config = config
        name = config.key_name or KEY
        key = os.environ.get(name, '')
        if not key and not config.base_url:
            key = key_from_environment(name, 'OpenAI')
        self._refused: set[str] = set()
        self._client = openai.AsyncOpenAI(
            api_key=key or 'none',
            base_url=config.base_url or None,
            max_retries=0,
            timeout=openai.Timeout(config.idle_s, connect=config.connect_s),
        )

    async def stream(
        self, messages: Sequence[Message], options: Options, usage: Usage
    ) -> AsyncGenerator[str, None]:
        """See LlmClient.stream."""
        with translate(self._config):
            stream = await self._ask(self._request(messages, options))
            finished = False
            async with stream:
                async for chunk in stream:
                    _read_usage(chunk, usage)
                    for choice in chunk.choices[:1]:
                        finished = finished or bool(choice.finish_reason)
                        if choice.delta and choice.delta.content:
                            yield choice.delta.content
            if not finished:
                raise LlmError('the stream broke off')

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._client.close()

    async def _ask(self, request: dict[str, Any]) -> Any:
        import openai

        while True:
            wanted = {k: v for k, v in request.items() if k not in self._refused}
            try:
                return await self._client.chat.completions.create(**wanted)
            except openai.BadRequestError as error:
                if error.param not in _OPTIONAL or error.param not in wanted:
                    raise
                self._refused.add(error.param)

    def _request(self, messages: Sequence[Message], options: Options) -> dict[str, Any]:
        official = not self._config.base_url or 'api.openai.com' in self._config.base_url
        request: dict[str, Any] = {
            'model': self._config.model,
            'messages': list(messages),
            'stream': True,
            'stream_options': {'include_usage': True},
            # OpenAI's newer models refuse max_tokens; most other servers know nothing else.
            'max_completion_tokens' if official else 'max_tokens': options.max_tokens,
            'temperature': options.temperature,
            'extra_body': dict(self._config.extra),
        }
        if options.stop:
            request['stop'] = list(options.stop)
        return request


def _read_usage(chunk: Any, usage: Usage) -> None:
    if not hasattr(chunk, 'choices') or chunk.choices is None:
        raise LlmError(f'not a chunk of an answer: {str(chunk)[:80]}')
    if chunk.usage:
        usage.tokens_in = chunk.usage.prompt_tokens
        usage.tokens_out = chunk.usage.completion_tokens
        details = chunk.usage.prompt_tokens_details
        if details and details.cached_tokens is not None:
            usage.cached = details.cached_tokens
    timings = (chunk.model_extra or {}).get(_TIMINGS)
    if timings:
        usage.cached = int(timings.get('cache_n', usage.cached))
