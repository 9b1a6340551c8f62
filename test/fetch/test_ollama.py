"""A model of an ollama server, pulled by a server that only pretends."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from kame_ros.fetch import ollama
from kame_ros.fetch.errors import FetchError, NoLine
from kame_ros.fetch.report import FetchReport

LAYER, OTHER = 'sha256:' + 'a' * 64, 'sha256:' + 'b' * 64
WHOLE = [
    {'status': 'pulling manifest'},
    {'status': 'pulling', 'digest': LAYER, 'total': 1000},
    {'status': 'pulling', 'digest': LAYER, 'total': 1000, 'completed': 400},
    {'status': 'pulling', 'digest': LAYER, 'total': 1000, 'completed': 1000},
    {'status': 'pulling', 'digest': OTHER, 'total': 10, 'completed': 10},
    {'status': 'success'},
]


class Watch(FetchReport):
    def __init__(self):
        self.told = []

    def begin(self, name, size, done):
        self.told.append((name, size))

    def reached(self, done, what=''):
        self.told.append(done)

    def end(self):
        self.told.append('end')


@pytest.fixture
def pulling():
    """A server that answers a pull with some lines, or with a status."""
    servers = []

    def serve(lines, status=200):
        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_POST(self):
                self.rfile.read(int(self.headers['Content-Length']))
                self.send_response(status)
                self.end_headers()
                for line in lines:
                    self.wfile.write(json.dumps(line).encode() + b'\n')

        server = HTTPServer(('127.0.0.1', 0), Handler)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        servers.append(server)
        return f'http://127.0.0.1:{server.server_address[1]}'

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def test_layers_are_followed(pulling):
    watch = Watch()
    ollama.get('llama3.2', watch, pulling(WHOLE))
    assert watch.told == [
        ('llama3.2 aaaaaaaaaaaa', 1000), 0, 400, 1000, 'end',
        ('llama3.2 bbbbbbbbbbbb', 10), 10, 'end',
    ]  # fmt: skip


@pytest.mark.parametrize(
    ('lines', 'status', 'kind', 'says'),
    [
        ([{'error': 'pull model manifest: file does not exist'}], 200, FetchError, 'not exist'),
        ([{'error': 'no such model'}], 404, FetchError, 'no such model'),
        ([], 500, FetchError, 'status 500'),
        (WHOLE[:3], 200, NoLine, 'call it again to go on'),
        (['nonsense'], 200, FetchError, 'not understood'),
    ],
)
def test_what_it_cannot_get_it_says(pulling, lines, status, kind, says):
    with pytest.raises(kind, match=says):
        ollama.get('x', Watch(), pulling(lines, status))


def test_no_server_at_all():
    with pytest.raises(
        NoLine, match=r'no ollama answers at http://127\.0\.0\.1:9 \([A-Z][a-z ]+\):'
    ):
        ollama.get('x', Watch(), 'http://127.0.0.1:9')


@pytest.mark.parametrize(
    ('given', 'address'),
    [
        ('', 'http://127.0.0.1:11434'),
        ('0.0.0.0', 'http://127.0.0.1:11434'),
        ('box:1234', 'http://box:1234'),
        ('https://o.example.org/', 'https://o.example.org'),
        ('http://box', 'http://box'),
        ('box', 'http://box:11434'),
        ('box/ollama/', 'http://box:11434/ollama'),
        (':1234', 'http://127.0.0.1:1234'),
        ('"0.0.0.0:1234"', 'http://127.0.0.1:1234'),
        ('[::1]', 'http://[::1]:11434'),
        ('http://[::1]:9', 'http://[::1]:9'),
    ],
)
def test_the_address_is_that_of_its_own_clients(monkeypatch, given, address):
    monkeypatch.setenv('OLLAMA_HOST', given)
    assert ollama.address() == address


@pytest.mark.parametrize(
    'given', ['http://[::1', 'box:99999', 'ftp://box', 'a b', 'me:key@box', '::1']
)
def test_what_is_no_address_is_a_sentence(monkeypatch, given):
    monkeypatch.setenv('OLLAMA_HOST', given)
    with pytest.raises(FetchError, match=r'^OLLAMA_HOST: .*address'):
        ollama.address()
