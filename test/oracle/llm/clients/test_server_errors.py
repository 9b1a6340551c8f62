"""What goes wrong between an LLM client and its server: told by its cause, retried by its kind."""

import asyncio
import json
import os
import socket
import subprocess
import sys

import pytest

from kame_ros.oracle.llm.backend import Backend, parse_backend
from kame_ros.oracle.llm.clients.base import ClientConfig, LlmError, LlmUnavailable, Options, Usage
from kame_ros.oracle.llm.clients.errors import LONGEST_PATIENCE_S, retry_after, told
from kame_ros.oracle.llm.clients.sdk import load_sdk
from kame_ros.oracle.llm.generation import Generation
from kame_ros.oracle.policy.decision import Start

KINDS = ['openai', 'ollama', 'anthropic', 'gemini']
MESSAGES = [{'role': 'system', 'content': 'Be short.'}, {'role': 'user', 'content': 'hi'}]
PROXIES = ('ALL_PROXY', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY')


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch):
    """No proxy and no other address is set."""
    for name in [*PROXIES, *map(str.lower, PROXIES), 'OPENAI_BASE_URL', 'ANTHROPIC_BASE_URL']:
        monkeypatch.delenv(name, raising=False)


def ask(url, kind, usage=None, **settings):
    """The pieces of an answer."""

    async def run():
        client = parse_backend(f'{kind}:m@{url}', **settings).connect()
        try:
            return [p async for p in client.stream(MESSAGES, Options(20, 0.0), usage or Usage())]
        finally:
            await client.aclose()

    return asyncio.run(run())


def error_in_stream(kind, text, mark, code):
    """Bytes of an error inside of a stream with status 200, as this kind of server writes it."""
    if kind == 'ollama':
        return json.dumps({'error': text}).encode() + b'\n'
    if kind == 'gemini':
        error = {'code': code, 'message': text, 'status': mark}
        return b'data: ' + json.dumps({'error': error}).encode() + b'\n\n'
    error = {'type': mark, 'message': text}
    body = json.dumps({'type': 'error', 'error': error}).encode()
    return (b'event: error\n' if kind == 'anthropic' else b'') + b'data: ' + body + b'\n\n'


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize(
    ('text', 'mark', 'code', 'retryable'),
    [
        ('Overloaded', 'overloaded_error', 503, True),
        ('rate limit exceeded', 'rate_limit_error', 429, True),
        ('Internal server error', 'api_error', 500, True),
        ('llama runner process has terminated', 'server_error', 500, True),
        ('something that nobody has seen before', '', 500, True),
        ('invalid x-api-key', 'authentication_error', 401, False),
        ('prompt is too long: 9000 tokens', 'invalid_request_error', 400, False),
        ('maximum context length is 2048 tokens', 'context_length_exceeded', 400, False),
    ],
)
def test_an_error_inside_a_stream_is_retried_by_its_kind(serve, kind, text, mark, code, retryable):
    server = serve(kind, [error_in_stream(kind, text, mark, code)])
    with pytest.raises(LlmError) as caught:
        ask(server.url, kind)
    assert caught.value.retryable is retryable, str(caught.value)
    assert text.split()[0] in str(caught.value)
    assert '200' not in str(caught.value)
    assert len(server.requests) == 1


@pytest.mark.parametrize('kind', KINDS)
def test_an_overloaded_server_is_asked_again_and_answers_once(serve, oracle, kind):
    overloaded = error_in_stream(kind, 'Overloaded', 'overloaded_error', 503)
    server = serve(kind, [overloaded], ['Par', 'is.'])
    runner = oracle(parse_backend(f'{kind}:m@{server.url}'))
    oracle.say(runner, 'what is the capital of France?')
    assert runner.said() == 'Paris.'
    assert len(server.requests) == 2
    assert runner.heard.kinds().count('GENERATION_ENDED') == 1


@pytest.mark.parametrize(
    ('status', 'said', 'why', 'retryable'),
    [
        (401, 'no', 'key', False),
        (403, {'error': {'message': 'flagged by moderation'}}, 'content filter', False),
        (402, {'error': {'message': 'pay'}}, 'paid', False),
        (404, {'error': {'message': "model 'm' not found"}}, 'ollama pull m', False),
        (404, '<html>not here</html>', '/v1', False),
        (405, 'Method Not Allowed', '/v1', False),
        (429, {'error': {'code': 'insufficient_quota', 'message': 'pay'}}, 'paid', False),
        (413, {'error': {'message': 'input is too long'}}, 'too long', False),
        (400, {'error': {'message': 'context window of 2048 exceeded'}}, 'history_tokens', False),
        (429, '', '429', True),
        (529, {'type': 'error', 'error': {'type': 'overloaded_error', 'message': 'x'}}, 'x', True),
        (500, b'\xff\xfe', '500', True),
        (503, {'error': {'message': 'Loading model', 'code': 503}}, 'Loading', True),
        (418, [1, 2], '418', False),
        (0, {'error': None}, '', True),
        (0, {'error': ['a', {'b': 1}]}, '', True),
    ],
)
def test_a_message_names_the_likely_cause(status, said, why, retryable):
    error = told(ClientConfig('m', 'http://10.0.0.2:11434', kind='ollama'), said, status)
    assert why in str(error)
    assert error.retryable is retryable


@pytest.mark.parametrize(
    ('headers', 'seconds'),
    [
        ({'retry-after': '7'}, 7.0),
        ({'retry-after-ms': '1500', 'retry-after': '2'}, 1.5),
        ({'retry-after': '86400'}, LONGEST_PATIENCE_S),
        ({'retry-after': '1e400'}, LONGEST_PATIENCE_S),
        ({'retry-after': '-3'}, 0.0),
        ({'retry-after': 'nan'}, 0.0),
        ({'retry-after': 'Wed, 21 Oct 2015 07:28:00 GMT'}, 0.0),
        ({}, 0.0),
        (None, 0.0),
    ],
    ids=str,
)
def test_a_servers_demand_to_wait_is_bounded(headers, seconds):
    assert retry_after(headers) == seconds


# -- proxies ------------------------------------------------------------------------------


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize(
    ('variable', 'proxy'),
    [
        ('ALL_PROXY', 'socks5://127.0.0.1:9'),
        ('HTTP_PROXY', 'http://127.0.0.1:9'),
        ('http_proxy', 'x'),
    ],
)
def test_this_machine_is_not_reached_through_a_proxy(serve, kind, variable, proxy, monkeypatch):
    monkeypatch.setenv(variable, proxy)
    server = serve(kind, ['Yes.'])
    assert ask(server.url, kind) == ['Yes.']
    if kind != 'gemini':
        assert ask(server.url.replace('127.0.0.1', 'localhost'), kind) == ['Yes.']


@pytest.mark.parametrize('kind', KINDS)
def test_a_proxy_that_does_not_answer_is_named(kind, monkeypatch):
    monkeypatch.setenv(f'{kind.upper()}_API_KEY', 'scripted')
    with socket.socket() as taken:
        taken.bind(('127.0.0.1', 0))  # bound and not listening: refused
        proxy = f'http://127.0.0.1:{taken.getsockname()[1]}'
        monkeypatch.setenv('HTTP_PROXY', proxy)
        with pytest.raises(LlmUnavailable, match='NO_PROXY') as caught:
            ask('http://llm.invalid:8000', kind)
    assert proxy in str(caught.value)


@pytest.mark.parametrize('kind', KINDS)
def test_a_proxy_that_cannot_be_used_is_not_a_missing_package(kind, monkeypatch):
    monkeypatch.setenv('ALL_PROXY', 'socks5://127.0.0.1:9')
    with pytest.raises(LlmUnavailable, match='NO_PROXY') as caught:
        ask('http://llm.invalid:8000', kind)
    assert f"the package '{kind}'" not in str(caught.value)


@pytest.mark.parametrize('kind', KINDS)
def test_a_new_process_behind_a_socks_proxy_loads_every_sdk(kind):
    program = (
        'from kame_ros.oracle.llm.backend import parse_backend\n'
        f"parse_backend('{kind}:m@http://127.0.0.1:9').connect()\n"
        'import os; assert os.environ["ALL_PROXY"]\n'
    )
    environment = {**os.environ, 'ALL_PROXY': 'socks5://127.0.0.1:9'}
    done = subprocess.run([sys.executable, '-c', program], env=environment, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()


def test_an_sdk_that_is_broken_is_not_called_missing(tmp_path, monkeypatch):
    (tmp_path / 'broken_sdk.py').write_text('import no_such_thing_at_all')
    (tmp_path / 'old_sdk.py').write_text('from os import no_such_name')
    monkeypatch.syspath_prepend(tmp_path)
    for name in ('broken_sdk', 'old_sdk'):
        with pytest.raises(LlmUnavailable, match='cannot be loaded'):
            load_sdk(name, name)
    for name in ('absent_sdk', 'absent.part'):
        with pytest.raises(LlmUnavailable, match='is not installed: pip install absent'):
            load_sdk(name, 'absent')


# -- usage, and endings -------------------------------------------------------------------

TEXT_DELTA = {'type': 'text_delta', 'text': 'Yes.'}
NO_USAGE = {
    'anthropic': [
        {'type': 'message_start', 'message': {'type': 'message', 'usage': {'input_tokens': None}}},
        {'type': 'content_block_start', 'index': 0, 'content_block': {'type': 'text', 'text': ''}},
        {
            'type': 'content_block_delta',
            'index': 0,
            'delta': {'type': 'text_delta', 'text': 'Yes.'},
        },
        {'type': 'message_delta', 'delta': {'stop_reason': 'end_turn'}, 'usage': None},
        {'type': 'message_stop'},
    ],
    'gemini': [
        {
            'candidates': [{'content': {'parts': [{'text': 'Yes.'}]}, 'finishReason': 'STOP'}],
            'usageMetadata': {'promptTokenCount': None, 'candidatesTokenCount': None},
        }
    ],
    'ollama': [
        {'message': {'role': 'assistant', 'content': 'Yes.'}, 'prompt_eval_count': None},
        {'message': {'role': 'assistant', 'content': ''}, 'done': True, 'eval_count': None},
    ],
}


def scripted(kind, events):
    """The events as bytes, and nothing else."""
    if kind == 'ollama':
        return [json.dumps(event).encode() + b'\n' for event in events]
    if kind == 'gemini':
        return [f'data: {json.dumps(event)}\n\n'.encode() for event in events]
    return [f'event: {e["type"]}\ndata: {json.dumps(e)}\n\n'.encode() for e in events]


@pytest.mark.parametrize('kind', NO_USAGE)
def test_usage_of_null_is_ignored(serve, kind):
    server = serve(kind, [*scripted(kind, NO_USAGE[kind]), serve.END])
    usage = Usage()
    assert ask(server.url, kind, usage=usage) == ['Yes.']
    assert (usage.tokens_in, usage.tokens_out, usage.cached) == (-1, -1, -1)


def test_a_prompt_that_gemini_blocks_is_told(serve):
    events = [{'promptFeedback': {'blockReason': 'SAFETY'}}]
    usage = Usage()
    server = serve('gemini', [*scripted('gemini', events), serve.END])
    assert ask(server.url, 'gemini', usage=usage) == []
    assert usage.finish == 'content_filter'


# -- one generation -----------------------------------------------------------------------


class FakeClient:
    """Gives pieces, and says why it ended."""

    def __init__(self, pieces, finish='stop', thought=False):
        self.pieces, self.finish, self.thought = pieces, finish, thought
        self.closed = False

    async def stream(self, messages, options, usage):
        try:
            for piece in self.pieces:
                if isinstance(piece, Exception):
                    raise piece
                yield piece
            usage.finish, usage.thought = self.finish, self.thought
        finally:
            self.closed = True


def write(client, on_words=lambda g, words: None, on_piece=lambda g: None):
    ask = Start(gen=1, utterance=0, revision=0, text='hi', final=True, backend=0)
    generation = Generation(ask, Backend('openai', 'm', thinks=False), MESSAGES, 30)
    asyncio.run(generation.write(client, on_words, lambda g, text: None, on_piece))
    return generation.text


@pytest.mark.parametrize(
    ('pieces', 'thought'), [([], True), (['<think>', 'hm, so'], False), (['<think>hm'], True)]
)
@pytest.mark.parametrize('finish', ['length', 'max_tokens'])
def test_tokens_spent_on_thinking_are_told_with_the_setting_to_change(pieces, thought, finish):
    with pytest.raises(LlmError, match=r'tokens on thinking.*raise max_tokens') as caught:
        write(FakeClient(pieces, finish, thought))
    assert not caught.value.retryable


@pytest.mark.parametrize('finish', ['content_filter', 'refusal'])
def test_an_answer_that_was_withheld_is_not_asked_for_again(finish):
    with pytest.raises(LlmError, match='content filter') as caught:
        write(FakeClient([], finish))
    assert not caught.value.retryable
    assert write(FakeClient(['I would rather not.'], finish)) == 'I would rather not.'


def test_an_answer_that_is_cut_by_its_tokens_is_an_answer():
    assert write(FakeClient(['It is blue and'], 'length')) == 'It is blue and'


def test_what_a_callback_raises_is_not_booked_to_the_llm():
    def broken(*_):
        raise TypeError('a fault of the listener')

    for callbacks in ({'on_words': broken}, {'on_piece': broken}):
        client = FakeClient(['One two ', 'three.'])
        with pytest.raises(TypeError, match='of the listener'):
            write(client, **callbacks)
        assert client.closed


def test_what_a_client_raises_is():
    client = FakeClient(['One ', TypeError('of the SDK')])
    with pytest.raises(LlmError, match='of the SDK'):
        write(client)
    assert client.closed


def test_the_user_of_a_model_that_only_thinks_is_told_why_it_is_silent(serve, oracle, wait_for):
    chunks = [
        {'choices': [{'index': 0, 'delta': {'reasoning_content': 'hm'}}]},
        {'choices': [{'index': 0, 'delta': {}, 'finish_reason': 'length'}]},
    ]
    events = [f'data: {json.dumps(chunk)}\n\n'.encode() for chunk in chunks]
    server = serve('openai', [*events, serve.END])
    runner = oracle(parse_backend(f'openai:m@{server.url}'))
    oracle.say(runner, 'what is the capital of France?')
    wait_for(lambda: runner.heard.ended)
    (why,) = runner.heard.whys('GENERATION_FAILED')
    assert 'raise max_tokens' in why
    assert len(server.requests) == 1  # asked again, it would think as long


def test_a_request_for_an_action_is_no_silence():
    requested = []
    ask = Start(gen=1, utterance=0, revision=0, text='hi', final=True, backend=0)
    generation = Generation(ask, Backend('openai', 'm'), MESSAGES, 30)
    client = FakeClient(['<action>{"name": "wave"}</action>'], 'length')
    listen = (lambda g, words: None, lambda g, text: requested.append(text), lambda g: None)
    asyncio.run(generation.write(client, *listen))
    assert len(requested) == 1
