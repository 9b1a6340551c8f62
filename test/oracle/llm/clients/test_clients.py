"""Every client against a scripted server that speaks its protocol."""

import asyncio
import socket

import pytest

from kame_ros.oracle.llm.backend import parse_backend
from kame_ros.oracle.llm.clients.base import LlmError, LlmUnavailable, Options, Usage

KINDS = ['openai', 'ollama', 'anthropic', 'gemini']
MESSAGES = [
    {'role': 'system', 'content': 'Be short.'},
    {'role': 'user', 'content': 'hi'},
    {'role': 'assistant', 'content': 'Hello.'},
    {'role': 'user', 'content': 'capital of France?'},
]


def ask(url, kind, take=None, **settings):
    """The pieces of an answer, and its usage; closes the stream after `take` pieces."""

    async def run():
        client = parse_backend(f'{kind}:m@{url}', **settings).connect()
        usage, pieces = Usage(), []
        stream = client.stream(MESSAGES, Options(20, 0.0), usage)
        try:
            async for piece in stream:
                pieces.append(piece)
                if take and len(pieces) == take:
                    break
        finally:
            await stream.aclose()
            await client.aclose()
        return pieces, usage

    return asyncio.run(run())


@pytest.mark.parametrize('kind', KINDS)
def test_an_answer_comes_in_pieces_with_its_usage(serve, kind):
    server = serve(kind, ['Par', 'is', '.'])
    pieces, usage = ask(server.url, kind)
    assert pieces == ['Par', 'is', '.']
    assert (usage.tokens_in, usage.tokens_out) == (11, 3)
    assert usage.cached == (-1 if kind == 'ollama' else 5)
    (body,) = server.requests
    said = str(body)
    assert 'Be short.' in said
    assert 'capital of France?' in said


def test_each_kind_is_asked_as_it_wants_it(serve):
    bodies = {}
    for kind in KINDS:
        server = serve(kind, ['x'])
        ask(server.url, kind)
        (bodies[kind],) = server.requests
    assert bodies['openai']['max_tokens'] == 20
    assert bodies['openai']['stream_options'] == {'include_usage': True}
    ollama = bodies['ollama']
    assert ollama['think'] is False
    assert ollama['keep_alive'] == -1
    assert ollama['options']['num_predict'] == 20
    assert bodies['anthropic']['system'] == 'Be short.'
    assert [m['role'] for m in bodies['anthropic']['messages']] == ['user', 'assistant', 'user']
    gemini = bodies['gemini']
    assert [c['role'] for c in gemini['contents']] == ['user', 'model', 'user']
    assert gemini['generationConfig']['maxOutputTokens'] == 20
    assert list(gemini['generationConfig']['thinkingConfig'].values()) == [0]
    assert 'Be short.' in str(gemini['systemInstruction'])


@pytest.mark.parametrize('kind', KINDS)
def test_closing_the_stream_closes_the_connection(serve, wait_for, kind):
    server = serve(kind, ['one', serve.HANG])
    pieces, _ = ask(server.url, kind, take=1)
    assert pieces == ['one']
    assert wait_for(lambda: server.left == 1)


@pytest.mark.parametrize('kind', KINDS)
def test_cancelling_before_the_first_piece_closes_the_connection(serve, wait_for, kind):
    server = serve(kind, [serve.HANG])

    async def run():
        client = parse_backend(f'{kind}:m@{server.url}').connect()

        async def read():
            async for _ in client.stream(MESSAGES, Options(20, 0.0), Usage()):
                pass

        task = asyncio.ensure_future(read())
        while not server.requests:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await client.aclose()

    asyncio.run(run())
    assert wait_for(lambda: server.left == 1)


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize(
    ('code', 'retryable'), [(401, False), (404, False), (400, False), (429, True), (503, True)]
)
def test_a_status_is_told_apart(serve, kind, code, retryable):
    server = serve(kind, serve.Status(code, {'retry-after': '7'}))
    with pytest.raises(LlmError) as caught:
        ask(server.url, kind)
    assert caught.value.retryable is retryable
    assert len(server.requests) == 1  # the SDK does not retry on its own
    if retryable and kind != 'ollama':  # its SDK hides the headers
        assert caught.value.retry_after == 7


def test_a_setting_that_a_model_refuses_is_not_sent_again(serve):
    refusal = {'error': {'message': 'no temperature here', 'param': 'temperature'}}
    server = serve('openai', serve.Status(400, body=refusal), ['Hi.'])
    assert 'Hi.' in str(ask(server.url, 'openai'))
    assert ['temperature' in request for request in server.requests] == [True, False]


@pytest.mark.parametrize('kind', KINDS)
def test_no_server_is_one_clear_error(kind, serve):
    with socket.socket() as taken:
        taken.bind(('127.0.0.1', 0))  # bound and not listening: refused
        url = f'http://127.0.0.1:{taken.getsockname()[1]}'
        with pytest.raises(LlmUnavailable, match='is it started'):
            ask(url, kind)


@pytest.mark.parametrize('kind', KINDS)
def test_a_stream_that_breaks_off_is_an_error(serve, kind):
    server = serve(kind, ['one', serve.CLOSE])
    with pytest.raises(LlmError):
        ask(server.url, kind)


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize(
    'garbage', [b'<html>oops</html>\n\n', b'data: {"x": 1\n\n', b'data: [1]\n\n', b'\xff\xfe\n\n']
)
def test_garbage_is_an_error_and_never_an_answer(serve, kind, garbage):
    server = serve(kind, [garbage, serve.CLOSE])
    with pytest.raises(LlmError):
        ask(server.url, kind)


def test_a_reasoning_models_trace_is_not_part_of_the_answer(serve):
    trace = (
        b'data: {"id":"c","object":"chat.completion.chunk","created":0,"model":"m","choices":'
        b'[{"index":0,"delta":{"reasoning_content":"hm","content":null}}]}\n\n'
    )
    pieces, _ = ask(serve('openai', [trace, 'Paris.']).url, 'openai')
    assert pieces == ['Paris.']
    thought = b'{"model":"m","message":{"role":"assistant","thinking":"hm","content":""}}\n'
    pieces, _ = ask(serve('ollama', [thought, 'Paris.']).url, 'ollama')
    assert pieces == ['Paris.']
    thought = (
        b'data: {"candidates":[{"content":{"role":"model",'
        b'"parts":[{"text":"hm","thought":true}]}}]}\n\n'
    )
    pieces, _ = ask(serve('gemini', [thought, 'Paris.']).url, 'gemini')
    assert 'hm' not in pieces
