"""Google's Gemini models."""

from __future__ import annotations

import importlib
import sys
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from typing import Any

from kame_ros import trust
from kame_ros.oracle.clients.base import (
    CONTENT_FILTER,
    AsksOneToken,
    ClientConfig,
    LlmError,
    Message,
    Options,
    Usage,
    is_whole,
    key_from_environment,
    split_system,
)
from kame_ros.oracle.clients.errors import translate
from kame_ros.oracle.clients.sdk import load_sdk, making_client
from kame_ros.proxies import connection_options

KEY = 'GEMINI_API_KEY'
_FILTERED = ('safety', 'prohibited_content', 'blocklist', 'spii', 'recitation')
_OFFICIAL = 'https://generativelanguage.googleapis.com'


class GeminiClient(AsksOneToken):
    """Streams with the official SDK; thinking is set to nothing where the model allows it."""

    slots = 4

    def __init__(self, config: ClientConfig) -> None:
        genai = load_sdk('google.genai', 'google-genai')
        types = load_sdk('google.genai.types', 'google-genai')
        url = (config.base_url or _OFFICIAL).rstrip('/')
        for version in ('/v1beta', '/v1'):  # the SDK adds it
            url = url.removesuffix(version)
        variable = trust.variable_for(url, config.key_name or KEY)
        self._config = replace(config, base_url=url, key_name=variable, kind='gemini')
        self._types = types
        key = key_from_environment(self._config, 'Gemini')
        options = connection_options(url)
        # The SDK would take aiohttp where it is installed, which follows to other addresses.
        httpx = sys.modules.get('httpx2') or importlib.import_module('httpx')
        with making_client(url):
            self._http = httpx.AsyncClient(**options)
            self._client = genai.Client(
                vertexai=False,
                api_key=key,
                http_options=types.HttpOptions(
                    base_url=url,
                    timeout=int(config.idle_s * 1000),
                    client_args=options,  # it makes this one too, though it is not used
                    httpx_async_client=self._http,
                ),
            )

    async def stream(
        self, messages: Sequence[Message], options: Options, usage: Usage
    ) -> AsyncGenerator[str, None]:
        """See LlmClient.stream."""
        system, turns = split_system(messages)
        with translate(self._config):
            chunks: Any = await self._client.aio.models.generate_content_stream(
                model=self._config.model,
                contents=[self._content(turn) for turn in turns],
                config=self._options(system, options),
            )
            try:
                finished, said = False, ''
                async for chunk in chunks:
                    self._read_usage(chunk, usage)
                    if chunk.prompt_feedback and chunk.prompt_feedback.block_reason:
                        finished, usage.finish = True, CONTENT_FILTER
                    for candidate in (chunk.candidates or [])[:1]:
                        if candidate.finish_reason is not None:
                            finished, usage.finish = True, _finish(candidate.finish_reason)
                        for part in (candidate.content and candidate.content.parts) or []:
                            if part.text and not part.thought:
                                said = (said + part.text)[-200:]
                                yield part.text
                            usage.thought = usage.thought or bool(part.thought)
                if not finished and not is_whole(said):
                    raise LlmError('the stream broke off')
            finally:
                await chunks.aclose()

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._client.aio.aclose()
        await self._http.aclose()

    def _content(self, turn: Message) -> Any:
        role = 'model' if turn['role'] == 'assistant' else 'user'
        return self._types.Content(role=role, parts=[self._types.Part(text=turn['content'])])

    def _options(self, system: str, options: Options) -> Any:
        # 0 is off; -1 leaves it to the model, as those want that cannot stop thinking
        budget = int(str(self._config.extra.get('thinking_budget', 0)))
        config: dict[str, Any] = {
            'system_instruction': system,
            'max_output_tokens': options.max_tokens,
            'temperature': options.temperature,
            'stop_sequences': list(options.stop) or None,
            'thinking_config': self._types.ThinkingConfig(thinking_budget=budget),
        }
        return self._types.GenerateContentConfig(**config)

    @staticmethod
    def _read_usage(chunk: Any, usage: Usage) -> None:
        counts = chunk.usage_metadata
        if counts is not None:
            usage.tokens_in = _count(counts.prompt_token_count, usage.tokens_in)
            usage.tokens_out = _count(counts.candidates_token_count, usage.tokens_out)
            if counts.prompt_token_count is not None:
                usage.cached = counts.cached_content_token_count or 0
            usage.thought = usage.thought or bool(counts.thoughts_token_count)


def _count(told: int | None, otherwise: int) -> int:
    return otherwise if told is None else told


def _finish(reason: Any) -> str:
    """Why it ended, in the words of the others."""
    name = str(getattr(reason, 'name', reason)).lower()
    return CONTENT_FILTER if name in _FILTERED else name
