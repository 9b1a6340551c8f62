"""An oracle session on virtual time: whoever waits wakes at once, at the time they wait for."""

from __future__ import annotations

import asyncio

from scripted_llm import ScriptedClient

from kame_ros.oracle.config import OracleConfig
from kame_ros.oracle.conversation.session import OracleSession
from kame_ros.oracle.llm.backend import Backend
from kame_ros.oracle.outputs import Outputs
from kame_ros.wire.transcript import Transcript

_SETTLED = 60  # turns of the loop in which all that can go on has gone on
_TICK_S = 0.005


class VirtualOracle:
    """Belongs to one event loop. `now` is the time, in seconds; `log` what was told, and when.

    `answer(messages)` gives the pieces of the LLM: texts, numbers of seconds to wait, exceptions.
    """

    def __init__(self, monkeypatch, answer, **settings) -> None:
        self.now = 0.0
        self.chunks, self.log, self.actions, self.cancelled = [], [], [], []
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []
        self.client = ScriptedClient(lambda messages: map(self._piece, answer(messages)))
        monkeypatch.setattr(Backend, 'connect', lambda backend: self.client)
        monkeypatch.setattr(asyncio, 'to_thread', _at_once)
        outputs = Outputs(
            self.chunks.append,
            lambda event: self.log.append((round(self.now, 2), event.kind.name, event.text)),
            lambda request: self.actions.append((round(self.now, 2), request)),
            self.cancelled.append,
        )
        settings.setdefault('backends', (Backend('ollama', 'scripted', slots=3),))
        self.session = OracleSession(OracleConfig(**settings), lambda: self.now, outputs, _nothing)

    def hear(self, text, final=True, utterance=0, revision=0, end=None) -> None:
        end = self.now if end is None else end
        self.session.hear(Transcript(utterance, revision, text, len(text), final, end - 1.0, end))

    async def wait(self, seconds: float) -> None:
        """So much time passes."""
        end = self.now + seconds
        while True:
            for _ in range(_SETTLED):
                await asyncio.sleep(0)
            times = [t for t, _ in self._sleepers]
            if (deadline := self.session.next_deadline()) is not None:
                times.append(max(deadline, self.now + _TICK_S))
            if not times or min(times) > end:
                break
            self.now = max(self.now, min(times))
            for t, sleeper in self._sleepers:
                if t <= self.now and not sleeper.done():
                    sleeper.set_result(None)
            self._sleepers = [(t, sleeper) for t, sleeper in self._sleepers if t > self.now]
            if deadline is not None and deadline <= self.now:
                self.session.tick()
        self.now = end

    @property
    def said(self) -> str:
        """What was given to the front-end to say: all texts, an answer in each line."""
        lines: list[str] = []
        for chunk in self.chunks:
            if chunk.kind.name == 'BEGIN':
                lines.append('')
            elif chunk.kind.name == 'TEXT':
                lines[-1] += chunk.text
        return '\n'.join(line.strip() for line in lines)

    def times(self, kind: str) -> list[float]:
        """When such an event was told."""
        return [t for t, name, _ in self.log if name == kind]

    def _piece(self, piece):
        return (lambda: self._sleep(piece)) if isinstance(piece, float) else piece

    async def _sleep(self, seconds: float) -> None:
        sleeper = asyncio.get_running_loop().create_future()
        self._sleepers.append((self.now + seconds, sleeper))
        await sleeper


async def _at_once(function, *args):
    """Instead of a thread, whose time is not ours."""
    return function(*args)


def _nothing() -> None:
    """The next deadline is asked for at every step."""
