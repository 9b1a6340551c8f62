"""Servers that speak OpenAI's protocol, each in its own way: a matrix of dialects and cases."""

import asyncio
import json

import pytest
from fake_dialects import CALL, DIALECTS, DONE, WAIT, Dialect, FakeDialectServer, refusal, sse

from kame_ros.oracle.llm.backend import parse_backend
from kame_ros.oracle.llm.clients.base import LlmError, LlmUnavailable, Options, Usage
from kame_ros.oracle.llm.clients.quirks import forget_quirks

MESSAGES = [
    {'role': 'system', 'content': 'Be short.'},
    {'role': 'user', 'content': 'capital of France?'},
]
EXTRA = {'seed': 7, 'reasoning_effort': 'low'}


@pytest.fixture(autouse=True)
def new_process(monkeypatch):
    """Nothing is known of any server, and no proxy or address is set."""
    for name in ('OPENAI_BASE_URL', 'KAME_KEY_HOSTS', 'OPENAI_API_KEY'):
        monkeypatch.delenv(name, raising=False)
    forget_quirks()


@pytest.fixture
def fake():
    """Starts a FakeDialectServer."""
    servers = []

    def start(dialect, *script):
        servers.append(FakeDialectServer(dialect))
        servers[-1].script = list(script)
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


def ask(server, times=1, on_piece=lambda piece: None, url=None, options=None, **settings):
    """All pieces of the last answer, and its usage."""

    async def run():
        settings.setdefault('extra', EXTRA)
        client = parse_backend(f'openai:m@{url or server.url}', **settings).connect()
        try:
            for _ in range(times):
                pieces, usage = [], Usage()
                wanted = options or Options(20, 0.0)
                async for piece in client.stream(MESSAGES, wanted, usage):
                    pieces.append(piece)
                    on_piece(piece)
        finally:
            await client.aclose()
        return pieces, usage

    return asyncio.run(run())


every_dialect = pytest.mark.parametrize('dialect', DIALECTS, ids=lambda d: d.name)


@every_dialect
def test_normal(fake, dialect):
    server = fake(dialect, *dialect.pieces('Par', 'is', '.'), *dialect.end())
    pieces, usage = ask(server, times=2)
    assert pieces == ['Par', 'is', '.']
    known = dialect.usage != 'none'
    assert (usage.tokens_in, usage.tokens_out) == ((11, 3) if known else (-1, -1))
    # Asked once more for each field that it refuses, and never again with one of them.
    sent = {'stream_options', 'max_tokens', 'temperature', 'seed', 'reasoning_effort'}
    refused = set(dialect.refuses) & sent
    assert len(server.requests) == len(refused) + 2
    for request in server.requests[-2:]:
        assert not refused & set(request)
        assert sent - refused <= set(request)
        assert request['messages'] == MESSAGES


@every_dialect
@pytest.mark.parametrize('done', [DONE, b''], ids=['done', 'just-ends'])
def test_no_finish(fake, dialect, done):
    server = fake(dialect, *dialect.pieces('for', 'ty', ' two'), done)
    pieces, _ = ask(server)
    assert pieces == ['for', 'ty', ' two']
    assert len(server.requests) == len(dialect.refuses.keys() & _sent()) + 1


@every_dialect
@pytest.mark.parametrize('words', [0, 2])
def test_an_error_in_mid_stream_is_told_apart(fake, dialect, words):
    heard = []
    for error, retryable in ((dialect.transient, True), (dialect.final, False)):
        begun = dialect.pieces('One', ' two')[:words]
        server = fake(dialect, *begun, error, dialect.done)
        with pytest.raises(LlmError) as caught:
            ask(server, on_piece=heard.append)
        assert caught.value.retryable is retryable, str(caught.value)
        assert 'broke off' not in str(caught.value)
    assert heard == 2 * ['One', ' two'][:words]


@every_dialect
def test_refusal(fake, dialect):
    finish = 'content_filter' if dialect.says_no == 'filter' else 'stop'
    server = fake(dialect, *dialect.refused(), *dialect.end(finish))
    if dialect.says_no == 'filter':
        with pytest.raises(LlmError, match='content filter') as caught:
            ask(server)
        assert not caught.value.retryable
    else:
        assert ''.join(ask(server)[0]) == "I can't do that."


@every_dialect
def test_slow(fake, dialect):
    """A piece is given on when it comes, however long the next one takes."""
    first, rest = dialect.pieces('One'), dialect.pieces(' two.')
    server = fake(dialect, *first, b': keep-alive\n\n', WAIT, *rest, *dialect.end())
    pieces, _ = ask(server, on_piece=lambda piece: server.go_on.set())
    assert pieces == ['One', ' two.']


@every_dialect
def test_content_in_parts_or_null(fake, dialect):
    thinking = {'type': 'thinking', 'thinking': [{'type': 'text', 'text': 'hm'}]}
    parts = [[{'type': 'text', 'text': 'Par'}], [thinking, {'type': 'text', 'text': 'is.'}]]
    chunks = [dialect.chunk({'content': part}) for part in (None, *parts, None, [])]
    pieces, _ = ask(fake(dialect, *chunks, *dialect.end()))
    assert ''.join(pieces) == 'Paris.'


@every_dialect
def test_tool_call(fake, dialect):
    server = fake(dialect, *dialect.tool_call(), *dialect.end('tool_calls'))
    (piece,) = ask(server)[0]
    name, arguments = CALL
    request = piece.removeprefix('<action>').removesuffix('</action>')
    assert json.loads(request) == {'name': name, 'arguments': arguments}


def _sent():
    return {'stream_options', 'max_tokens', 'temperature', *EXTRA}


# -- what servers refuse ------------------------------------------------------------------

WORDINGS = [
    lambda name: refusal(400, f"Unsupported parameter: '{name}'", param=name),
    lambda name: refusal(400, f'Unrecognized request argument supplied: {name}'),
    lambda name: refusal(422, f'property `{name}` is unsupported'),
    lambda name: (422, {'detail': [{'type': 'extra_forbidden', 'loc': ['body', name]}]}),
    lambda name: (400, {'message': f'json: unknown field "{name}"'}),
]


@pytest.mark.parametrize('name', sorted(_sent()))
@pytest.mark.parametrize('wording', range(len(WORDINGS)))
def test_any_optional_field_may_be_refused_in_any_words(fake, name, wording):
    dialect = Dialect('picky', refuses={name: WORDINGS[wording](name)})
    server = fake(dialect, *dialect.pieces('Yes.'), *dialect.end())
    assert ask(server, times=2)[0] == ['Yes.']
    assert [name in request for request in server.requests] == [True, False, False]
    if name == 'max_tokens':
        assert server.requests[-1]['max_completion_tokens'] == 20
    # A new client of the same server knows it too.
    ask(server)
    assert name not in server.requests[-1]
    assert len(server.requests) == 4


def test_a_refusal_without_a_name_drops_stream_options_first(fake):
    dialect = Dialect('mute', refuses={'stream_options': (422, {})})
    server = fake(dialect, *dialect.pieces('Yes.'), *dialect.end())
    assert ask(server, extra={})[0] == ['Yes.']
    assert len(server.requests) == 2
    assert 'temperature' in server.requests[1]


def test_what_is_refused_for_good_is_not_asked_for_ever(fake):
    dialect = Dialect('hopeless', refuses={'model': refusal(400, 'invalid request', param='model')})
    server = fake(dialect)
    with pytest.raises(LlmError) as caught:
        ask(server)
    assert not caught.value.retryable
    assert len(server.requests) == 1


def test_a_context_that_is_too_long_is_final_and_no_fault_of_max_tokens(fake):
    said = (
        "This model's maximum context length is 2048 tokens. However, you requested 2100 tokens "
        '(2036 in the messages, 64 in the completion: max_tokens).'
    )
    dialect = Dialect('short', refuses={'messages': refusal(400, said)})
    server = fake(dialect)
    with pytest.raises(LlmError, match='too long') as caught:
        ask(server)
    assert not caught.value.retryable
    assert len(server.requests) == 1


# -- addresses ----------------------------------------------------------------------------


@pytest.mark.parametrize('end', ['', '/', '/v1', '/v1/', '/v1/chat/completions'])
def test_an_address_is_completed(fake, end):
    dialect = Dialect('plain')
    server = fake(dialect, *dialect.pieces('Yes.'), *dialect.end())
    assert ask(server, times=2, url=server.root + end)[0] == ['Yes.']
    assert server.paths.count(dialect.path) == 2
    assert len(server.paths) <= 3  # what was found is kept


NO_PAGES = [
    (404, {'detail': 'Not Found'}),
    (405, {'detail': 'Method Not Allowed'}),
    (200, {'error': 'Unexpected endpoint or method. (POST /chat/completions)'}),
    (200, '<!doctype html><html>a web interface</html>'),
    (404, '<html>404</html>'),
]


@pytest.mark.parametrize('no_page', NO_PAGES, ids=str)
def test_whatever_stands_where_v1_is_missing_it_is_completed_or_named(fake, no_page):
    dialect = Dialect('plain', no_page=no_page)
    server = fake(dialect, *dialect.pieces('Yes.'), *dialect.end())
    assert ask(server, url=server.root)[0] == ['Yes.']
    assert len(server.paths) == 2
    with pytest.raises(LlmUnavailable, match='/v1'):
        ask(server, url=server.root + '/v1/v1')


def test_an_address_that_is_wrong_is_named_and_v1_too(fake):
    server = fake(Dialect('elsewhere', path='/other/chat/completions'))
    with pytest.raises(LlmUnavailable, match='/v1') as caught:
        ask(server, url=server.root)
    assert server.root in str(caught.value)


def test_a_model_that_is_not_there_is_named(fake):
    message = "model 'm' not found"
    dialect = Dialect('no-model', refuses={'model': refusal(404, message)})
    server = fake(dialect)
    with pytest.raises(LlmUnavailable, match="has no model 'm'"):
        ask(server)


# -- usage --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    'usage',
    [
        {'prompt_tokens': None, 'completion_tokens': None, 'prompt_tokens_details': None},
        {'prompt_tokens': 'many', 'completion_tokens': float('inf')},
        {'prompt_tokens': -4, 'completion_tokens': True, 'prompt_tokens_details': [1]},
        {},
        [],
        'none',
        7,
    ],
    ids=str,
)
def test_usage_that_says_nothing_is_ignored(fake, usage):
    dialect = Dialect('odd')
    server = fake(dialect, *dialect.pieces('Yes.'), dialect.chunk({}, 'stop', usage=usage), DONE)
    pieces, told = ask(server)
    assert pieces == ['Yes.']
    assert (told.tokens_in, told.tokens_out, told.cached) == (-1, -1, -1)


@pytest.mark.parametrize('text', ['Yes.', 'There is no route to /v1: unknown path'])
def test_a_server_that_does_not_stream_is_understood(fake, text):
    dialect = Dialect('whole')
    message = {'role': 'assistant', 'content': text}
    answer = {'choices': [{'index': 0, 'message': message, 'finish_reason': 'stop'}]}
    assert ask(fake(dialect, sse(answer), DONE))[0] == [text]
    dialect = Dialect('whole-json', refuses={'messages': (200, answer)})
    server = fake(dialect)
    assert ask(server)[0] == [text]
    assert len(server.requests) == 1
