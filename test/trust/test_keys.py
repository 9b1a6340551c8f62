"""Which keys go where: settled by the environment, and not widened by a parameter."""

import asyncio
import http.server
import threading

import numpy as np
import pytest

from kame_ros.oracle.llm.backend import Backend, parse_backend
from kame_ros.oracle.llm.clients.base import LlmUnavailable, Options, Usage
from kame_ros.stt.engines.remote import RemoteRecogniser
from kame_ros.stt.recogniser import RecogniserError
from kame_ros.trust import keys as trust

CANARY = 'canary-42-do-not-send'
NAMES = ('OPENAI_API_KEY', 'ANTHROPIC_API_KEY', 'GEMINI_API_KEY', 'OLLAMA_API_KEY')
LLMS = ('openai', 'anthropic', 'gemini', 'ollama')


@pytest.fixture(autouse=True)
def keys(monkeypatch):
    """Every key is set, a secret of another service too, and no host is allowed."""
    for name in (*NAMES, 'AWS_SECRET_ACCESS_KEY', 'ANTHROPIC_AUTH_TOKEN'):
        monkeypatch.setenv(name, CANARY)
    for name in (trust.KEY_HOSTS, 'OPENAI_BASE_URL', 'ANTHROPIC_BASE_URL'):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ('variable', 'url', 'goes'),
    [
        ('OPENAI_API_KEY', 'https://api.openai.com/v1', True),
        ('OPENAI_API_KEY', 'https://API.OpenAI.com:443/v1', True),
        ('OPENAI_API_KEY', 'http://api.openai.com/v1', False),
        ('OPENAI_API_KEY', 'https://api.openai.com.evil.example/v1', False),
        ('OPENAI_API_KEY', 'https://evil.example/api.openai.com', False),
        ('OPENAI_API_KEY', 'https://api.openai.com@evil.example/v1', False),
        ('OPENAI_API_KEY', 'https://evil.example\\@api.openai.com/v1', False),
        ('OPENAI_API_KEY', 'https://evil.example/v1', False),
        ('OPENAI_API_KEY', 'http://127.0.0.1:8000/v1', False),
        ('OPENAI_API_KEY', 'http://localhost:8000/v1', False),
        ('OPENAI_API_KEY', 'https://api.anthropic.com', False),
        ('ANTHROPIC_API_KEY', 'https://api.openai.com/v1', False),
        ('AWS_SECRET_ACCESS_KEY', 'https://api.openai.com/v1', False),
        ('AWS_SECRET_ACCESS_KEY', 'http://127.0.0.1:8000', False),
    ],
)
def test_a_key_goes_to_those_who_gave_it_and_encrypted(variable, url, goes):
    assert (trust.key_for(variable, url) == CANARY) is goes
    assert (trust.why_no_key(variable, url) == '') is goes


@pytest.mark.parametrize(
    ('hosts', 'variable', 'url', 'goes'),
    [
        ('llm.lab', 'OPENAI_API_KEY', 'https://llm.lab:8443/v1', True),
        ('llm.lab', 'OPENAI_API_KEY', 'https://LLM.lab/v1', True),
        ('llm.lab', 'OPENAI_API_KEY', 'http://llm.lab/v1', False),  # in clear
        ('llm.lab', 'OPENAI_API_KEY', 'https://sub.llm.lab/v1', False),
        ('llm.lab', 'AWS_SECRET_ACCESS_KEY', 'https://llm.lab/v1', False),
        ('AWS_SECRET_ACCESS_KEY@llm.lab', 'AWS_SECRET_ACCESS_KEY', 'https://llm.lab/v1', True),
        ('AWS_SECRET_ACCESS_KEY@llm.lab', 'OPENAI_API_KEY', 'https://llm.lab/v1', False),
        ('llm.lab:8443', 'OPENAI_API_KEY', 'https://llm.lab:8443/v1', True),
        ('llm.lab:8443', 'OPENAI_API_KEY', 'https://llm.lab/v1', False),
        ('llm.lab:443', 'OPENAI_API_KEY', 'https://llm.lab/v1', True),
        ('a.b, 127.0.0.1:8000', 'OPENAI_API_KEY', 'http://127.0.0.1:8000/v1', True),
        ('127.0.0.1:8000', 'OPENAI_API_KEY', 'http://127.0.0.1:8001/v1', False),
        ('[::1]:8000', 'OPENAI_API_KEY', 'http://[::1]:8000/v1', True),
        ('', 'OPENAI_API_KEY', 'https://llm.lab', False),
        (',@, @', 'OPENAI_API_KEY', 'https://llm.lab', False),
        ('*', 'OPENAI_API_KEY', 'https://llm.lab', False),
    ],
)
def test_the_environment_may_name_more_hosts(hosts, variable, url, goes, monkeypatch):
    monkeypatch.setenv(trust.KEY_HOSTS, hosts)
    assert (trust.key_for(variable, url) == CANARY) is goes


@pytest.mark.parametrize('end', ['\r', '\r\n', ' ', '\t\n', ''])
def test_blanks_around_a_key_are_no_part_of_it(end, monkeypatch):
    monkeypatch.setenv('OPENAI_API_KEY', f' key{end}')
    assert trust.key_for('OPENAI_API_KEY', 'https://api.openai.com/v1') == 'key'
    client = parse_backend('openai:gpt-4.1').connect()
    assert client._client.api_key == 'key'


@pytest.mark.parametrize('host', ['localhost', '127.0.0.1', '127.3.2.1', '[::1]', '0.0.0.0'])
def test_this_machine_is_known(host):
    assert trust.is_loopback(f'http://{host}:8000/v1')


@pytest.mark.parametrize(
    'host', ['localhost.evil.example', '10.0.0.1', '127.evil.example', '[::2]']
)
def test_others_are_not_this_machine(host):
    assert not trust.is_loopback(f'http://{host}:8000/v1')


# -- through the clients ------------------------------------------------------------------


@pytest.fixture
def spy():
    """A fake of a stranger's server on this machine, which keeps all headers and refuses."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.server.seen.append(f'{self.path} {self.headers}')
            self.rfile.read(int(self.headers['content-length'] or 0))
            self.send_response(self.server.status)
            self.send_header('location', 'http://127.0.0.1:9/elsewhere')
            self.send_header('content-length', '2')
            self.end_headers()
            self.wfile.write(b'{}')

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
    server.seen, server.status = [], 401
    server.url = f'http://127.0.0.1:{server.server_port}'
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


async def ask(backend):
    client = backend.connect()
    try:
        messages = [{'role': 'user', 'content': 'hi'}]
        return [piece async for piece in client.stream(messages, Options(20, 0.0), Usage())]
    finally:
        await client.aclose()


@pytest.mark.parametrize('kind', LLMS)
def test_a_stranger_gets_no_key_and_the_message_says_which_variable_to_set(kind, spy):
    with pytest.raises(LlmUnavailable, match=trust.KEY_HOSTS):
        asyncio.run(ask(parse_backend(f'{kind}:m@{spy.url}')))
    assert len(spy.seen) == 1
    assert CANARY not in spy.seen[0]


@pytest.mark.parametrize('kind', LLMS)
def test_an_allowed_host_gets_the_key_of_its_kind(kind, spy, monkeypatch):
    monkeypatch.setenv(trust.KEY_HOSTS, f'127.0.0.1:{spy.server_port}')
    for name in NAMES:
        monkeypatch.setenv(name, f'{name}-{CANARY}')
    with pytest.raises(LlmUnavailable):
        asyncio.run(ask(parse_backend(f'{kind}:m@{spy.url}')))
    (seen,) = spy.seen
    assert f'{kind.upper()}_API_KEY-{CANARY}' in seen
    assert seen.count(CANARY) == 1


@pytest.mark.parametrize('kind', LLMS)
@pytest.mark.parametrize('status', [301, 302, 307, 308])
def test_a_server_that_sends_on_is_not_followed(kind, status, spy):
    spy.status = status
    with pytest.raises(LlmUnavailable, match='sends on to'):
        asyncio.run(ask(parse_backend(f'{kind}:m@{spy.url}')))
    assert len(spy.seen) == 1


@pytest.mark.parametrize('kind', LLMS)
def test_another_secret_is_refused_before_anything_is_sent(kind, spy):
    backend = Backend(kind, 'm', spy.url, key_name='AWS_SECRET_ACCESS_KEY')
    with pytest.raises(
        LlmUnavailable, match=f'start with {trust.KEY_HOSTS}=AWS_SECRET_ACCESS_KEY@'
    ):
        backend.check()
    with pytest.raises(LlmUnavailable):
        backend.connect()
    assert not spy.seen


def test_speech_to_text_does_not_send_another_secret(spy):
    with pytest.raises(ValueError, match=f'start with {trust.KEY_HOSTS}=AWS_SECRET_ACCESS_KEY@'):
        RemoteRecogniser(base_url=spy.url, key_variable='AWS_SECRET_ACCESS_KEY')
    with pytest.raises(ValueError, match=trust.KEY_HOSTS):
        RemoteRecogniser(key_variable='AWS_SECRET_ACCESS_KEY')
    assert not spy.seen


def test_speech_to_text_of_a_stranger_gets_no_key(spy, monkeypatch):
    monkeypatch.setenv('ALL_PROXY', 'socks5://127.0.0.1:9')  # not used for this machine
    remote = RemoteRecogniser(base_url=f'{spy.url}/v1/')
    with pytest.raises(RecogniserError, match=trust.KEY_HOSTS):
        remote.recognise(np.zeros(1600, np.float32), final=False)
    (seen,) = spy.seen
    assert seen.startswith('/v1/audio/transcriptions ')
    assert CANARY not in seen


def test_speech_to_text_of_openai_is_not_asked_in_clear():
    with pytest.raises(ValueError, match='in clear'):
        RemoteRecogniser(base_url='http://api.openai.com/v1')


@pytest.mark.parametrize('kind', ['openai', 'anthropic', 'gemini'])
def test_nobody_is_asked_for_a_key_in_clear(kind):
    host = {
        'openai': 'api.openai.com/v1',
        'anthropic': 'api.anthropic.com',
        'gemini': 'generativelanguage.googleapis.com',
    }[kind]
    with pytest.raises(LlmUnavailable, match='in clear'):
        parse_backend(f'{kind}:m@http://{host}').connect()


def test_gemini_is_asked_with_the_same_library_whatever_else_is_installed(monkeypatch):
    sdk = pytest.importorskip('google.genai._api_client')
    monkeypatch.setattr(sdk, 'has_aiohttp', True)  # it follows a server that sends on
    client = parse_backend('gemini:m').connect()
    assert not client._client._api_client._use_aiohttp()
