"""What lies between a client and its server: encodings, addresses, redirects, resets, TLS."""

import asyncio
import json
import shutil
import socket
import ssl
import subprocess

import pytest
from fake_dialects import DIALECTS, DONE, RESET, Dialect, FakeDialectServer, sse

from kame_ros.oracle.llm.backend import parse_backend
from kame_ros.oracle.llm.clients.base import LlmError, LlmUnavailable, Options, Usage
from kame_ros.oracle.llm.clients.quirks import forget_quirks

KINDS = ['openai', 'ollama', 'anthropic', 'gemini']
SECRET = 'my number is four two four two'
MESSAGES = [{'role': 'system', 'content': 'Be short.'}, {'role': 'user', 'content': SECRET}]
PLAIN = Dialect('plain')
PROXIES = ('ALL_PROXY', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY')


@pytest.fixture(autouse=True)
def new_process(monkeypatch):
    """Nothing is known of any server, and no proxy or address is set; keys are."""
    for name in (*PROXIES, *map(str.lower, PROXIES), 'OPENAI_BASE_URL', 'ANTHROPIC_BASE_URL'):
        monkeypatch.delenv(name, raising=False)
    for name in ('OPENAI', 'ANTHROPIC', 'GEMINI', 'OLLAMA'):
        monkeypatch.setenv(f'{name}_API_KEY', f'the-{name}-key')
    monkeypatch.setenv('KAME_KEY_HOSTS', '127.0.0.1')
    forget_quirks()


@pytest.fixture
def fake():
    """Starts a FakeDialectServer."""
    servers = []

    def start(*script, dialect=PLAIN, **settings):
        servers.append(FakeDialectServer(dialect, **settings))
        servers[-1].script = list(script)
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


def ask(url, kind='openai'):
    """The whole answer."""

    async def run():
        client = parse_backend(f'{kind}:m@{url}').connect()
        try:
            return ''.join(
                [piece async for piece in client.stream(MESSAGES, Options(20, 0.0), Usage())]
            )
        finally:
            await client.aclose()

    return asyncio.run(run())


def error_of(url, kind='openai'):
    with pytest.raises(LlmError) as caught:
        ask(url, kind)
    assert 'key' not in str(caught.value) or 'the-' not in str(caught.value)
    assert '\n' not in str(caught.value)
    return caught.value


# -- the answer is read, however it is sent -----------------------------------------------


@pytest.mark.parametrize('dialect', DIALECTS, ids=lambda d: d.name)
def test_a_zipped_stream_is_read(fake, dialect):
    server = fake(*dialect.pieces('Par', 'is.'), *dialect.end(), dialect=dialect)
    server.zipped = True
    assert ask(server.url) == 'Paris.'


@pytest.mark.parametrize(
    'kind', ['application/json', 'text/plain', 'application/octet-stream', 'application/x-ndjson',
             'TEXT/EVENT-STREAM', 'nonsense', ''],
)  # fmt: skip
@pytest.mark.parametrize('done', [DONE, b''])
def test_a_stream_is_read_whatever_type_it_names(fake, kind, done):
    server = fake(*PLAIN.pieces('Par', 'is.'), PLAIN.chunk({}, 'stop'), done)
    server.headers = {'content-type': kind}
    assert ask(server.url) == 'Paris.'


@pytest.mark.parametrize('times', [2, 5])
def test_done_may_be_said_again(fake, times):
    server = fake(*PLAIN.pieces('Paris.'), *PLAIN.end(), *[DONE] * times)
    assert ask(server.url) == 'Paris.'
    assert ask(server.url) == 'Paris.'  # what was left over is not the next answer


@pytest.mark.parametrize('dialect', DIALECTS, ids=lambda d: d.name)
@pytest.mark.parametrize('said', ['Paris.', 'Paris'])
def test_a_stream_that_ends_with_neither_word_is_whole_if_http_says_so(fake, dialect, said):
    assert ask(fake(*dialect.pieces(said), dialect=dialect).url) == said


def test_a_server_may_have_an_address_of_ipv6(fake):
    try:
        server = fake(*PLAIN.pieces('Paris.'), *PLAIN.end(), host='::1')
    except OSError:
        pytest.skip('NOT TESTED: this machine has no IPv6')
    assert ask(server.url) == 'Paris.'
    assert '[::1]' in server.url


def test_no_server_at_an_address_of_ipv6_is_told_with_its_brackets():
    assert 'no server answers at http://[::1]:9/v1' in str(error_of('http://[::1]:9/v1'))


# -- it is not --------------------------------------------------------------------------------


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('status', [301, 302, 303, 307, 308])
def test_what_the_user_says_is_not_carried_elsewhere(fake, kind, status):
    other = fake(*PLAIN.pieces('Got it.'), *PLAIN.end())
    server = fake()
    server.reply = (status, {'location': other.url + '/chat/completions'}, b'')
    error = error_of(server.root, kind)
    assert not error.retryable
    assert f'sends on to {other.url}' in str(error)
    assert SECRET not in str(error)
    assert not other.paths


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('location', [None, '', '/elsewhere', 'javascript:x', '//evil', '\x01' * 9])
def test_a_redirect_to_nowhere_is_one_sentence(fake, kind, location):
    server = fake()
    server.reply = (307, {} if location is None else {'location': location}, b'')
    assert 'sends on to' in str(error_of(server.root, kind))
    assert set(server.paths) <= {server.paths[0]}


@pytest.mark.parametrize('words', [0, 1, 3])
def test_a_connection_that_is_reset_is_asked_again(fake, words):
    server = fake(*PLAIN.pieces(*['word '] * words), RESET)
    error = error_of(server.url)
    assert error.retryable


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize(
    ('status', 'retryable'),
    [(403, False), (500, True), (502, True), (503, True), (504, True), (520, True), (529, True)],
)
@pytest.mark.parametrize('body', [b'', b'<html>Bad Gateway</html>', b'{"error": "no"}', b'\xff{'])
def test_a_status_is_told_apart_whatever_comes_with_it(fake, kind, status, retryable, body):
    server = fake()
    page = {'content-type': 'text/html' if b'html' in body else 'application/json'}
    server.reply = (status, page, body)
    error = error_of(server.root, kind)
    assert error.retryable is retryable
    assert str(status) in str(error)
    assert len(server.paths) == 1


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('status', [200, 401, 403, 407, 511])
def test_a_proxys_login_page_is_no_answer(fake, kind, status):
    page = (
        b'<!DOCTYPE html><html><title>Sign in</title><form>Hotel Wi-Fi: room number?</form></html>'
    )
    server = fake()
    server.reply = (status, {'content-type': 'text/html'}, page)
    error = error_of(server.root, kind)
    if status == 200:
        assert 'web page' in str(error)
        assert 'login' in str(error)


def certificate(folder):
    """One that nobody has signed but itself."""
    openssl = shutil.which('openssl')
    if openssl is None:
        pytest.skip('NOT TESTED: a certificate that nobody trusts. It needs the program openssl')
    key, cert = folder / 'key.pem', folder / 'cert.pem'
    subprocess.run(
        [openssl, 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1',
         '-nodes', '-keyout', key, '-out', cert, '-days', '30', '-subj', '/CN=localhost',
         '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context, cert


@pytest.mark.parametrize('kind', KINDS)
def test_a_certificate_that_nobody_trusts_is_named(fake, tmp_path, kind):
    context, _ = certificate(tmp_path)
    server = fake(tls=context)
    error = error_of(server.root, kind)
    assert isinstance(error, LlmUnavailable)
    assert 'shows a certificate that this machine does not trust' in str(error)
    assert 'SSL_CERT_FILE' in str(error)
    assert not server.paths


def test_what_the_message_says_mends_it(fake, tmp_path, monkeypatch):
    context, cert = certificate(tmp_path)
    server = fake(*PLAIN.pieces('Paris.'), *PLAIN.end(), tls=context)
    monkeypatch.setenv('SSL_CERT_FILE', str(cert))
    assert ask(server.url) == 'Paris.'


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('url', ['https://127.0.0.1:9', 'https://llm.example'])
@pytest.mark.parametrize('file', ['nowhere.pem', 'empty.pem'])
def test_certificates_that_cannot_be_read_are_named(tmp_path, monkeypatch, kind, url, file):
    (tmp_path / 'empty.pem').write_text('')
    monkeypatch.setenv('SSL_CERT_FILE', str(tmp_path / file))
    error = error_of(url, kind)
    assert isinstance(error, LlmUnavailable)
    assert 'SSL_CERT_FILE' in str(error)


@pytest.mark.parametrize('kind', KINDS)
def test_http_where_https_is_spoken_is_no_riddle(fake, kind):
    server = fake()
    error = error_of(server.root.replace('http:', 'https:'), kind)
    assert 'speaks no https' in str(error)
    assert not error.retryable


@pytest.mark.parametrize('kind', KINDS)
def test_a_server_that_says_nothing_and_hangs_up_is_one_sentence(kind):
    with socket.create_server(('127.0.0.1', 0)) as listening:
        listening.settimeout(20)
        url = f'http://127.0.0.1:{listening.getsockname()[1]}'

        async def run():
            loop = asyncio.get_running_loop()

            def hang_up():
                listening.accept()[0].close()

            gone = loop.run_in_executor(None, hang_up)
            client = parse_backend(f'{kind}:m@{url}').connect()
            try:
                return [p async for p in client.stream(MESSAGES, Options(20, 0.0), Usage())]
            finally:
                await client.aclose()
                await gone

        with pytest.raises(LlmError) as caught:
            asyncio.run(run())
    assert url in str(caught.value)


def test_a_key_goes_with_no_redirect(fake):
    """The fake would tell: it keeps what it was sent."""
    other = fake(*PLAIN.pieces('Got it.'), *PLAIN.end())
    server = fake()
    server.reply = (308, {'location': other.url}, json.dumps({'moved': True}).encode())
    error_of(server.url)
    assert other.keys == []


def test_an_error_in_a_zipped_stream_is_told_apart(fake):
    broken = sse({'error': {'message': 'Overloaded', 'type': 'overloaded_error'}})
    server = fake(*PLAIN.pieces('One '), broken)
    server.zipped = True
    assert 'Overloaded' in str(error_of(server.url))
