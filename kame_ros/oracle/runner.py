"""The oracle's thread: transcripts in, words out."""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from kame_ros.oracle.account import TurnAccount
from kame_ros.oracle.actions.book import ActionRequest
from kame_ros.oracle.config import OracleConfig
from kame_ros.oracle.conversation.session import OracleSession
from kame_ros.oracle.outputs import Outputs, ignore
from kame_ros.oracle.routing.router import Embed
from kame_ros.runtime.faults import RAISED_BY_OTHERS, Faults
from kame_ros.runtime.mailbox import Mailbox
from kame_ros.wire.oracle import OracleChunk
from kame_ros.wire.transcript import Transcript
from kame_ros.wire.turn import TurnEvent

_LOG = logging.getLogger(__name__)
_TICK_S = 0.005  # the shortest wait: the clock may stand still in a replay
_FAULT_S = 0.05  # after a fault: one that comes at every turn does not take a whole core
_INBOX = 256  # inputs; the loop takes all of them at every turn


class OracleRunner:
    """Owns the event loop in which the LLMs are asked.

    All inputs may be called from any thread and return at once; the callbacks (see Outputs) are
    called in the runner's thread and must return soon. `clock` gives the time of the audio clock
    in seconds; it is read, never set. `embed` is the router's embedding model, if any. Generations
    are numbered from above `last_generation`. `on_fault` is told once of each kind of exception
    that nobody expected; whatever is raised, the next question is answered.
    """

    def __init__(
        self,
        config: OracleConfig,
        *,
        clock: Callable[[], float],
        on_chunk: Callable[[OracleChunk], None],
        on_event: Callable[[TurnEvent], None],
        on_action: Callable[[ActionRequest], None] = ignore,
        on_action_cancelled: Callable[[ActionRequest], None] = ignore,
        on_turn: Callable[[TurnAccount], None] = ignore,
        embed: Embed | None = None,
        last_generation: int = 0,
        on_fault: Callable[[str], None] = _LOG.error,
    ) -> None:
        self._faults = Faults(on_fault)
        outputs = self._faults.guard(
            Outputs(on_chunk, on_event, on_action, on_action_cancelled, on_turn)
        )
        self._clock = clock
        self._mail: Mailbox[Callable[[], object]] = Mailbox(_INBOX)
        self._session = OracleSession(
            config, clock, outputs, self._mail.wake, embed, last_generation, self._faults
        )
        self._closing = False
        self._pausing: asyncio.Task[None] | None = None
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._main()), name='oracle', daemon=True
        )
        self._thread.start()
        self._ready.wait()

    def submit(self, transcript: Transcript) -> None:
        """Hears a revision of what the user says."""
        self._mail.put(partial(self._session.hear, transcript), droppable=not transcript.final)

    def say_history(self, text: str, t: float, generation: int = -1) -> None:
        """The robot has said this piece aloud at `t`; pieces are joined as they are."""
        self._mail.put(partial(self._session.robot_said, text, t, generation))

    def learn_fact(self, line: str, t: float) -> None:
        """A fact about the robot, `name: text`; an empty text forgets it."""
        self._mail.put(partial(self._session.learn_fact, line, t))

    def action_result(self, id: str, succeeded: bool, text: str) -> None:
        """The robot's answer to an action that was asked for."""
        self._mail.put(partial(self._session.action_result, id, succeeded, text))

    def barge_in(self, t: float) -> None:
        """The user spoke over the robot at `t`, and playback stopped: see OraclePolicy.barge_in."""
        self._mail.put(partial(self._session.barge_in, t))

    def robot_speaks(self, t: float, begins: bool) -> None:
        """The robot's voice begins at `t`, or has ended."""
        self._mail.put(partial(self._session.robot_speaks, t, begins))

    def take_back(self, t: float) -> None:
        """The user's turn that seemed to be over at `t` goes on: see History.take_back."""
        self._mail.put(partial(self._session.take_back, t))

    def interrupt(self, why: str = 'interrupted') -> None:
        """Stops what is being thought and done, and takes back what is not yet spoken."""
        self._mail.put(partial(self._session.interrupt, why))

    def reset(self) -> None:
        """Forgets the conversation."""
        self._mail.put(self._session.reset)

    def configure(self, config: OracleConfig) -> None:
        """Changes the settings from the next generation on."""
        self._mail.put(partial(self._session.configure, config))

    @property
    def config(self) -> OracleConfig:
        """The settings in use."""
        return self._session.config

    def counters(self) -> dict[str, float]:
        """Running totals for diagnostics."""
        session = self._session
        return {
            **session.ledger.totals,
            'faults': self._faults.count,
            'words': session.voice.words,
            'held_back_s': round(session.policy.backends.held_s(self._clock()), 1),
            'running': len(session.generations),
            'actions_asked': session.desk.passed,
            'actions_refused': session.desk.refused,
            'prompts_read_ahead': session.warmed,
            'facts_dropped': session.facts.dropped,
            'history_turns_dropped': session.history.dropped,
            'history_words_dropped': session.history.dropped_words,
            'inputs_queue': len(self._mail),
            'inputs_queue_deepest': self._mail.deepest,
            'inputs_dropped': self._mail.dropped,
        }

    @property
    def alive(self) -> bool:
        """Whether the thread runs; it ends with `close`, and never before."""
        return self._thread.is_alive()

    def warm_up(self, timeout: float = 60.0) -> None:
        """Connects to the first back-end, which loads its model and reads the system prompt.

        Blocks. Raises LlmError, or TimeoutError after `timeout` seconds.
        """
        assert self._loop is not None
        done = asyncio.run_coroutine_threadsafe(self._session.warm_up(), self._loop)
        try:
            done.result(timeout)
        except concurrent.futures.TimeoutError as error:  # not the built-in one before 3.11
            raise TimeoutError(f'the LLM was not ready in {timeout:g} s') from error
        finally:
            done.cancel()

    def pause(self, timeout: float = 2.0) -> bool:
        """Stops all generations and hands over the books of the turn; False if it takes longer."""
        done = threading.Event()

        def stop() -> None:
            self._pausing = asyncio.ensure_future(self._session.pause())
            self._pausing.add_done_callback(lambda _: done.set())

        self._mail.put(stop)
        return done.wait(timeout)

    def close(self, timeout: float = 10.0) -> bool:
        """Stops all generations, closes the clients and ends the thread; False if it hangs."""
        self._closing = True
        self._mail.wake()
        if self._thread is not threading.current_thread():
            self._thread.join(timeout)
        return not self._thread.is_alive()

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._mail.attach(self._loop)
        self._ready.set()
        self._loop.set_exception_handler(self._on_loop_fault)
        while not self._closing:
            try:
                await self._turn()
            except RAISED_BY_OTHERS as error:
                self._faults.book('the loop', error)
                self._session.recover()
                await asyncio.sleep(_FAULT_S)
        await self._session.aclose()

    async def _turn(self) -> None:
        """Takes what has come, does what is due, and waits."""
        session = self._session
        for handle in self._mail.drain():
            try:
                handle()
            except RAISED_BY_OTHERS as error:  # the inputs after it are not lost
                self._faults.book('an input', error)
                session.recover()
        deadline = session.next_deadline()
        if deadline is not None and deadline <= self._clock():
            session.tick()
            deadline = session.next_deadline()
        wait = None if deadline is None else max(deadline - self._clock(), _TICK_S)
        await self._mail.wait(wait)

    def _on_loop_fault(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """A task or a callback of the loop has raised, and nobody waits for it."""
        error = context.get('exception') or RuntimeError(str(context.get('message')))
        self._faults.book('a task', error)
