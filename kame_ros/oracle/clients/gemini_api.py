"""Google's Gemini models."""

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
    key_from_environment,
    missing_sdk,
    split_system,
)
from kame_ros.oracle.clients.errors import translate

KEY = 'GEMINI_API_KEY'


class GeminiClient(AsksOneToken):
    """Streams with the official SDK; thinking is set to nothing where the model allows it."""

    slots = 4

    def __init__(self, config: ClientConfig) -> None:
        try:
            from google import genai
            from google.genai import types
        except ImportError as error:
            raise missing_sdk('google-genai') from error
        self._config = config
        self._types = types
        self._client = genai.Client(
            api_key=key_from_environment(config.key_name or KEY, 'Gemini'),
            http_options=types.HttpOptions(
                base_url=config.base_url or None, timeout=int(config.idle_s * 1000)
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
                finished = False
                async for chunk in chunks:
                    self._read_usage(chunk, usage)
                    for candidate in (chunk.candidates or [])[:1]:
                        finished = finished or candidate.finish_reason is not None
                        for part in (candidate.content and candidate.content.parts) or []:
                            if part.text and not part.thought:
                                yield part.text
                if not finished:
                    raise LlmError('the stream broke off')
            finally:
                await chunks.aclose()

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._client.aio.aclose()

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
            usage.tokens_in = counts.prompt_token_count or 0
            usage.tokens_out = counts.candidates_token_count or 0
            usage.cached = counts.cached_content_token_count or 0
