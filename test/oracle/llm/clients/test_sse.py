"""Streams that are framed a little differently, and calls of tools that are numbered so."""

import asyncio
import json

import pytest

from kame_ros.oracle.llm.clients.base import ClientConfig, Usage
from kame_ros.oracle.llm.clients.chat_answer import ChatAnswer
from kame_ros.oracle.llm.clients.sse import DONE, read_events

A, B = b'{"n": 1}', b'{"n": 2}'


def events(*chunks):
    async def run():
        async def body():
            for chunk in chunks:
                yield chunk

        return [event async for event in read_events(body())]

    return asyncio.run(run())


@pytest.mark.parametrize('size', [1, 3, 1000])
@pytest.mark.parametrize(
    'body',
    [
        b'data: %s\n\ndata: %s\n\n' % (A, B),
        b'data:%s\r\n\r\ndata:%s\r\n\r\n' % (A, B),
        b'data: %s\ndata: %s\n' % (A, B),
        b'data: data: %s\n\ndata: data: %s\n\n' % (A, B),
        b'\xef\xbb\xbfdata: %s\n\ndata: %s' % (A, B),
        b'data:\n\ndata: \n\ndata: %s\n\n: ping\n\ndata: %s\n\n' % (A, B),
        b'%s\n%s\n' % (A, B),
        b'data: {"n":\ndata: 1}\n\ndata: %s\n\n' % B,
    ],
)
def test_two_events_are_two_however_they_are_framed(body, size):
    chunks = [body[i : i + size] for i in range(0, len(body), size)]
    assert events(*chunks) == [{'n': 1}, {'n': 2}]


@pytest.mark.parametrize('done', [b'[DONE]', b'[done]', b'"[DONE]"'])
def test_the_end_is_known(done):
    assert events(b'data: %s\n\n' % done) == [DONE]


@pytest.mark.parametrize('said', [b'overloaded', b'"overloaded"', b'{"error": "overloaded"}'])
def test_an_event_of_type_error_is_an_error(said):
    assert events(b'event: error\ndata: %s\n\n' % said) == [{'error': 'overloaded'}]


LAMP = [('lamp', {'on': True})]


@pytest.mark.parametrize(
    ('pieces', 'calls'),
    [
        ([(0, 'a', 'lamp', '{"on":'), (0, None, None, 'true}')], LAMP),
        ([(None, 'a', 'lamp', '{"on":'), (None, None, None, 'true}')], LAMP),
        ([('0', 'a', 'lamp', '{"on":'), ('0', 'a', '', 'true}')], LAMP),
        ([(0, 'a', 'lamp', '{"on": true}'), (0, 'b', 'door', '{}')], [*LAMP, ('door', {})]),
        ([(0, None, 'lamp', '{"on": true}'), (1, None, 'door', '{}')], [*LAMP, ('door', {})]),
        (
            [(0, 'a', 'lamp', ''), (1, 'b', 'door', '{}'), (0, None, None, '{"on": true}')],
            [*LAMP, ('door', {})],
        ),
    ],
)
def test_pieces_of_calls_are_put_together(pieces, calls):
    answer = ChatAnswer(ClientConfig('m'), Usage())
    for index, identity, name, arguments in pieces:
        call = {'index': index, 'id': identity, 'function': {'name': name, 'arguments': arguments}}
        assert answer.read({'choices': [{'delta': {'tool_calls': [call]}}]}) == []
    answer.closed = True
    said = [json.loads(text[text.index('{') : text.rindex('}') + 1]) for text in answer.end(True)]
    assert [(call['name'], call['arguments']) for call in said] == calls


@pytest.mark.parametrize(
    'content',
    [
        [{'type': None, 'text': 'Paris.'}],
        [{'type': 3, 'text': 'Paris.'}],
        {'text': 'Paris.'},
        [{'type': 'text', 'text': {'value': 'Paris.'}}],
    ],
)
def test_parts_of_any_type_are_read(content):
    answer = ChatAnswer(ClientConfig('m'), Usage())
    assert answer.read({'choices': [{'delta': {'content': content}}]}) == ['Paris.']


def test_messages_in_pieces_are_all_read_but_none_twice():
    answer = ChatAnswer(ClientConfig('m'), Usage())
    said = []
    for text in ('Par', 'is.', 'Paris.'):
        said += answer.read({'choices': [{'message': {'content': text}}]})
    assert said == ['Par', 'is.']
