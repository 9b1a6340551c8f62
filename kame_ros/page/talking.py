"""The socket of the one who talks with the robot: one at a time."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections import Counter
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import ServerConnection
from websockets.datastructures import Headers
from websockets.frames import CloseCode
from websockets.http11 import Request

from kame_ros.page.access import offered
from kame_ros.page.desk import Desk
from kame_ros.page.outbox import Outbox, send_all
from kame_ros.realtime.dialect import DIALECTS, Ga, SessionState
from kame_ros.realtime.refusal import Refused, error_event
from kame_ros.realtime.session import RealtimeSession

_PACE_S = 0.08  # how often it is looked whether sound is due that did not just come
_BOUND = 2_000  # events to a client
_CHARACTERS = 64_000_000  # in all of them
_ERRORS = 200  # of a client, after which it is sent away


class Talking:
    """Binds a socket to a session of the protocol; `changed` is told when one begins or ends."""

    def __init__(
        self,
        desk: Desk,
        clock: Callable[[], float],
        count: Counter[str],
        drain: Callable[[], None],
        changed: Callable[[], None],
    ) -> None:
        self.session: RealtimeSession | None = None
        self._taken = False  # also while a session is about to begin
        self._desk, self._clock, self._count = desk, clock, count
        self._drain, self._changed = drain, changed

    async def talk(self, connection: ServerConnection) -> None:
        """Serves one client until it is gone, or says why it cannot be served."""
        request = connection.request
        assert request is not None
        dialect = DIALECTS['beta' if _is_beta(request.headers) else 'ga']
        problem = self._desk.talk_problem()
        if not problem and self._taken:
            problem = 'somebody talks with this robot already: one at a time'
        if problem:
            self._count['refused_full'] += 1
            refused = Refused(problem, code='session_unavailable')
            await connection.send(json.dumps({'event_id': 'event_0', **error_event(refused, None)}))
            await connection.close(CloseCode.TRY_AGAIN_LATER, _short(problem))
            return
        self._taken = True
        try:
            await self._serve(connection, request, dialect)
        finally:
            self._taken = False

    async def _serve(self, connection: ServerConnection, request: Request, dialect: Ga) -> None:
        box = Outbox(_BOUND, _CHARACTERS)
        model, voice, persona = await self._desk.begun()
        state = SessionState(
            f'sess_{secrets.token_hex(8)}',
            parse_qs(urlsplit(request.path).query).get('model', [model])[0][:100] or model,
            persona,
            voice,
        )
        self._count['sessions_opened'] += 1
        self._drain()  # what came before is not of the session

        def send(event: dict[str, Any]) -> None:
            box.put(json.dumps(event, ensure_ascii=False))

        session = RealtimeSession(self._clock(), state, dialect, self._desk.robot(), send)
        self.session = session
        self._changed()
        tasks = [
            asyncio.ensure_future(send_all(connection, box, self._count, 'sessions_cut')),
            asyncio.ensure_future(self._pace(session)),
        ]
        try:
            async for message in connection:
                if isinstance(message, bytes):
                    session.on_binary()
                else:
                    session.on_client(self._clock(), message)
                self._hear(session)
                if session.refused > _ERRORS:
                    await connection.close(CloseCode.POLICY_VIOLATION, 'too many errors')
        finally:
            self._count['session_events'] += session.received
            self._count['session_errors'] += session.refused
            self.session = None
            for task in tasks:
                task.cancel()
            session.close()
            self._changed()
            self._desk.ended()

    async def _pace(self, session: RealtimeSession) -> None:
        while True:
            self._hear(session)
            await asyncio.sleep(_PACE_S)

    def _hear(self, session: RealtimeSession) -> None:
        for frame in session.audio.take(self._clock()):
            self._desk.hear(frame)


def _short(reason: str) -> str:
    """As much of a reason as fits in a close frame."""
    return reason.encode()[:120].decode('utf-8', 'ignore')


def _is_beta(headers: Headers) -> bool:
    told = headers.get('OpenAI-Beta', '') == 'realtime=v1'
    return told or 'openai-beta.realtime-v1' in offered(headers)
