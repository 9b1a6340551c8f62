"""The server: the page's files, a socket for each open page, and the socket of the one who talks.

It lives in a thread of its own with an event loop; `tell` is called by others. While nobody looks
and nobody talks it does nothing: the desk is told who is there, and listens no longer than that.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from kame_ros.page.access import Access, told_token
from kame_ros.page.answering_connection import AnsweringConnection
from kame_ros.page.desk import Desk
from kame_ros.page.files import page_files
from kame_ros.page.request_head import Refusal
from kame_ros.page.talking import Talking
from kame_ros.page.watching import Watching
from kame_ros.realtime.session import RealtimeSession
from kame_ros.runtime.inbox import Inbox

REALTIME, WATCH = '/v1/realtime', '/watch'
_MOST_SOCKETS = 32
_INBOX = 2_000
_LARGEST = 15 << 20  # bytes of a message, as the protocol has it
_POLL_S = 0.5
_FOR_SESSION = frozenset(name for name in vars(RealtimeSession) if name.startswith('on_'))
_COUNTERS = (
    'pages_opened',
    'sessions_opened',
    'refused_tokens',
    'refused_origins',
    'refused_hosts',
    'refused_full',
    'refused_requests',
    'sockets_failed',
    'pages_cut',
    'sessions_cut',
    'orders',
    'orders_refused',
    'session_events',
    'session_errors',
)


class PageServer:
    """See the module. `clock` gives the audio clock's time in seconds."""

    def __init__(
        self,
        access: Access,
        desk: Desk,
        clock: Callable[[], float],
        tell_error: Callable[[Exception, str], None],
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._access, self._desk, self._tls = access, desk, tls
        self._tell_error = tell_error
        self._files = page_files()
        self._inbox: Inbox[tuple[str, tuple[Any, ...]]] = Inbox(_INBOX)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken = False
        self._roles: dict[ServerConnection, str] = {}
        self._count: Counter[str] = Counter()
        self._pages = Watching(
            desk, clock, self._count, self._drain, self._tell_audience, self._failed
        )
        self._talk = Talking(desk, clock, self._count, self._drain, self._session_changed)

    # -- of other threads -------------------------------------------------------------------

    def tell(self, method: str, *told: Any) -> None:
        """Something passed on a topic: `method` is the one of a consumer that it is for."""
        self._inbox.put((method, told))
        if self._talk.session is not None and method in _FOR_SESSION:
            self._wake()

    def show(self, **state: Any) -> None:
        """States that pages show: `muted`, `talk`."""
        self._inbox.put(('state', (state,)))
        self._wake()

    def _wake(self) -> None:
        loop = self._loop
        if loop is None or self._woken:
            return
        self._woken = True
        try:
            loop.call_soon_threadsafe(self._drain)
        except RuntimeError:  # the loop has just ended
            self._woken = False

    def counters(self) -> dict[str, float]:
        """Running totals for diagnostics."""
        session = self._talk.session
        return {
            'pages': len(self._pages),
            'sessions': int(session is not None),
            **{name: float(self._count[name]) for name in _COUNTERS},
            'sound_waiting_s': round(session.audio.waiting_s, 2) if session else 0.0,
            'sound_refused_bytes': session.audio.refused_bytes if session else 0.0,
            **self._inbox.counters('page'),
        }

    # -- the loop ---------------------------------------------------------------------------

    async def run(self, listening: socket.socket, stopped: Callable[[], bool]) -> None:
        """Serves until it is stopped, and hangs up on all who are there."""
        connect = partial(AnsweringConnection, self._refuse_request)
        server = await serve(
            self._handle,
            sock=listening,
            ssl=self._tls,
            process_request=self._admit,
            create_connection=cast('type[ServerConnection]', connect),  # what makes one will do
            select_subprotocol=self._subprotocol,
            compression=None,
            max_size=_LARGEST,
            max_queue=4,
            write_limit=65_536,
            open_timeout=10.0,
            ping_interval=20.0,
            ping_timeout=20.0,
            close_timeout=1.0,
            server_header=None,
            logger=_quiet(),
        )
        self._loop = asyncio.get_running_loop()
        try:
            while not stopped():
                await asyncio.sleep(_POLL_S)
        finally:
            self._loop = None
            await _close(server)

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        """Answers a request for a file, and refuses who may not connect."""
        headers = request.headers
        host = headers.get('Host', '')
        if problem := self._access.host_problem(host):
            return self._refuse('refused_hosts', HTTPStatus.FORBIDDEN, problem)
        path = urlsplit(request.path).path
        if path not in (REALTIME, WATCH):
            return self._file(path, host)
        if 'websocket' not in headers.get('Upgrade', '').lower():
            problem = f'{path} is a WebSocket: connect with ws:// and the token'
            response = _response(HTTPStatus.UPGRADE_REQUIRED, 'text/plain', problem.encode())
            response.headers['Upgrade'] = 'websocket'
            return response
        if problem := self._access.origin_problem(headers.get('Origin'), host):
            return self._refuse('refused_origins', HTTPStatus.FORBIDDEN, problem)
        if problem := self._access.token_problem(told_token(request.path, headers)):
            return self._refuse('refused_tokens', HTTPStatus.UNAUTHORIZED, problem)
        if len(self._roles) >= _MOST_SOCKETS:
            problem = f'{_MOST_SOCKETS} sockets are open already'
            return self._refuse('refused_full', HTTPStatus.SERVICE_UNAVAILABLE, problem)
        return None

    def _file(self, path: str, host: str) -> Response:
        kind, content = self._files.get(path, ('', b''))
        if not kind:
            return _response(HTTPStatus.NOT_FOUND, 'text/plain', b'there is no such page here')
        sockets = f"connect-src 'self' ws://{host} wss://{host}"
        return _response(HTTPStatus.OK, kind, content, sockets)

    def _refuse(self, counter: str, status: HTTPStatus, problem: str) -> Response:
        self._count[counter] += 1
        return _response(status, 'text/plain; charset=utf-8', f'{problem}\n'.encode())

    def _refuse_request(self, refusal: Refusal) -> Response:
        response = self._refuse('refused_requests', refusal.status, refusal.problem)
        if refusal.allow:
            response.headers['Allow'] = refusal.allow
        if refusal.of_head:
            response.body = b''
        return response

    @staticmethod
    def _subprotocol(
        connection: ServerConnection, names: Sequence[Subprotocol]
    ) -> Subprotocol | None:
        """The first that is no token: a browser wants one of those that it offered."""
        plain = [name for name in names if '.' not in name]
        return plain[0] if plain else None

    async def _handle(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        path = urlsplit(connection.request.path).path
        self._roles[connection] = path
        try:
            if path == REALTIME:
                await self._talk.talk(connection)
            else:
                await self._pages.watch(connection)
        except ConnectionClosed:
            pass
        except Exception as error:  # what one socket does harms no other
            self._failed(error, path)
        finally:
            self._roles.pop(connection, None)

    # -- what passes ------------------------------------------------------------------------

    def _drain(self) -> None:
        """What came from other threads goes to the model, and to the session."""
        self._woken = False
        for method, told in self._inbox.drain():
            if method == 'state':
                self._pages.tell_state(**told[0])
                continue
            for listener in (self._talk.session, self._pages.conversation if self._pages else None):
                hear = getattr(listener, method, None)
                if hear is None:
                    continue
                try:
                    hear(*told)
                except Exception as error:
                    self._failed(error, method)

    def _session_changed(self) -> None:
        self._tell_audience()
        self._pages.tell_state(session=self._talk.session is not None)

    def _tell_audience(self) -> None:
        self._desk.audience(len(self._pages), self._talk.session is not None)

    def _failed(self, error: Exception, where: str) -> None:
        self._count['sockets_failed'] += 1
        self._tell_error(error, where)


def _quiet() -> logging.Logger:
    """What strangers send is no matter for a log: some versions write a traceback for each."""
    logger = logging.Logger('kame_ros.page')
    logger.addHandler(logging.NullHandler())
    return logger


def _response(status: HTTPStatus, kind: str, content: bytes, policy: str = '') -> Response:
    rules = (
        "default-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'none'",
        *filter(None, (policy,)),
    )
    headers = Headers(
        {
            'Content-Type': kind,
            'Content-Length': str(len(content)),
            'Connection': 'close',
            'Cache-Control': 'no-cache',
            'Content-Security-Policy': '; '.join(rules),
            'Referrer-Policy': 'no-referrer',
            'X-Content-Type-Options': 'nosniff',
        }
    )
    return Response(status.value, status.phrase, headers, content)


async def _close(server: Server) -> None:
    server.close(close_connections=True)
    try:
        await asyncio.wait_for(server.wait_closed(), 3.0)
    except asyncio.TimeoutError:  # one that does not even hang up
        return
