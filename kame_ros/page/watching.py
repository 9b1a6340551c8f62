"""The sockets of the pages that are open: what each is told, and what it asks for."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.frames import CloseCode

from kame_ros.conversation.conversation import Conversation
from kame_ros.page.desk import Desk
from kame_ros.page.outbox import Outbox, send_all
from kame_ros.realtime.refusal import Refused, read_json
from kame_ros.wire.health import Health

MOST_PAGES = 8
_SHOW_S = 0.125  # how often pages are told what is new
_BOUND = 100  # messages to a page, 12 s
_LARGEST = 16_384  # characters of an order
_ORDERS = 4  # of a page that are worked on at once
_TURNS = 20  # that a page is told when it opens


class Watching:
    """Tells the pages what passes, eight times a second, as long as there are any.

    `drain` brings what came from other threads into the conversation; `audience` is told of each
    page that comes or goes.
    """

    def __init__(
        self,
        desk: Desk,
        clock: Callable[[], float],
        count: Counter[str],
        drain: Callable[[], None],
        audience: Callable[[], None],
        tell_error: Callable[[Exception, str], None],
    ) -> None:
        self.conversation = Conversation()
        self._desk, self._clock, self._count = desk, clock, count
        self._drain, self._audience, self._tell_error = drain, audience, tell_error
        self._boxes: dict[ServerConnection, Outbox] = {}
        self._shown = 0  # the number of the last happening that pages were told
        self._health_shown: dict[str, Health] = {}
        self._state: dict[str, Any] = {'session': False}
        self._showing: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._boxes)

    async def watch(self, connection: ServerConnection) -> None:
        """Serves one page until it is closed."""
        if len(self._boxes) >= MOST_PAGES:
            self._count['refused_full'] += 1
            await connection.close(
                CloseCode.TRY_AGAIN_LATER, f'{MOST_PAGES} pages are open already'
            )
            return
        box = Outbox(_BOUND)
        self._count['pages_opened'] += 1
        self._drain()
        self._boxes[connection] = box
        self._audience()
        box.put(self._all())
        if self._showing is None or self._showing.done():
            self._showing = asyncio.ensure_future(self._show())
        sending = asyncio.ensure_future(send_all(connection, box, self._count, 'pages_cut'))
        working: set[asyncio.Task[None]] = set()
        try:
            async for message in connection:
                if len(message) > _LARGEST or len(working) >= _ORDERS:
                    self._count['orders_refused'] += 1
                    box.put(_json(kind='done', ok=False, text='too much at once'))
                    continue
                task = asyncio.ensure_future(self._obey(message, box))
                working.add(task)
                task.add_done_callback(working.discard)
        finally:
            sending.cancel()
            self._boxes.pop(connection, None)
            self._audience()

    async def _obey(self, message: str | bytes, box: Outbox) -> None:
        self._count['orders'] += 1
        told: dict[str, Any] = {'kind': 'done'}
        try:
            order = read_json(message)
            if not isinstance(order, dict):
                raise Refused('an order is an object')
            told |= {'do': order.get('do'), 'id': order.get('id')}
            told |= {'ok': True, **await self._desk.order(order)}
        except (Refused, ValueError, RecursionError) as error:
            self._count['orders_refused'] += 1
            told |= {'ok': False, 'text': str(error)}
        except Exception as error:
            self._tell_error(error, f'the order {told.get("do")}')
            told |= {'ok': False, 'text': 'this failed: see the log'}
        box.put(_json(**told))

    def _all(self) -> str:
        """All that a page must know when it opens."""
        conversation = self.conversation
        conversation.tick(self._clock())
        return _json(
            kind='all',
            about=self._desk.about(),
            state=self._state,
            health={name: _health(health) for name, health in conversation.health.items()},
            **self._levels(),
            happenings=[each.as_dict() for each in conversation.happenings],
            turns=[
                {
                    'number': turn.number,
                    'heard': turn.heard,
                    'settled': turn.settled,
                    'said': turn.said,
                    'latency': turn.latency,
                    'barge_in': turn.barge_in is not None,
                }
                for turn in list(conversation.turns)[-_TURNS:]
            ],
        )

    def _levels(self) -> dict[str, Any]:
        conversation = self.conversation
        return {
            't': round(conversation.now, 3),
            'heard': round(conversation.heard.dbfs, 1),
            'played': round(conversation.played.dbfs, 1),
        }

    async def _show(self) -> None:
        """Tells all pages what is new, as long as there are any."""
        while self._boxes:
            await asyncio.sleep(_SHOW_S)
            try:
                self._tell_news()
            except Exception as error:  # of one thing that happened: the next is shown again
                self._tell_error(error, 'showing')

    def _tell_news(self) -> None:
        self._drain()
        conversation = self.conversation
        conversation.tick(self._clock())
        new = conversation.since(self._shown)
        self._shown = new[-1].number if new else self._shown
        told: dict[str, Any] = {'kind': 'now', **self._levels()}
        if new:
            told['happenings'] = [each.as_dict() for each in new]
        changed = {
            name: health
            for name, health in conversation.health.items()
            if self._health_shown.get(name) is not health
        }
        if changed:
            self._health_shown.update(changed)
            told['health'] = {name: _health(health) for name, health in changed.items()}
        self._tell(_json(**told))

    def tell_state(self, **state: Any) -> None:
        """A state that pages show has changed."""
        self._state.update(state)
        self._tell(_json(kind='state', state=state))

    def _tell(self, text: str) -> None:
        for box in self._boxes.values():
            box.put(text)


def _health(health: Health) -> dict[str, Any]:
    return {
        'state': health.state,
        'level': health.level,
        'message': health.message,
        'values': health.values or {},
    }


def _json(**told: Any) -> str:
    return json.dumps(told, ensure_ascii=False, separators=(',', ':'))
