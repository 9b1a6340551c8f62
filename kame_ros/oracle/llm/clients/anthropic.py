"""Anthropic's models."""

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
    split_system,
)
from kame_ros.oracle.llm.clients.errors import translate
from kame_ros.oracle.llm.clients.sdk import http_options, load_sdk, making_client


class AnthropicClient(AsksOneToken):
    """Streams messages with the official SDK; reasoning is not asked for."""

    def __init__(self, config: ClientConfig) -> None:
        anthropic = load_sdk('anthropic', 'anthropic')
        self._config, key = connection(config, KIND, '/v1')  # the SDK adds it
        url = self._config.base_url
        with making_client(url):
            self._client = anthropic.AsyncAnthropic(
                api_key=key or 'none',
                base_url=url,
                max_retries=0,
                timeout=anthropic.Timeout(config.idle_s, connect=config.connect_s),
                http_client=anthropic.DefaultAsyncHttpxClient(**http_options(self._config)),
            )
        if not key:
            self._client._custom_headers = {}  # ANTHROPIC_CUSTOM_HEADERS, which may hold one too
        self._client.auth_token = None  # ANTHROPIC_AUTH_TOKEN is no key that we were told to send

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
        with translate(self._config):
            events: Any = await self._client.messages.create(**request, stream=True)
            async with events:
                complete, said = False, ''
                async for event in events:
                    if event.type == 'message_start':
                        told_by = event.message.usage
                        if told_by and told_by.input_tokens is not None:
                            usage.tokens_in = told_by.input_tokens
                            usage.cached = told_by.cache_read_input_tokens or 0
                    elif event.type == 'message_delta':
                        usage.finish = event.delta.stop_reason or ''
                        if event.usage and event.usage.output_tokens is not None:
                            usage.tokens_out = event.usage.output_tokens
                    elif event.type == 'message_stop':
                        complete = True
                    elif event.type == 'content_block_delta' and event.delta.type == 'text_delta':
                        said = (said + event.delta.text)[-200:]
                        yield event.delta.text
                    elif event.type == 'content_block_delta':
                        usage.thought = usage.thought or event.delta.type == 'thinking_delta'
                if not complete and not usage.finish and not is_whole(said):
                    raise LlmError('the stream broke off')

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._client.close()


KIND = Kind(
    AnthropicClient,
    about='LLMs of Anthropic',
    example='claude-haiku-4-5',
    module='anthropic',
    package='anthropic',
    key='ANTHROPIC_API_KEY',
    hosts=('api.anthropic.com',),
    address='https://api.anthropic.com',
    address_variable='ANTHROPIC_BASE_URL',
    slots=4,
)
