"""Google's Gemini models."""

from __future__ import annotations

import importlib
import sys
from collections.abc import AsyncGenerator, Sequence
from typing import Any

from kame_ros.oracle.llm.clients.base import (
    CONTENT_FILTER,
    AsksOneToken,
    ClientConfig,
    Kind,
    LlmError,
    Message,
    Options,
    Usage,
    connection,
    is_whole,
    split_system,
)
from kame_ros.oracle.llm.clients.errors import translate
from kame_ros.oracle.llm.clients.sdk import http_options, load_sdk, making_client

_FILTERED = ('safety', 'prohibited_content', 'blocklist', 'spii', 'recitation')


class GeminiClient(AsksOneToken):
    """Streams with the official SDK; thinking is set to nothing where the model allows it."""

    def __init__(self, config: ClientConfig) -> None:
        genai = load_sdk('google.genai', 'google-genai')
        types = load_sdk('google.genai.types', 'google-genai')
        self._config, key = connection(config, KIND, '/v1beta', '/v1')  # the SDK adds it
        url = self._config.base_url
        self._types = types
        # The SDK would take aiohttp where it is installed, which follows to other addresses.
        httpx = sys.modules.get('httpx2') or importlib.import_module('httpx')
        with making_client(url):
            options = http_options(self._config)
            self._http = httpx.AsyncClient(**options)
            self._client = genai.Client(
                vertexai=False,
                api_key=key or 'none',
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


KIND = Kind(
    GeminiClient,
    about='LLMs of Google',
    example='gemini-2.5-flash',
    module='google.genai',
    package='google-genai',
    key='GEMINI_API_KEY',
    hosts=('generativelanguage.googleapis.com',),
    address='https://generativelanguage.googleapis.com',
    slots=4,
)
