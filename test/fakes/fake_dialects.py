"""Fakes of servers that speak OpenAI's protocol, each with the oddities of one real server."""

import json
import os
import socket
import struct
import threading
import zlib
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

DONE = b'data: [DONE]\n\n'
WAIT = object()  # waits until the test lets the server go on
RESET = object()  # the connection is reset, as by a server that died
CALL = ('lamp', {'on': True, 'level': 2})


def sse(value, before=b''):
    """One event."""
    return before + b'data: ' + json.dumps(value).encode() + b'\n\n'


def refusal(status, message, **more):
    """What a server answers that does not take a request."""
    return status, {'error': {'message': message, **more}}


@dataclass
class Dialect:
    """How one server talks; `path` is where its chat completions are."""

    name: str
    path: str = '/v1/chat/completions'
    refuses: dict = field(default_factory=dict)  # field: (status, body)
    opening: bytes = b''
    done: bytes = DONE
    extra: dict = field(default_factory=dict)  # in every chunk
    usage: str = 'chunk'  # where usage stands: in a chunk of its own, the last one, x_groq, nowhere
    transient: bytes = sse(
        {'error': {'message': 'The server had an error', 'type': 'server_error'}}
    )
    final: bytes = sse({'error': {'message': 'Incorrect API key', 'code': 'invalid_api_key'}})
    says_no: str = 'refusal'  # in a field, as 'content', or by 'filter' and nothing said
    no_page: tuple = (404, {'detail': 'Not Found'})  # at all other paths
    calls_whole: bool = False  # a tool call comes in one piece, without an index

    @property
    def base(self):
        """The address that people give."""
        return self.path.removesuffix('/chat/completions')

    def chunk(self, delta, finish=None, **more):
        """One chunk of an answer."""
        choice = {'index': 0, 'delta': delta, 'finish_reason': finish}
        head = {'id': 'c', 'object': 'chat.completion.chunk', 'created': 0, 'model': 'm'}
        return sse({**head, **self.extra, 'choices': [choice], **more})

    def pieces(self, *texts):
        """A chunk for each text."""
        return [self.chunk({'content': text}) for text in texts]

    def end(self, finish='stop', tokens=3):
        """What comes after the last text."""
        usage = {'prompt_tokens': 11, 'completion_tokens': tokens, 'total_tokens': 11 + tokens}
        if self.usage == 'last':
            return [self.chunk({}, finish, usage=usage), self.done]
        if self.usage == 'x_groq':
            return [self.chunk({}, finish, x_groq={'id': 'r', 'usage': usage}), self.done]
        own = [sse({'id': 'c', 'choices': [], 'usage': usage})] if self.usage == 'chunk' else []
        return [self.chunk({}, finish, usage=None), *own, self.done]

    def tool_call(self):
        """The chunks of one."""
        name, arguments = CALL
        text = json.dumps(arguments)
        if self.calls_whole:
            call = {'id': 'x', 'function': {'name': name, 'arguments': text}}
            return [self.chunk({'content': None, 'tool_calls': [call]})]
        parts = [
            {
                'index': 0,
                'id': 'x',
                'type': 'function',
                'function': {'name': name, 'arguments': ''},
            },
            *({'index': 0, 'function': {'arguments': t}} for t in (text[:7], text[7:])),
        ]
        return [self.chunk({'tool_calls': [part]}) for part in parts]

    def refused(self):
        """A model that does not want to."""
        match self.says_no:
            case 'refusal':
                return [self.chunk({'refusal': t}) for t in ("I can't ", 'do that.')]
            case 'content':
                return self.pieces("I can't ", 'do that.')
        return [self.chunk({'content': ''})]


DIALECTS = [
    Dialect(
        'openai',
        refuses={
            'temperature': refusal(
                400,
                "Unsupported value: 'temperature' does not support 0 with this model.",
                param='temperature',
                code='unsupported_value',
            ),
            'max_tokens': refusal(
                400,
                "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
                "'max_completion_tokens' instead.",
                param='max_tokens',
                code='unsupported_parameter',
            ),
        },
    ),
    Dialect(
        'azure',
        path='/openai/v1/chat/completions',
        opening=sse({'id': '', 'object': '', 'choices': [], 'prompt_filter_results': []}),
        refuses={
            'stream_options': refusal(400, 'Unknown parameter: stream_options', param=None),
        },
        usage='none',
        transient=sse({'error': {'code': '429', 'message': 'Requests exceeded call rate limit'}}),
        final=sse({'error': {'code': 'context_length_exceeded', 'message': 'too long'}}),
        says_no='filter',
    ),
    Dialect(
        'vllm',
        refuses={
            'reasoning_effort': (
                400,
                {
                    'object': 'error',
                    'message': "[{'type': 'extra_forbidden', 'loc': ('body', 'reasoning_effort'), "
                    "'msg': 'Extra inputs are not permitted'}]",
                    'type': 'BadRequestError',
                    'param': None,
                    'code': 400,
                },
            ),
        },
        opening=sse({'id': 'c', 'choices': [{'index': 0, 'delta': {'role': 'assistant'}}]}),
        transient=sse(
            {'error': {'message': 'EngineCore', 'type': 'InternalServerError', 'code': 500}}
        ),
        final=sse(
            {
                'object': 'error',
                'message': "This model's maximum context length is 2048 tokens.",
                'type': 'BadRequestError',
                'code': 400,
            }
        ),
        says_no='content',
    ),
    Dialect(
        'llama.cpp',
        extra={'timings': {'cache_n': 5}},
        transient=b'error: {"code":500,"message":"slot was lost","type":"server_error"}\n\n',
        final=b'error: {"code":400,"message":"the request exceeds the available context size",'
        b'"type":"exceed_context_size_error"}\n\n',
        says_no='content',
    ),
    Dialect(
        'lm-studio',
        refuses={'stream_options': (400, {'error': "Unrecognized key(s): 'stream_options'"})},
        usage='none',
        transient=sse({'error': {'message': 'Model is busy'}}, b'event: error\n'),
        final=sse({'error': "No model 'm' is loaded: unknown model"}, b'event: error\n'),
        says_no='content',
    ),
    Dialect(
        'ollama-v1',
        transient=sse(
            {
                'error': {
                    'message': 'an error was encountered while running the model: unexpected EOF',
                    'type': 'api_error',
                    'param': None,
                    'code': None,
                }
            }
        ),
        final=sse({'error': {'message': "model 'm' not found, try pulling it first"}}),
        says_no='content',
        calls_whole=True,
    ),
    Dialect(
        'mistral',
        refuses={
            'stream_options': (
                422,
                {
                    'object': 'error',
                    'message': {
                        'detail': [
                            {
                                'type': 'extra_forbidden',
                                'loc': ['body', 'stream_options'],
                                'msg': 'Extra inputs are not permitted',
                            }
                        ]
                    },
                    'type': 'invalid_request_error',
                },
            ),
            'seed': (422, {'detail': [{'loc': ['body', 'seed'], 'msg': 'Extra inputs'}]}),
        },
        usage='last',
        transient=sse(
            {
                'object': 'error',
                'message': 'Service tier capacity exceeded for this model.',
                'type': 'service_tier_capacity_exceeded',
                'code': '3505',
            }
        ),
        final=sse({'object': 'error', 'message': 'Unauthorized', 'type': 'unauthorized'}),
        says_no='content',
        calls_whole=True,
    ),
    Dialect(
        'groq',
        path='/openai/v1/chat/completions',
        usage='x_groq',
        transient=sse(
            {
                'error': {
                    'message': 'm is currently over capacity. Please try again',
                    'type': 'internal_server_error',
                    'status_code': 503,
                }
            },
            b'event: error\n',
        ),
        final=sse({'error': {'message': 'Invalid API Key', 'code': 'invalid_api_key'}}),
        says_no='content',
    ),
    Dialect(
        'openrouter',
        path='/api/v1/chat/completions',
        opening=b': OPENROUTER PROCESSING\n\n: OPENROUTER PROCESSING\n\n',
        usage='last',
        extra={'provider': 'P'},
        transient=sse(
            {
                'id': 'c',
                'error': {'code': 502, 'message': 'Provider disconnected'},
                'choices': [{'index': 0, 'delta': {'content': ''}, 'finish_reason': 'error'}],
            }
        ),
        final=sse({'error': {'code': 402, 'message': 'Insufficient credits'}, 'choices': []}),
    ),
    Dialect(
        'gemini-compatible',
        path='/v1beta/openai/chat/completions',
        refuses={
            'seed': (
                400,
                [
                    {
                        'error': {
                            'code': 400,
                            'message': 'Invalid JSON payload received. Unknown name "seed": '
                            'Cannot find field.',
                            'status': 'INVALID_ARGUMENT',
                        }
                    }
                ],
            ),
        },
        usage='last',
        transient=sse(
            [
                {
                    'error': {
                        'code': 503,
                        'message': 'The model is overloaded.',
                        'status': 'UNAVAILABLE',
                    }
                }
            ]
        ),
        final=sse([{'error': {'code': 403, 'message': 'no', 'status': 'PERMISSION_DENIED'}}]),
        says_no='filter',
        calls_whole=True,
    ),
    Dialect(
        'strict-pydantic',  # as many small servers built on FastAPI
        refuses={
            name: (422, {'detail': [{'loc': ['body', name], 'msg': 'extra fields not permitted'}]})
            for name in ('stream_options', 'temperature', 'seed', 'reasoning_effort')
        },
        usage='none',
        done=b'',
        says_no='content',
    ),
]


class FakeDialectServer:
    """Answers with `script`, a list of bytes, WAIT and RESET, in HTTP/1.1 chunks; keeps requests.

    `headers` of the answer come on top of the usual ones. `reply`, if there is one, is the answer
    to whatever is asked: status, headers and body. `zipped`: with gzip, each step sent on at once.
    """

    def __init__(self, dialect, host='127.0.0.1', tls=None):
        self.dialect, self.script = dialect, []
        self.headers, self.reply, self.zipped = {}, None, False
        self.requests, self.keys, self.paths = [], [], []
        self.go_on = threading.Event()
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'

            def do_POST(self):
                fake.answer(self)

            def log_message(self, *args):
                pass

        class Server(ThreadingHTTPServer):
            address_family = socket.AF_INET6 if ':' in host else socket.AF_INET

        self._server = Server((host, 0), Handler)
        if tls:
            self._server.socket = tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # a client that leaves is no news
        place = f'[{host}]' if ':' in host else host
        self.root = f'http{"s" if tls else ""}://{place}:{self._server.server_port}'
        self.url = self.root + dialect.base
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def stop(self):
        self.go_on.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, handler):
        body = json.loads(handler.rfile.read(int(handler.headers['content-length'])))
        self.paths.append(handler.path)
        if self.reply:
            status, headers, text = self.reply
            handler.send_response(status)
            for name, value in {'content-length': str(len(text)), **headers}.items():
                handler.send_header(name, value)
            handler.end_headers()
            handler.wfile.write(text)
            return None
        if handler.path != self.dialect.path:
            return self._refuse(handler, *self.dialect.no_page)
        self.requests.append(body)
        self.keys.append(handler.headers.get('authorization'))
        for name, (status, error) in self.dialect.refuses.items():
            if name in body:
                return self._refuse(handler, status, error)
        handler.send_response(200)
        usual = {'content-type': 'text/event-stream; charset=utf-8', 'transfer-encoding': 'chunked'}
        zipped = {'content-encoding': 'gzip'} if self.zipped else {}
        for name, value in {**usual, **zipped, **self.headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        gzip = zlib.compressobj(wbits=31)
        for step in [self.dialect.opening, *self.script]:
            if step is WAIT:
                assert self.go_on.wait(20)
            elif step is RESET:
                return self._reset(handler.connection)
            elif step:
                if self.zipped:
                    step = gzip.compress(step) + gzip.flush(zlib.Z_SYNC_FLUSH)
                handler.wfile.write(b'%x\r\n%s\r\n' % (len(step), step))
        handler.wfile.write(b'0\r\n\r\n')
        return None

    @staticmethod
    def _reset(connection):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        os.close(connection.detach())

    @staticmethod
    def _refuse(handler, status, error):
        html = isinstance(error, str)
        text = error.encode() if html else json.dumps(error).encode()
        handler.send_response(status)
        handler.send_header('content-type', 'text/html' if html else 'application/json')
        handler.send_header('content-length', str(len(text)))
        handler.end_headers()
        handler.wfile.write(text)
