"""Any server that speaks OpenAI's chat completions: OpenAI, vLLM, llama.cpp, Gemini, ..."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from kame_ros import trust
from kame_ros.oracle.actions import CLOSE, OPEN
from kame_ros.oracle.clients.base import (
    CONTENT_FILTER,
    AsksOneToken,
    ClientConfig,
    LlmError,
    LlmUnavailable,
    Message,
    Options,
    Usage,
    is_whole,
    key_from_environment,
)
from kame_ros.oracle.clients.errors import read_error, told, translate
from kame_ros.oracle.clients.quirks import quirks_of
from kame_ros.oracle.clients.sdk import load_sdk, making_client
from kame_ros.oracle.clients.sse import DONE, read_events
from kame_ros.proxies import connection_options

KEY = 'OPENAI_API_KEY'
_OFFICIAL = 'https://api.openai.com/v1'
_ENDPOINT = '/chat/completions'
_MOST_TRIES = 8  # of one question, each without something that the server has refused
_MOST_PARTS = 64  # tool calls of one answer
_PROSE = ('text', 'output_text', 'refusal')  # parts of a content that are meant to be read


class OpenAiClient(AsksOneToken):
    """Streams from `base_url` (OpenAI's if empty) with the official SDK.

    A key is demanded for OpenAI itself; other servers say if they need one. The SDK's own retries
    are off: the policy decides. What a server refuses, it is not sent again (see quirks.py); an
    address without its /v1 is completed. The events are read here and not by the SDK, as many
    servers write what its types do not hold.
    """

    slots = 4

    def __init__(self, config: ClientConfig) -> None:
        openai = load_sdk('openai', 'openai')
        url = config.base_url or os.environ.get('OPENAI_BASE_URL', '').strip() or _OFFICIAL
        url = url.rstrip('/').removesuffix(_ENDPOINT)
        variable = trust.variable_for(url, config.key_name or KEY)
        self._config = replace(config, base_url=url, key_name=variable, kind='openai')
        self._official = trust.is_official(KEY, url)
        self._quirks = quirks_of(url, config.model)
        key = key_from_environment(self._config, 'OpenAI')
        others: dict[str, Any] = {} if self._official else {'organization': '', 'project': ''}
        with making_client(url):
            self._client = openai.AsyncOpenAI(
                api_key=key,
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
                answer = _Answer(self._config, usage)
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
            return LlmUnavailable(
                f'{self._config.base_url} answers with a web page: is the address complete? '
                f'Those of compatible servers end with /v1'
            )
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
        request: dict[str, Any] = {
            'model': self._config.model,
            'messages': list(messages),
            'stream': True,
            'stream_options': {'include_usage': True},
            # OpenAI's newer models refuse max_tokens; most other servers know nothing else.
            'max_completion_tokens' if self._official else 'max_tokens': options.max_tokens,
            'temperature': options.temperature,
            'extra_body': dict(self._config.extra),
        }
        if options.stop:
            request['stop'] = list(options.stop)
        return request


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


class _Answer:
    """Reads the chunks of one answer, whatever dialect they are written in."""

    def __init__(self, config: ClientConfig, usage: Usage) -> None:
        self.closed = False  # the server has said that it is complete
        self._config = config
        self._usage = usage
        self._text = ''
        self._odd: Any = None
        self._places: dict[tuple[str, str], int] = {}  # of calls, by their index and id
        self._calls: dict[int, list[str]] = {}  # tools that it wants: name, arguments

    def read(self, chunk: Any) -> list[str]:
        """The pieces of text in a chunk; raises LlmError for an error that it tells."""
        if isinstance(chunk, list) and chunk and isinstance(chunk[0], Mapping):
            chunk = chunk[0]
        if not isinstance(chunk, Mapping):
            self._odd = chunk
            return []
        if chunk.get('error') or chunk.get('object') == 'error':
            raise told(self._config, chunk)
        self._read_usage(chunk)
        choices = chunk.get('choices')
        if not isinstance(choices, list) or not choices or not isinstance(choices[0], Mapping):
            self._odd = None if 'choices' in chunk or 'usage' in chunk else chunk
            return []
        return self._read_choice(choices[0])

    def end(self, framed: bool) -> list[str]:
        """What is left to give: the tools that it called, as requests for actions.

        `framed`: the connection itself tells that the answer came to its end. Raises LlmError if
        it broke off.
        """
        calls = [
            OPEN + json.dumps({'name': name, 'arguments': _parsed(arguments)}) + CLOSE
            for name, arguments in self._calls.values()
        ]
        said = self._text or calls or self._usage.thought
        if self._usage.finish == CONTENT_FILTER and not said:
            raise LlmError(
                f'the content filter of {self._config.base_url} stopped the answer',
                retryable=False,
            )
        if self._usage.finish == 'error' and not said:
            raise LlmError(f'{self._config.base_url} ended the answer with an error')
        if self.closed or self._usage.finish or (said and framed) or is_whole(self._text):
            return calls
        if self._odd is not None and not said:
            raise LlmError(f'not a chunk of an answer: {str(self._odd)[:80]}')
        raise LlmError('the stream broke off')

    def _read_choice(self, choice: Mapping[str, Any]) -> list[str]:
        if choice.get('error'):  # OpenRouter's, of the server behind it
            raise told(self._config, {'error': choice['error']})
        if finish := choice.get('finish_reason'):
            self._usage.finish = str(finish)
        part = choice.get('delta')
        if not isinstance(part, Mapping) or not part:
            whole = choice.get('message')  # of a server that does not stream, or at the very end
            part = whole if isinstance(whole, Mapping) and not self._is_repeated(whole) else {}
        if part.get('reasoning_content') or part.get('reasoning') or part.get('thinking'):
            self._usage.thought = True
        self._take_calls(part.get('tool_calls'))
        if isinstance(part.get('function_call'), Mapping):  # of before tools
            self._take_calls([{'index': 0, 'function': part['function_call']}])
        pieces = [self._prose(part.get('content')), self._prose(part.get('refusal'))]
        pieces += [self._prose(choice.get('text'))] if not part else []
        pieces = [piece for piece in pieces if piece]
        self._text = (self._text + ''.join(pieces))[-200:]
        return pieces

    def _is_repeated(self, message: Mapping[str, Any]) -> bool:
        """Whether a message says once more what came in pieces."""
        return bool(self._text) and self._prose(message.get('content')).endswith(self._text)

    def _prose(self, content: Any) -> str:
        """The text of a content: a text, a list of parts, or nothing."""
        if isinstance(content, str):
            return content
        if isinstance(content, list):
            return ''.join(map(self._prose, content))
        if isinstance(content, Mapping):
            kind = content.get('type')
            if not isinstance(kind, str):
                kind = 'text'
            if kind in _PROSE:
                text = content.get('text') or content.get('refusal')
                return self._prose(text.get('value') if isinstance(text, Mapping) else text)
            self._usage.thought = self._usage.thought or 'think' in kind or 'reason' in kind
        return ''

    def _take_calls(self, calls: Any) -> None:
        for call in calls if isinstance(calls, list) else [calls]:
            if not isinstance(call, Mapping):
                continue
            function = call.get('function')
            if not isinstance(function, Mapping):
                continue
            if len(self._places) > _MOST_PARTS:
                break
            index = self._place(call.get('index'), call.get('id'), function.get('name'))
            if index not in self._calls and len(self._calls) >= _MOST_PARTS:
                continue
            entry = self._calls.setdefault(index, ['', ''])
            entry[0] = entry[0] or str(function.get('name') or '')
            arguments = function.get('arguments') or ''
            entry[1] += arguments if isinstance(arguments, str) else json.dumps(arguments)

    def _place(self, index: Any, identity: Any, name: Any) -> int:
        """Which call a piece belongs to; not all servers number them, and some all with 0."""
        key = (str(index), str(identity))
        if identity and name:
            if key not in self._places:
                self._places[key] = len(self._places)
        elif index is None or key[0] not in {place[0] for place in self._places}:
            if name or not self._places:
                self._places[(key[0], f'#{len(self._places)}')] = len(self._places)
            return len(self._places) - 1
        else:
            return max(n for place, n in self._places.items() if place[0] == key[0])
        return self._places[key]

    def _read_usage(self, chunk: Mapping[str, Any]) -> None:
        usage, told_by = self._usage, chunk.get('usage')
        if not isinstance(told_by, Mapping):  # Groq's
            groq = chunk.get('x_groq')
            told_by = groq.get('usage') if isinstance(groq, Mapping) else None
        if isinstance(told_by, Mapping):
            usage.tokens_in = _count(told_by, 'prompt_tokens', usage.tokens_in)
            usage.tokens_out = _count(told_by, 'completion_tokens', usage.tokens_out)
            details = told_by.get('prompt_tokens_details')
            usage.cached = _count(details, 'cached_tokens', usage.cached)
            spent = told_by.get('completion_tokens_details')
            usage.thought = usage.thought or _count(spent, 'reasoning_tokens', 0) > 0
        usage.cached = _count(chunk.get('timings'), 'cache_n', usage.cached)  # llama.cpp's


def _count(table: Any, name: str, otherwise: int) -> int:
    value = table.get(name) if isinstance(table, Mapping) else None
    sound = isinstance(value, (int, float)) and 0 <= value < 1e12
    return int(value) if sound and not isinstance(value, bool) else otherwise  # type: ignore[arg-type]


def _parsed(arguments: str) -> Any:
    try:
        return json.loads(arguments) if arguments.strip() else {}
    except (ValueError, RecursionError):
        return arguments
