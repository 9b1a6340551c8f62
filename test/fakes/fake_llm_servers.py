"""Scripted servers that speak the protocols of LLMs, on 127.0.0.1."""

import asyncio
import json
import threading
import time
from dataclasses import dataclass, field

import pytest

HANG, CLOSE, END = object(), object(), object()


@dataclass
class Status:
    """An HTTP status instead of an answer."""

    code: int
    headers: dict = field(default_factory=dict)
    body: dict | None = None


class FakeLlmServer:
    """Answers every request with the next script; the last one is repeated.

    A script is a list: a text is sent as a piece, bytes as they are, a number is waited (s), HANG
    waits until the client leaves, CLOSE breaks the connection, END ends it, with no opening or
    closing of the protocol; a Status is the whole answer.
    """

    def __init__(self, kind, *scripts):
        self.kind = kind
        self.scripts = list(scripts)
        self.requests = []  # the bodies
        self.pieces = 0  # texts that were sent
        self.left = 0  # clients that closed before the end
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        start = asyncio.start_server(self._serve, '127.0.0.1', 0)
        self._server = asyncio.run_coroutine_threadsafe(start, self._loop).result(5)
        port = self._server.sockets[0].getsockname()[1]
        self.url = f'http://127.0.0.1:{port}' + ('/v1' if kind == 'openai' else '')

    def stop(self):
        async def end():
            self._server.close()
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()

        asyncio.run_coroutine_threadsafe(end(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    async def _serve(self, reader, writer):
        try:
            while await self._answer(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            self.left += 1
        finally:
            writer.close()

    async def _answer(self, reader, writer):
        head = await reader.readuntil(b'\r\n\r\n')
        length = next(
            (int(line.split(b':')[1]) for line in head.split(b'\r\n')
             if line.lower().startswith(b'content-length')), 0,
        )  # fmt: skip
        body = await reader.readexactly(length)
        self.requests.append(json.loads(body) if body else {})
        script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
        if isinstance(script, Status):
            body = script.body or {'error': {'message': f'scripted {script.code}'}}
            text = json.dumps(body).encode()
            extra = ''.join(f'{k}: {v}\r\n' for k, v in script.headers.items())
            writer.write(
                f'HTTP/1.1 {script.code} X\r\ncontent-type: application/json\r\n{extra}'
                f'content-length: {len(text)}\r\n\r\n'.encode()
                + text
            )
            await writer.drain()
            return True
        kind = 'application/x-ndjson' if self.kind == 'ollama' else 'text/event-stream'
        writer.write(
            f'HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\nconnection: close\r\n\r\n'.encode()
        )
        for line in _opening(self.kind) if END not in script else ():
            writer.write(line)
        gone = asyncio.ensure_future(reader.read(1))
        for step in script:
            if isinstance(step, str):
                writer.write(_piece(self.kind, step))
                await writer.drain()
                self.pieces += 1
                await asyncio.sleep(0)
            elif isinstance(step, bytes):
                writer.write(step)
            elif step is END:
                await writer.drain()
                return False
            elif step is CLOSE:
                writer.transport.abort()
                return False
            else:
                await writer.drain()
                await asyncio.wait([gone], timeout=None if step is HANG else step)
            if gone.done():
                self.left += 1
                return False
        for line in _closing(self.kind, sum(isinstance(s, str) for s in script)):
            writer.write(line)
        await writer.drain()
        return False


def _sse(data, event=None):
    head = f'event: {event}\n' if event else ''
    return f'{head}data: {json.dumps(data)}\n\n'.encode()


def _opening(kind):
    if kind != 'anthropic':
        return []
    message = {
        'id': 'm', 'type': 'message', 'role': 'assistant', 'model': 'm', 'content': [],
        'stop_reason': None, 'stop_sequence': None,
        'usage': {'input_tokens': 11, 'output_tokens': 1, 'cache_read_input_tokens': 5},
    }  # fmt: skip
    block = {'type': 'text', 'text': ''}
    return [
        _sse({'type': 'message_start', 'message': message}, 'message_start'),
        _sse(
            {'type': 'content_block_start', 'index': 0, 'content_block': block},
            'content_block_start',
        ),
    ]


def _piece(kind, text):
    if kind == 'openai':
        choice = {'index': 0, 'delta': {'content': text}, 'finish_reason': None}
        return _sse(
            {'id': 'c', 'object': 'chat.completion.chunk', 'created': 0, 'model': 'm',
             'choices': [choice]}
        )  # fmt: skip
    if kind == 'ollama':
        message = {'role': 'assistant', 'content': text}
        return json.dumps({'model': 'm', 'message': message, 'done': False}).encode() + b'\n'
    if kind == 'anthropic':
        delta = {'type': 'text_delta', 'text': text}
        return _sse(
            {'type': 'content_block_delta', 'index': 0, 'delta': delta}, 'content_block_delta'
        )
    return _sse({'candidates': [{'content': {'role': 'model', 'parts': [{'text': text}]}}]})


def _closing(kind, tokens):
    if kind == 'openai':
        usage = {
            'prompt_tokens': 11, 'completion_tokens': tokens, 'total_tokens': 11 + tokens,
            'prompt_tokens_details': {'cached_tokens': 5},
        }  # fmt: skip
        done = [{'index': 0, 'delta': {}, 'finish_reason': 'stop'}]
        base = {'id': 'c', 'object': 'chat.completion.chunk', 'created': 0, 'model': 'm'}
        return [
            _sse({**base, 'choices': done}),
            _sse({**base, 'choices': [], 'usage': usage}),
            b'data: [DONE]\n\n',
        ]
    if kind == 'ollama':
        done = {
            'model': 'm', 'message': {'role': 'assistant', 'content': ''}, 'done': True,
            'done_reason': 'stop', 'prompt_eval_count': 11, 'eval_count': tokens,
        }  # fmt: skip
        return [json.dumps(done).encode() + b'\n']
    if kind == 'anthropic':
        delta = {'stop_reason': 'end_turn', 'stop_sequence': None}
        return [
            _sse({'type': 'content_block_stop', 'index': 0}, 'content_block_stop'),
            _sse(
                {'type': 'message_delta', 'delta': delta, 'usage': {'output_tokens': tokens}},
                'message_delta',
            ),
            _sse({'type': 'message_stop'}, 'message_stop'),
        ]
    usage = {
        'promptTokenCount': 11, 'candidatesTokenCount': tokens, 'cachedContentTokenCount': 5,
    }  # fmt: skip
    content = {'role': 'model', 'parts': [{'text': ''}]}
    return [
        _sse({'candidates': [{'content': content, 'finishReason': 'STOP'}], 'usageMetadata': usage})
    ]


@pytest.fixture
def serve(monkeypatch):
    """Starts a FakeLlmServer of a kind with its scripts; keys for all kinds are set."""
    for name in ('OPENAI', 'ANTHROPIC', 'GEMINI'):
        monkeypatch.setenv(f'{name}_API_KEY', 'scripted')
    servers = []

    def start(kind, *scripts):
        servers.append(FakeLlmServer(kind, *scripts))
        return servers[-1]

    start.HANG, start.CLOSE, start.END, start.Status = HANG, CLOSE, END, Status
    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def wait_for():
    """Waits for a condition and returns its first true value; fails after some seconds."""

    def wait(condition, timeout=120.0):  # of a machine that does much else beside
        end = time.monotonic() + timeout
        while not (value := condition()):
            assert time.monotonic() < end, 'it never came true'
            time.sleep(0.005)
        return value

    return wait


class Listener:
    """What a front-end would know: the oracle so far, and what happened."""

    def __init__(self):
        self.chunks, self.events, self.actions, self.stopped, self.turns = [], [], [], [], []
        self.text, self.ended = '', False

    def on_chunk(self, chunk):
        self.chunks.append(chunk)
        if chunk.kind.name in ('BEGIN', 'CLEAR'):
            self.text, self.ended = '', False
        self.text += chunk.text
        self.ended = self.ended or chunk.kind.name == 'END'

    def kinds(self):
        return [event.kind.name for event in self.events]

    def whys(self, kind):
        return [e.text for e in self.events if e.kind.name == kind]


@pytest.fixture
def oracle(wait_for):
    """Starts an OracleRunner with settings; its listener is `runner.heard`."""
    from kame_ros.oracle.config import OracleConfig
    from kame_ros.oracle.policy.config import PolicyConfig
    from kame_ros.oracle.runner import OracleRunner
    from kame_ros.wire.transcript import Transcript

    runners = []

    # An SDK takes its time to be imported and to connect, on a busy machine seconds.
    patient = PolicyConfig(first_token_s=200.0, stall_s=200.0, total_s=600.0)

    def start(*backends, **settings):
        heard = Listener()
        settings.setdefault('policy', patient)
        runner = OracleRunner(
            OracleConfig(backends, **settings),
            clock=time.monotonic,
            on_chunk=heard.on_chunk,
            on_event=heard.events.append,
            on_action=heard.actions.append,
            on_action_cancelled=heard.stopped.append,
            on_turn=heard.turns.append,
        )
        runner.heard = heard
        runner.said = lambda: wait_for(lambda: heard.ended and heard.text)
        runners.append(runner)
        return runner

    def say(runner, text, utterance=0, revision=0, final=True, committed=None):
        length = len(text) if final or committed is None else committed
        now = time.monotonic()
        runner.submit(Transcript(utterance, revision, text, length, final, now, now))

    start.say = say
    yield start
    for runner in runners:
        assert runner.close(), 'the runner hangs'
    names = [thread.name for thread in threading.enumerate()]
    assert not [name for name in names if name.startswith(('oracle', 'llama'))]
