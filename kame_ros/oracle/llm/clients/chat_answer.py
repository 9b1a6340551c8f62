"""Reads the chunks of one answer of chat completions, whatever dialect they are written in."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from kame_ros.oracle.actions.book import CLOSE, OPEN
from kame_ros.oracle.llm.clients.base import (
    CONTENT_FILTER,
    ClientConfig,
    LlmError,
    LlmUnavailable,
    Usage,
    is_whole,
)
from kame_ros.oracle.llm.clients.errors import is_page, told, web_page
from kame_ros.oracle.llm.clients.pieces import AnswerPieces
from kame_ros.oracle.llm.clients.sse import Odd

_MOST_PARTS = 64  # tool calls of one answer
_PROSE = ('text', 'output_text', 'refusal')  # parts of a content that are meant to be read
_CHOICE = ('delta', 'message', 'content', 'text', 'finish_reason', 'index')  # each makes a choice
_SAYS = ('message', 'detail', 'msg')  # of an error that is not called one
_SHORT = 80  # characters of what cannot be read


class ChatAnswer:
    """One answer: `read` each chunk, or the body of a server that does not stream, then `end`.

    What cannot be read is passed over while there is something to say; an answer in which there
    was nothing else ends with an LlmError that quotes it.
    """

    def __init__(self, config: ClientConfig, usage: Usage) -> None:
        self.closed = False  # the server has said that it is complete
        self._config = config
        self._usage = usage
        self._pieces = AnswerPieces()
        self._odd: Any = None  # what could not be read, since the last text
        self._index: Any = None  # of the choice that is read, if a server writes several
        self._places: dict[tuple[str, str], int] = {}  # of calls, by their index and id
        self._calls: dict[int, list[str]] = {}  # tools that it wants: name, arguments
        self._called_in = ''  # which field they came in

    def read(self, chunk: Any) -> list[str]:
        """The pieces of text in a chunk; raises LlmError for an error that it tells."""
        chunk = _unpacked(chunk)
        if isinstance(chunk, list) and any(isinstance(each, Mapping) for each in chunk):
            return [text for each in chunk for text in self.read(each)]
        if not isinstance(chunk, Mapping):
            self._odd = Odd('null') if chunk is None else chunk
            return []
        if chunk.get('error') or chunk.get('object') == 'error':
            raise told(self._config, chunk)
        self._read_usage(chunk)
        choice = self._choice(chunk.get('choices'))
        if choice is None:
            if chunk.get('choices') or not {'choices', 'usage', 'x_groq'} & set(chunk):
                self._odd = chunk
            return []
        pieces = self._read_choice(choice)
        if pieces:
            self._odd = None
        return pieces

    def end(self, framed: bool) -> list[str]:
        """What is left to give: the last words, and the tools that it called, as requests.

        `framed`: the connection itself tells that the answer came to its end. Raises LlmError if
        it broke off, or holds nothing that can be read.
        """
        usage = self._usage
        rest = self._pieces.flush()
        left = [rest] if rest else []
        left += [
            OPEN + json.dumps({'name': name, 'arguments': _parsed(arguments)}) + CLOSE
            for name, arguments in self._calls.values()
        ]
        text = self._pieces.text.strip()
        said = bool(text or self._calls)
        if usage.finish == 'error':
            raise LlmError(f'{self._config.base_url} ended the answer with an error')
        if usage.finish == CONTENT_FILTER and not said and not usage.thought:
            raise LlmError(
                f'the content filter of {self._config.base_url} stopped the answer',
                retryable=False,
            )
        complete = self.closed or usage.finish
        if self._odd is not None and (not said or not complete):
            raise self._unread()
        if complete or ((said or usage.thought) and framed) or is_whole(text):
            return left
        raise LlmError('the stream broke off')

    def _unread(self) -> LlmError:
        """Nothing was said but what no server of chat completions says."""
        odd = self._odd
        if isinstance(odd, Odd) and is_page(odd.text):
            return web_page(self._config)
        if isinstance(odd, Mapping) and any(isinstance(odd.get(k), str) for k in _SAYS):
            return told(self._config, odd)
        text = odd.text if isinstance(odd, Odd) else json.dumps(odd, default=str)
        error = told(self._config, text) if isinstance(odd, (Odd, str)) else None
        if isinstance(error, LlmUnavailable):
            return error  # it names a cause in plain text
        return LlmError(
            f'{self._config.base_url} answers, but not as chat completions do: {text[:_SHORT]}'
        )

    def _choice(self, choices: Any) -> Mapping[str, Any] | None:
        """The choice that is read; some write an object, or a text, instead of a list of them."""
        if isinstance(choices, Mapping) and not any(name in choices for name in _CHOICE):
            choices = list(choices.values())
        elif not isinstance(choices, list):
            choices = [choices]
        for choice in choices:
            if isinstance(choice, str) and choice:
                return {'delta': {'content': choice}}
            if not isinstance(choice, Mapping):
                continue
            if 'content' in choice and not {'delta', 'message'} & set(choice):
                choice = {**choice, 'message': choice}  # the message itself
            index = choice.get('index')
            self._index = index if self._index is None else self._index
            if index is None or index == self._index:
                return choice
        return None if not any(isinstance(c, Mapping) for c in choices) else {}

    def _read_choice(self, choice: Mapping[str, Any]) -> list[str]:
        if choice.get('error'):  # OpenRouter's, of the server behind it
            raise told(self._config, {'error': choice['error']})
        if finish := choice.get('finish_reason'):
            self._usage.finish = str(finish)[:_SHORT]
        pieces = []
        for name, take in (('delta', self._pieces.delta), ('message', self._pieces.message)):
            part = choice.get(name)
            if part is None or part == {}:
                continue
            part = part if isinstance(part, Mapping) else {'content': part}
            if part.get('reasoning_content') or part.get('reasoning') or part.get('thinking'):
                self._usage.thought = True
            self._take_calls(name, part.get('tool_calls'))
            if part.get('function_call'):  # of before tools
                self._take_calls(name, {'index': 0, 'function': part['function_call']})
            text = self._prose(part.get('content')) + self._prose(part.get('refusal'))
            pieces.append(take(text))
        if not pieces:  # completions that are no chat
            pieces.append(self._pieces.delta(self._prose(choice.get('text'))))
        return [piece for piece in pieces if piece]

    def _prose(self, content: Any) -> str:
        """The text of a content: a text, a number, a list of parts, or nothing."""
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
        elif isinstance(content, (int, float)) and not isinstance(content, bool):
            return str(content) if math.isfinite(content) else ''
        return ''

    def _take_calls(self, place: str, calls: Any) -> None:
        if self._called_in not in ('', place):
            return  # a message that sums up what came in deltas
        for call in _calls_in(calls):
            self._called_in = place
            function = call.get('function', call)
            if isinstance(function, str):  # {"function": "lamp", "arguments": …}
                function = {'name': function, 'arguments': call.get('arguments')}
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


def _calls_in(calls: Any) -> Iterable[Mapping[str, Any]]:
    """The calls in a list of them, one alone, or an object of them by their numbers."""
    if isinstance(calls, Mapping) and not {'function', 'name', 'arguments'} & set(calls):
        calls = list(calls.values())
    calls = calls if isinstance(calls, list) else [calls]
    return [call for call in calls if isinstance(call, Mapping)]


def _count(table: Any, name: str, otherwise: int) -> int:
    value = table.get(name) if isinstance(table, Mapping) else None
    sound = isinstance(value, (int, float)) and 0 <= value < 1e12
    return int(value) if sound and not isinstance(value, bool) else otherwise  # type: ignore[arg-type]


def _unpacked(chunk: Any) -> Any:
    """The answer in a chunk that is a text of JSON: some relays pack it twice."""
    if isinstance(chunk, str) and chunk.lstrip()[:1] in ('{', '['):
        with suppress(ValueError, RecursionError):
            return json.loads(chunk)
    return chunk


def _parsed(arguments: str) -> Any:
    try:
        return json.loads(arguments) if arguments.strip() else {}
    except (ValueError, RecursionError):
        return arguments
