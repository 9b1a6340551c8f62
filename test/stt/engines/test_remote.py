import io
import json
import threading
import wave
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

pytest.importorskip('openai')

from kame_ros.stt.engines.remote import RemoteRecogniser
from kame_ros.stt.recogniser import RecogniserError

ANSWER = {
    'task': 'transcribe',
    'language': 'english',
    'duration': 1.0,
    'text': 'Hello, robot!',
    'words': [
        {'word': 'Hello', 'start': 0.1, 'end': 0.4},
        {'word': 'robot', 'start': 0.5, 'end': 0.9},
    ],
    'segments': [{'avg_logprob': -0.25, 'no_speech_prob': 0.01}],
}


@pytest.fixture
def server():
    """A transcription server on loopback that remembers what it was asked."""
    seen = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers['Content-Length']))
            seen.append((self.path, self.headers, body))
            status, answer = self.server.answer
            if self.server.once:
                status, answer = self.server.once.pop()
            if self.path == self.server.missing:
                status, answer = 404, {'detail': 'Not Found'}
            data = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header('Content-Type', 'application/json')
            self.send_header('Content-Length', str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args):
            pass

    httpd = ThreadingHTTPServer(('127.0.0.1', 0), Handler)
    httpd.answer, httpd.seen, httpd.once, httpd.missing = (200, ANSWER), seen, [], ''
    thread = threading.Thread(target=httpd.serve_forever, daemon=True)
    thread.start()
    yield httpd
    httpd.shutdown()
    httpd.server_close()
    thread.join()


@pytest.fixture
def remote(server, monkeypatch):
    monkeypatch.setenv('MY_STT_KEY', 'secret-1')
    monkeypatch.setenv('KAME_KEY_HOSTS', f'MY_STT_KEY@127.0.0.1:{server.server_port}')
    return RemoteRecogniser(
        'whisper-1',
        base_url=f'http://127.0.0.1:{server.server_port}/v1',
        language='en',
        key_variable='MY_STT_KEY',
    )


def parts(headers, body):
    """The fields of a multipart form."""
    head = f'Content-Type: {headers["Content-Type"]}\r\n\r\n'.encode()
    return {
        p.get_param('name', header='content-disposition'): p.get_payload(decode=True)
        for p in message_from_bytes(head + body).get_payload()
    }


def test_the_sound_goes_out_and_timed_words_come_back(server, remote):
    heard = remote.recognise(np.full(16_000, 0.5, np.float32), final=True)
    assert heard.text == 'Hello, robot!'
    assert [(w.text, w.start, w.end) for w in heard.words] == [
        (' Hello,', 0.1, 0.4),
        (' robot!', 0.5, 0.9),
    ]
    assert (heard.language, heard.log_probability, heard.no_speech) == ('en', -0.25, 0.01)
    ((path, headers, body),) = server.seen
    assert path == '/v1/audio/transcriptions'
    assert headers['Authorization'] == 'Bearer secret-1'
    fields = parts(headers, body)
    assert fields['model'] == b'whisper-1'
    assert fields['language'] == b'en'
    assert 'prompt' not in fields
    with wave.open(io.BytesIO(fields['file'])) as file:
        assert (file.getframerate(), file.getnchannels(), file.getnframes()) == (16_000, 1, 16_000)


def test_words_without_times_are_spread(server, remote):
    server.answer = (200, {'text': 'one two'})
    heard = remote.recognise(np.zeros(32_000, np.float32), final=False)
    assert [(w.start, w.end) for w in heard.words] == [(0.0, 1.0), (1.0, 2.0)]


@pytest.mark.parametrize(
    'odd',
    [
        {'words': [{}, {}]},
        {'words': [{'word': 'one', 'start': None, 'end': 1}, {'word': 'two', 'start': 'x'}]},
        {'words': 'one two', 'segments': 7},
        {'words': [1, None], 'segments': [None, {'avg_logprob': 'low'}], 'language': None},
    ],
    ids=str,
)
def test_odd_times_are_no_times(server, remote, odd):
    server.answer = (200, {'text': 'one two', **odd})
    heard = remote.recognise(np.zeros(32_000, np.float32), final=False)
    assert [(w.start, w.end) for w in heard.words] == [(0.0, 1.0), (1.0, 2.0)]


@pytest.mark.parametrize('status', [400, 401, 429, 500])
def test_a_refusal_is_one_error_and_the_key_is_not_in_it(server, remote, status):
    server.answer = (status, {'error': {'message': 'no, not secret-1'}})
    with pytest.raises(RecogniserError) as caught:
        remote.recognise(np.zeros(1600, np.float32), final=False)
    assert 'secret-1' not in str(caught.value)
    assert len(server.seen) == 1  # no retry: the next partial is a better one


@pytest.mark.parametrize(
    ('status', 'error', 'gone'),
    [
        (
            400,
            {'message': "response_format 'verbose_json' is not compatible with this model."},
            {'response_format', 'timestamp_granularities[]'},
        ),
        (400, {'message': 'no', 'param': 'timestamp_granularities'}, {'timestamp_granularities[]'}),
        (422, {'detail': [{'loc': ['body', 'temperature']}]}, {'temperature'}),
        (422, {'detail': [{'loc': ['body', 'language']}]}, {'language'}),
    ],
)
def test_a_field_that_a_server_refuses_is_not_sent_again(server, remote, status, error, gone):
    server.once = [(status, {'error': error})]
    for _ in range(2):
        assert remote.recognise(np.zeros(1600, np.float32), final=False).text == 'Hello, robot!'
    first, *others = (set(parts(headers, body)) for _, headers, body in server.seen)
    assert len(others) == 2
    for fields in others:
        assert fields == first - gone


@pytest.mark.parametrize('end', ['', '/'])
def test_an_address_without_its_v1_is_completed(server, end):
    server.missing = '/audio/transcriptions'
    remote = RemoteRecogniser(base_url=f'http://127.0.0.1:{server.server_port}{end}')
    for _ in range(2):
        assert remote.recognise(np.zeros(1600, np.float32), final=False).text == 'Hello, robot!'
    assert [path for path, _, _ in server.seen] == [
        '/audio/transcriptions',
        '/v1/audio/transcriptions',
        '/v1/audio/transcriptions',
    ]


def test_a_server_that_is_away(monkeypatch):
    remote = RemoteRecogniser(base_url='http://127.0.0.1:9/v1', timeout_s=0.5)
    with pytest.raises(RecogniserError):
        remote.warm_up()


def test_no_key_and_no_address(monkeypatch):
    monkeypatch.delenv('OPENAI_API_KEY', raising=False)
    with pytest.raises(ValueError, match='OPENAI_API_KEY'):
        RemoteRecogniser()
