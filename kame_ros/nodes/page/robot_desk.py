"""What pages and talkers ask of the robot, done through its topics, services and parameters."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from std_msgs.msg import String
from std_srvs.srv import SetBool, Trigger

import kame_ros.msg as msg
from kame_ros.nodes.common import convert, qos
from kame_ros.nodes.common.base import KameNode
from kame_ros.nodes.page.asking import Asking
from kame_ros.nodes.page.refit import CAPTURE, PLAYBACK, refit
from kame_ros.nodes.robot.say_server import cannot_be_said
from kame_ros.oracle.conversation.facts import why_no_fact
from kame_ros.realtime.refusal import Refused
from kame_ros.wire.frame import Frame
from kame_ros.wire.oracle import whole

SOURCE = 'page'
_PRIORITY = 10
_LONGEST = 2_000  # characters of what somebody writes
_LONGEST_FACT = 220
_SETTINGS = ('backend', 'persona', 'style')  # of the oracle, that a page may change
_MODEL, _VOICE = 'kame_ros', 'robot'


class RobotDesk:
    """Implements `kame_ros.page.desk.Desk` and the `Robot` of a session.

    `audience` is told who is there. `talks` says whether the ear listens to who talks through a
    socket.
    """

    def __init__(
        self,
        node: KameNode,
        talks: bool,
        audience: Callable[[int, bool], None],
        show: Callable[..., None],
    ) -> None:
        self.frames_heard = 0
        self.audience = audience
        self._node, self._talks, self._show = node, talks, show
        self._asking = asking = Asking(node)
        for name in ('interrupt', 'reset'):
            asking.know(Trigger, name)
        asking.know(SetBool, 'mute')
        for name in ('oracle', CAPTURE, PLAYBACK):
            asking.know_node(name)
        self._sound = node.offer(msg.AudioFrame, 'audio/in', qos.AUDIO_OFFER)
        self._typed = node.offer(String, 'typed', qos.TEXT)
        self._facts = node.offer(String, 'facts', qos.TEXT)
        self._oracle = node.offer(msg.OracleChunk, 'oracle', qos.TEXT)
        self._said = node.fresh_number()
        self._persona: str | None = None  # what it was before a session that changed it
        self._before: str | None = None
        self._notes = 0
        self._refitting = False
        self._tasks: set[asyncio.Task[None]] = set()

    # -- the desk of the pages --------------------------------------------------------------

    def about(self) -> dict[str, Any]:
        """See Desk."""
        return {
            'namespace': self._node.get_namespace(),
            'talks': self._talks,
            'backends': _backends(),
        }

    async def order(self, order: dict[str, Any]) -> dict[str, Any]:
        """See Desk."""
        what = order.get('do')
        if what in ('interrupt', 'reset'):
            answer = await self._asking.call(what, Trigger.Request())
            return _told(answer)
        if what == 'mute':
            answer = await self._asking.call('mute', SetBool.Request(data=order.get('on') is True))
            return _told(answer)
        if what == 'say':
            return {'text': self._say(_text(order, 'text', _LONGEST))}
        if what == 'ask':
            if problem := self.ask(_text(order, 'text', _LONGEST)):
                raise Refused(problem)
            return {'text': 'asked'}
        if what == 'fact':
            fact = _text(order, 'text', _LONGEST_FACT)
            if problem := why_no_fact(fact):
                raise Refused(problem)
            self._facts.publish(String(data=fact))
            return {'text': 'the robot knows it'}
        if what == 'settings':
            return {'text': '', 'values': await self._asking.get('oracle', *_SETTINGS)}
        if what == 'set' and order.get('name') in _SETTINGS and isinstance(order.get('value'), str):
            await self._asking.set('oracle', **{order['name']: order['value']})
            return {'text': f'{order["name"]} is changed, from the next answer on'}
        if what == 'devices':
            return {'text': '', **await asyncio.to_thread(_devices)}
        if what == 'ear':
            return {'text': await self._refit(order)}
        raise Refused(f'there is no order {str(what)[:40]!r}')

    def _say(self, text: str) -> str:
        if problem := cannot_be_said(text):
            raise Refused(problem)
        self._said += 1
        for chunk in whole(SOURCE, self._said, text, _PRIORITY):
            self._oracle.publish(convert.chunk_to_message(chunk, self._node.clock.now()))
        return 'the robot says it as soon as nobody speaks'

    async def _refit(self, order: dict[str, Any]) -> str:
        where = order.get('where')
        if where not in ('page', 'device'):
            raise Refused("the ear is 'page' or 'device'")
        if self._refitting:
            raise Refused('ear and mouth are being changed already')
        names = [str(order.get(name) or '')[:200] for name in ('microphone', 'loudspeaker')]
        self._refitting = True
        try:
            await refit(self._asking, where == 'page', *names)
        finally:
            self._refitting = False
        self._talks = where == 'page'
        self._show(talks=self._talks)
        return 'talk with the robot here' if self._talks else 'the robot hears by its sound card'

    # -- the desk of who talks --------------------------------------------------------------

    def talk_problem(self) -> str:
        """See Desk."""
        if self._talks:
            return ''
        return (
            'this robot hears by its sound card: start it with `kame up --page talk`, or choose '
            '"this page" as its ear on the page'
        )

    def robot(self) -> RobotDesk:
        """See Desk."""
        return self

    async def begun(self) -> tuple[str, str, str]:
        """See Desk."""
        try:
            values = await self._asking.get('oracle', 'backend', 'persona')
        except Refused:
            values = {}
        self._before, self._persona = values.get('persona'), None
        return str(values.get('backend') or _MODEL), _VOICE, self._before or ''

    def hear(self, frame: Frame) -> None:
        """See Desk."""
        heard = replace(frame, seq=self.frames_heard, source_seq=-1)
        self._sound.publish(convert.frame_to_message(heard, 'microphone'))
        self.frames_heard += 1

    def ended(self) -> None:
        """See Desk. Who the robot was before, it is again."""
        if self._persona is not None:
            self._start(self._change_persona(self._persona, lambda problem: None))
        self._before = self._persona = None

    def ask(self, text: str) -> str:
        """See Robot."""
        self._typed.publish(String(data=text))
        return ''

    def note(self, text: str) -> None:
        """See Robot."""
        self._notes = self._notes % 5 + 1
        self._facts.publish(String(data=f'note {self._notes}: {text[: _LONGEST_FACT - 20]}'))

    def be(self, persona: str, done: Callable[[str], None]) -> None:
        """See Robot."""
        self._persona = self._before
        self._start(self._change_persona(persona, done))

    async def _change_persona(self, persona: str, done: Callable[[str], None]) -> None:
        problem = ''
        try:
            await self._asking.set('oracle', persona=persona)
        except Refused as error:
            problem = str(error)
        done(problem)

    def interrupt(self) -> None:
        """See Robot."""

        async def ask() -> None:
            try:
                await self._asking.call('interrupt', Trigger.Request())
            except Refused as error:
                self._node.get_logger().warning(f'cannot interrupt: {error}')

        self._start(ask())

    def _start(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _told(answer: Any) -> dict[str, Any]:
    if not answer.success:
        raise Refused(answer.message)
    return {'text': answer.message}


def _text(order: dict[str, Any], name: str, longest: int) -> str:
    text = order.get(name)
    if not isinstance(text, str) or not text.strip():
        raise Refused('there is nothing in it')
    text = ' '.join(text.split())
    if len(text) > longest:
        raise Refused(f'{len(text)} characters are more than {longest}')
    return text


def _backends() -> list[str]:
    """Examples of LLMs, of the kinds whose clients are installed."""
    import importlib.util

    from kame_ros.oracle.llm import kinds

    found = []
    for name in kinds.names():
        try:
            kind = kinds.find(name)
            here = not kind.module or importlib.util.find_spec(kind.module) is not None
        except (ValueError, ImportError):
            continue
        if here:
            found.append(f'{name}:{kind.example}')
    return found


def _devices() -> dict[str, Any]:
    from kame_ros.audio.devices.devices import DeviceError, list_devices

    try:
        found = list_devices()
    except DeviceError as error:
        return {'microphones': [], 'loudspeakers': [], 'problem': str(error)}
    return {
        'microphones': [device.name for device in found if device.inputs],
        'loudspeakers': [device.name for device in found if device.outputs],
    }
