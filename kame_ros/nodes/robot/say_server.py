"""The action `say`: another node's way to make the robot speak, beside the topic `oracle`."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.qos import QoSProfile

from kame_ros.action import Say
from kame_ros.nodes.common.base import KameNode
from kame_ros.s2s.front_end import Piece
from kame_ros.text.speakable import left_out, why_not
from kame_ros.wire.oracle import ChunkKind, OracleChunk, whole

SOURCE = 'say/'
MAX_CHARACTERS = 2000
MAX_GOALS = 16
_REQUESTS = QoSProfile(depth=200)  # of goals at once: ten, as is usual, are soon lost
# A client keeps ten answers that it has not looked at: more at once than that are told slowly.
_BURST = 8
_BURST_S = 0.1
_PACE_S = 0.003
_RESULT_S = 60  # for so long a result can be asked for


@dataclass
class _Goal:
    handle: ServerGoalHandle
    missing: str = ''  # what no voice can say of it
    said: str = ''
    given: bool = False  # the front-end knows all of it


def cannot_be_said(text: str) -> str:
    """Why a text is no goal; empty if it is one."""
    if len(text) > MAX_CHARACTERS:
        return f'{len(text)} characters are more than {MAX_CHARACTERS}'
    return why_not(text)


class SayServer:
    """Turns each goal into a generation of a source of its own, and follows it until it is said.

    Several goals at once are said one after the other, by priority. `give` hands a chunk to the
    front-end's owner and tells whether there was room; `name` is that of the action, and `refusal`
    tells why no goal is taken now, or nothing. The owner calls `on_given`, `on_piece`, `on_spoken`
    and `settle`; `stop` may be called from any thread.
    """

    def __init__(
        self,
        node: KameNode,
        give: Callable[[OracleChunk], bool],
        name: str,
        refusal: Callable[[], str],
    ) -> None:
        self._node = node
        self._give = give
        self._refusal = refusal
        self._logger = node.get_logger()
        self._goals: dict[str, _Goal] = {}
        self._lock = threading.Lock()
        self._number = 0
        self._answers, self._ends = _Pace(), _Pace()
        self.refused = 0
        self._server = _Server(
            node,
            Say,
            name,
            execute_callback=_never,
            goal_callback=self._on_goal,
            handle_accepted_callback=self._on_accepted,
            cancel_callback=self._on_cancel,
            goal_service_qos_profile=_REQUESTS,
            result_service_qos_profile=_REQUESTS,
            cancel_service_qos_profile=_REQUESTS,
            result_timeout=_RESULT_S,
        )

    def destroy(self) -> None:
        """Ends what is being said and the server."""
        self.stop('the node is shutting down')
        self._server.destroy()

    def is_own(self, source: str) -> bool:
        """Whether a source is one of these goals: others may hear of them, not speak for them."""
        number = source.removeprefix(SOURCE)
        own = source.startswith(SOURCE) and number.isascii() and number.isdigit()
        return own and len(number) < 16 and 0 < int(number) <= self._number

    def on_given(self, source: str) -> None:
        """The front-end's owner has taken all chunks of a goal."""
        with self._lock:
            if goal := self._goals.get(source):
                goal.given = True

    def on_piece(self, piece: Piece) -> None:
        """The front-end says a piece of an oracle."""
        with self._lock:
            goal = self._goals.get(piece.source)
        if goal:
            goal.said += piece.text
            goal.handle.publish_feedback(Say.Feedback(said=goal.said.strip()))

    def on_spoken(self, source: str) -> None:
        """The front-end has said all of an oracle."""
        with self._lock:
            goal = self._goals.get(source)
        unsaid = goal is not None and not goal.said.strip()
        self._finish(source, 'the voice cannot say any of it' if unsaid else '')

    def settle(self, waits: Callable[[str], bool], why: str) -> None:
        """Ends the goals that were given and of which nothing waits to be said any more."""
        with self._lock:
            given = [source for source, goal in self._goals.items() if goal.given]
        for source in given:
            if not waits(source):
                self._finish(source, why)

    def stop(self, why: str) -> None:
        """Ends all goals: nobody speaks any more."""
        with self._lock:
            sources = list(self._goals)
        for source in sources:
            self._finish(source, why)

    @property
    def open(self) -> int:
        """How many goals are not ended."""
        return len(self._goals)

    def _finish(self, source: str, why: str) -> None:
        with self._lock:
            goal = self._goals.pop(source, None)
        if goal is None:
            return
        self._ends()

        def end(handle: ServerGoalHandle) -> Say.Result:
            if handle.is_cancel_requested:
                handle.canceled()
            elif why:
                handle.abort()
            else:
                handle.succeed()
            return Say.Result(spoken=not why, said=goal.said.strip(), message=why or goal.missing)

        self._server.notify_execute(goal.handle, end)

    def _on_goal(self, request: Say.Goal) -> GoalResponse:
        self._answers()
        problem = cannot_be_said(request.text)
        problem = problem or self._refusal()
        if not problem and len(self._goals) >= MAX_GOALS:
            problem = f'{MAX_GOALS} goals wait already'
        if problem:
            self.refused += 1
            self._logger.warning(f'say refused: {problem}')
            return GoalResponse.REJECT
        return GoalResponse.ACCEPT

    def _on_accepted(self, handle: ServerGoalHandle) -> None:
        self._number += 1
        source = f'{SOURCE}{self._number}'
        with self._lock:
            self._goals[source] = _Goal(handle, left_out(handle.request.text))
        handle.execute()
        request = handle.request
        for chunk in whole(source, 0, request.text, request.priority):
            if not self._give(chunk):
                self._give(OracleChunk(source, 0, ChunkKind.CLEAR))
                self._finish(source, 'the robot has too much to say')
                return

    def _on_cancel(self, handle: ServerGoalHandle) -> CancelResponse:
        with self._lock:
            sources = [s for s, goal in self._goals.items() if goal.handle == handle]
        for source in sources:
            self._give(OracleChunk(source, 0, ChunkKind.CLEAR))
            # A moment later: rclpy notes that it is being cancelled after this callback.
            executor = self._node.executor
            if executor is not None:  # it runs this callback
                executor.create_task(self._finish, source, 'cancelled')
        return CancelResponse.ACCEPT


class _Pace:
    """Lets a few through at once, and the others one after the other."""

    def __init__(self) -> None:
        self._last: deque[float] = deque(maxlen=_BURST)

    def __call__(self) -> None:
        now = time.monotonic()
        if len(self._last) == _BURST and now - self._last[0] < _BURST_S:
            time.sleep(_PACE_S)
        self._last.append(now)


def _never(handle: ServerGoalHandle) -> Say.Result:
    raise AssertionError('a goal is ended by `_finish`')


class _Server(ActionServer):
    """Lets a goal be under way without a task that waits for its end.

    A coroutine that waits is polled by rclpy's executors as fast as they can: a core for each goal.
    Whoever knows the end of a goal ends it at once, in their thread: as the node shuts down, nobody
    would run a task any more.
    """

    def notify_execute(self, goal_handle: ServerGoalHandle, execute_callback: Any) -> None:
        if execute_callback is None:
            return  # under way; it is called again with how it ends
        with contextlib.suppress(StopIteration):  # nothing in it waits
            self._execute_goal(execute_callback, goal_handle).send(None)
