"""Any server that speaks OpenAI's chat completions: OpenAI, vLLM, llama.cpp, Gemini, ..."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any
from urllib.parse import urlsplit

from kame_ros.oracle.llm.clients.base import (
    AsksOneToken,
    ClientConfig,
    Kind,
    LlmError,
    LlmUnavailable,
    Message,
    Options,
    Usage,
    connection,
)
from kame_ros.oracle.llm.clients.chat_answer import ChatAnswer
from kame_ros.oracle.llm.clients.errors import read_error, told, translate, web_page
from kame_ros.oracle.llm.clients.quirks import quirks_of
from kame_ros.oracle.llm.clients.sdk import load_sdk, making_client
from kame_ros.oracle.llm.clients.sse import DONE, read_events
from kame_ros.trust import keys as trust
from kame_ros.trust.proxies import connection_options

_ENDPOINT = '/chat/completions'
_MOST_TRIES = 8  # of one question, each without something that the server has refused


class OpenAiClient(AsksOneToken):
    """Streams from `base_url` (OpenAI's if empty) with the official SDK.

    A key is demanded for OpenAI itself; other servers say if they need one. The SDK's own retries
    are off: the policy decides. What a server refuses, it is not sent again (see quirks.py); an
    address without its /v1 is completed. The events are read here and not by the SDK, as many
    servers write what its types do not hold.
    """

    def __init__(self, config: ClientConfig) -> None:
        openai = load_sdk('openai', 'openai')
        self._config, key = connection(config, KIND, _ENDPOINT)
        url = self._config.base_url
        self._official = trust.is_official(KIND.key, url)
        self._quirks = quirks_of(url, config.model)
        others: dict[str, Any] = {} if self._official else {'organization': '', 'project': ''}
        with making_client(url):
            self._client = openai.AsyncOpenAI(
                api_key=key or 'none',  # the SDK wants one
                base_url=url,
                max_retries=0,
                timeout=openai.Timeout(config.idle_s, connect=config.connect_s),
                http_client=openai.DefaultAsyncHttpxClient(**connection_options(url)),
                **others,
            )

    async def stream(
        self, messages: Sequence[Message], options: Options, usage: Usage
    ) -> AsyncGenerator[str, None]:
        """See LlmClient.stream."""
        with translate(self._config):
            async with aclosing(await self._ask(self._request(messages, options))) as response:
                answer = ChatAnswer(self._config, usage)
                kind = response.headers.get('content-type', '')
                whole = await _whole(response, kind)
                if whole is not None:  # a server that cannot stream
                    for text in answer.read(whole):
                        yield text
                    answer.closed = True
                else:
                    async for event in read_events(_body(response)):
                        if event is DONE:
                            answer.closed = True
                            break
                        for text in answer.read(event):
                            yield text
                for text in answer.end(framed='transfer-encoding' in response.headers):
                    yield text

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._client.close()

    async def _ask(self, request: dict[str, Any]) -> Any:
        """The open response; asked anew without what the server refuses, or with /v1."""
        for _ in range(_MOST_TRIES):
            sent = self._quirks.applied(request)
            response, failure = await self._post(sent)
            if failure is None:
                failure = await self._other_page(response)
                if failure is not None and self._may_lack_path():
                    self._quirks.path = '/v1'
                    continue
            if failure is None:
                return response
            if not self._learn(sent, failure):
                break
        if isinstance(failure, LlmError) or getattr(failure, 'status_code', 0) in (404, 405):
            self._quirks.path = ''  # there is nothing either: what was asked first is at fault
        raise failure

    async def _post(self, sent: dict[str, Any]) -> tuple[Any, Any]:
        import openai

        client = self._client
        if self._quirks.path:
            client = client.copy(base_url=self._config.base_url + self._quirks.path)
        create = client.chat.completions.with_raw_response.create
        try:
            raw = await create(**sent)
        except openai.APIStatusError as error:
            return None, error
        return raw.http_response, None

    async def _other_page(self, response: Any) -> LlmError | None:
        """What is wrong with a response of status 200 that comes from no chat completions."""
        kind = response.headers.get('content-type', '')
        if 'html' in kind:
            await response.aclose()
            return web_page(self._config)
        said = await _whole(response, kind)
        if isinstance(said, Mapping) and said.get('error'):
            error = told(self._config, said)
            if 'nothing at this path' in str(error):  # LM Studio's
                return error
        return None

    def _learn(self, sent: dict[str, Any], failure: Any) -> bool:
        """Whether the request is worth another try, after what the server said of this one."""
        status = getattr(failure, 'status_code', 0)
        body = getattr(failure, 'body', None)
        said = body if body is not None else str(failure)
        text, _, _ = read_error(said)
        if status in (404, 405):
            lost = (
                not told(self._config, said, status)
                .args[0]
                .startswith(f'{self._config.base_url} has no model')
            )
            if lost and self._may_lack_path():
                self._quirks.path = '/v1'
                return True
            return False
        if status not in (400, 422):
            return False
        error = told(self._config, said, status)
        if isinstance(error, LlmUnavailable) or 'too long for the context' in str(error):
            return False
        param = body.get('param') if isinstance(body, Mapping) else None
        if not isinstance(param, str):
            param = ''
        whole = text + ' ' + (str(said) if isinstance(said, (Mapping, list)) else '')
        return self._quirks.learn(sent, param, whole, vague=status == 422)

    def _may_lack_path(self) -> bool:
        parts = urlsplit(self._config.base_url).path.split('/')
        return not self._quirks.path and not self._official and 'v1' not in parts

    def _request(self, messages: Sequence[Message], options: Options) -> dict[str, Any]:
        return {
            'model': self._config.model,
            'messages': list(messages),
            'stream': True,
            'stream_options': {'include_usage': True},
            # OpenAI's newer models refuse max_tokens; most other servers know nothing else.
            'max_completion_tokens' if self._official else 'max_tokens': options.max_tokens,
            'temperature': options.temperature,
            'extra_body': dict(self._config.extra),
        }


async def _whole(response: Any, kind: str) -> Any:
    """The JSON value that a response is, if it is one: some servers name a stream JSON."""
    if 'json' not in kind or 'ndjson' in kind:
        return None
    try:
        return json.loads(await response.aread())
    except (ValueError, RecursionError):
        return None


async def _body(response: Any) -> AsyncGenerator[bytes, None]:
    """The bytes of a response, read already or not."""
    if response.is_stream_consumed:
        yield response.content
        return
    async for chunk in response.aiter_bytes():
        yield chunk


KIND = Kind(
    OpenAiClient,
    about='LLMs of any OpenAI-compatible server',
    example='gpt-4.1-mini',
    module='openai',
    package='openai',
    key='OPENAI_API_KEY',
    hosts=('api.openai.com',),
    address='https://api.openai.com/v1',
    address_variable='OPENAI_BASE_URL',
    slots=4,
)
