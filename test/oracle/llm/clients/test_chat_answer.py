"""Answers that are written oddly: read, or failed with their cause, and never an empty 'ok'."""

import asyncio
import json

import pytest

from kame_ros.oracle.llm.clients.base import ClientConfig, LlmError, Usage
from kame_ros.oracle.llm.clients.chat_answer import ChatAnswer
from kame_ros.oracle.llm.clients.errors import retry_after
from kame_ros.oracle.llm.clients.pieces import AnswerPieces
from kame_ros.oracle.llm.clients.sse import Odd, read_events
from kame_ros.text.well_formed import Halves


def read(*chunks):
    """All that an answer of these chunks says."""
    answer = ChatAnswer(ClientConfig('m', 'http://127.0.0.1:9/v1'), Usage())
    said = [text for chunk in chunks for text in answer.read(chunk)]
    answer.closed = True
    return ''.join(said + answer.end(framed=True))


@pytest.mark.parametrize(
    'choices',
    [
        {'delta': {'content': 'Paris.'}},
        {'0': {'message': {'content': 'Paris.'}}},
        [{'delta': 'Paris.'}],
        [{'message': 'Paris.'}],
        [{'message': {'content': ['Par', {'type': 'text', 'text': 'is.'}]}}],
        [{'text': 'Paris.'}],
        ['Paris.'],
        'Paris.',
        {'role': 'assistant', 'content': 'Paris.'},
        [{'content': 'Paris.'}],
        [{'index': 0, 'role': 'assistant', 'content': ['Par', 'is.'], 'finish_reason': 'stop'}],
        [{'index': 0, 'delta': {'content': 'Paris.'}}, {'index': 1, 'delta': {'content': 'Rome'}}],
    ],
    ids=str,
)
def test_choices_of_any_shape_are_read(choices):
    assert read({'choices': choices}) == 'Paris.'
    assert read([{'choices': choices}]) == 'Paris.'
    assert read(json.dumps({'choices': choices})) == 'Paris.'


@pytest.mark.parametrize(('number', 'said'), [(42, '42'), (4.5, '4.5'), (0, '0')])
def test_a_number_is_read_as_a_text(number, said):
    assert read({'choices': [{'delta': {'content': number}}]}) == said


@pytest.mark.parametrize(
    'body',
    [
        'Paris.', '{"choices": [', '"Paris."', '[' * 99_999,
        42, None, True, [1], {'content': 42}, {'response': 'Paris.'}, {'message': 'no'},
        {'detail': 'oh no'}, {'choices': 7}, {'choices': [7]}, {'error': {}}, {},
        Odd('<html>log in'), Odd('Internal Server Error'),
    ],
    ids=str,
)  # fmt: skip
def test_what_is_no_answer_fails_with_what_was_said(body):
    with pytest.raises(LlmError) as caught:
        read(body)
    assert 'broke off' not in str(caught.value)


@pytest.mark.parametrize('error', ['oh no', {'message': 'oh no'}, ['oh no'], 'x' * 9_999])
def test_an_error_is_an_error_with_any_status(error):
    with pytest.raises(LlmError):
        read({'error': error})
    with pytest.raises(LlmError):
        read({'choices': [{'delta': {'content': 'Par'}, 'error': error}]})


def test_an_answer_that_ends_with_an_error_is_none():
    with pytest.raises(LlmError, match='with an error'):
        read({'choices': [{'delta': {'content': 'Par'}, 'finish_reason': 'error'}]})


LAMP = {'name': 'lamp', 'arguments': '{"on": true}'}


@pytest.mark.parametrize(
    'delta',
    [
        {'function_call': LAMP},
        {'tool_calls': {'index': 0, 'function': LAMP}},
        {'tool_calls': {'0': {'function': LAMP}}},
        {'tool_calls': [{'function': {'name': 'lamp', 'arguments': {'on': True}}}]},
        {'tool_calls': [LAMP]},
        {'tool_calls': [{'function': 'lamp', 'arguments': {'on': True}}]},
    ],
    ids=str,
)
def test_calls_of_any_shape_are_read(delta):
    said = read({'choices': [{'delta': delta}]}, {'choices': [{'message': delta}]})
    call = json.loads(said[said.index('{') : said.rindex('}') + 1])
    assert call == {'name': 'lamp', 'arguments': {'on': True}}


# -- new, or all so far --------------------------------------------------------------------


@pytest.mark.parametrize(
    ('field', 'pieces', 'said'),
    [
        ('delta', ['Par', 'Paris', 'Paris.'], 'Paris.'),
        ('delta', ['Par', 'Paris.'], 'Paris.'),
        ('delta', ['very', ' very', ' very', ' good'], 'very very very good'),
        ('delta', ['ha', 'ha', 'ha!'], 'hahaha!'),
        ('delta', ['1', '1', '1', '10'], '11110'),
        ('message', ['Par', 'Paris', 'Paris.', 'Paris.'], 'Paris.'),
        ('message', ['Par', 'is.', 'Paris.'], 'Paris.'),
        ('message', ['ha', 'ha', 'ho'], 'hahaho'),
        ('message', ['Paris.', 'Paris.'], 'Paris.'),
        ('message', ['The', 'The cap', 'The capital ', 'The capital'], 'The capital '),
        ('message', ['a', 'an', 'd'], 'and'),
    ],
)
def test_pieces_that_are_new_are_told_from_all_so_far(field, pieces, said):
    text = AnswerPieces()
    assert ''.join([*(getattr(text, field)(piece) for piece in pieces), text.flush()]) == said


def test_a_message_that_sums_up_deltas_is_not_said_again():
    for last, more in (('Paris.', ''), ('Paris. It is.', ' It is.'), ('Rome', ''), (' Paris.', '')):
        text = AnswerPieces()
        assert [text.delta('Par'), text.delta('is.'), text.message(last)] == ['Par', 'is.', more]


# -- halves, framing, patience --------------------------------------------------------------


def test_a_character_in_two_halves_is_one_or_is_replaced():
    for pieces, said in (
        (['a\ud83d', '\ude00b'], 'a\U0001f600b'),
        (['\ud83d', '', '\ude00'], '\U0001f600'),
        (['\ud83d', 'b'], '\ufffdb'),
        (['a\ud83d'], 'a\ufffd'),
        (['\ude00'], '\ufffd'),
    ):
        halves = Halves()
        assert ''.join([*map(halves.push, pieces), halves.flush()]) == said


@pytest.mark.parametrize('size', [1, 2, 7, 1000])
@pytest.mark.parametrize(
    'body',
    [
        b'data: {"n": "\xc3\xa9"}\r\rdata: {"n": 2}\r\r',
        b'\xef\xbb\xbf{\r\n "n": "\xc3\xa9"\r\n}\r\n{"n": 2}',
        b': hi\n\nid: 3\nretry: 9\ndata:{"n": "\xc3\xa9"}\n\n:\n\ndata:{"n": 2}',
        b'event: message\ndata: {"n": "\xc3\xa9"}\ndata: {"n": 2}\n',
    ],
)
def test_lines_and_bodies_are_read_however_they_are_cut(body, size):
    async def run():
        async def chunks():
            for i in range(0, len(body), size):
                yield body[i : i + size]

        return [event async for event in read_events(chunks())]

    assert asyncio.run(run()) == [{'n': 'é'}, {'n': 2}]


def test_a_date_of_patience_is_counted_from_the_servers_clock():
    when = {'retry-after': 'Wed, 21 Oct 2026 07:28:30 GMT'}
    assert retry_after({**when, 'date': 'Wed, 21 Oct 2026 07:28:00 GMT'}) == 30.0
    assert retry_after(when, now=1792567700.0) == 10.0
    assert retry_after(when, now=1792567800.0) == 0.0
