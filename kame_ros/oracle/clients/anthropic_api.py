"""Anthropic's models."""

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

KEY = 'ANTHROPIC_API_KEY'


class AnthropicClient(AsksOneToken):
    """Streams messages with the official SDK; reasoning is not asked for."""

    slots = 4

    def __init__(self, config: ClientConfig) -> None:
        try:
            import anthropic
        except ImportError as error:
            raise missing_sdk('anthropic') from error
        self._config = config
        self._client = anthropic.AsyncAnthropic(
            api_key=key_from_environment(config.key_name or KEY, 'Anthropic'),
            base_url=config.base_url or None,
            max_retries=0,
            timeout=anthropic.Timeout(config.idle_s, connect=config.connect_s),
        )

    async def stream(
        self, messages: Sequence[Message], options: Options, usage: Usage
    ) -> AsyncGenerator[str, None]:
        """See LlmClient.stream."""
        system, turns = split_system(messages)
        request: dict[str, Any] = {
            'model': self._config.model,
            'system': system,
            'messages': turns,
            'max_tokens': options.max_tokens,
            **self._config.extra,
        }
        if options.stop:
            request['stop_sequences'] = list(options.stop)
        with translate(self._config):
            events: Any = await self._client.messages.create(**request, stream=True)
            async with events:
                complete = False
                async for event in events:
                    if event.type == 'message_start':
                        usage.tokens_in = event.message.usage.input_tokens
                        usage.cached = event.message.usage.cache_read_input_tokens or 0
                    elif event.type == 'message_delta':
                        usage.tokens_out = event.usage.output_tokens
                    elif event.type == 'message_stop':
                        complete = True
                    elif event.type == 'content_block_delta' and event.delta.type == 'text_delta':
                        yield event.delta.text
                if not complete:
                    raise LlmError('the stream broke off')

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._client.close()
