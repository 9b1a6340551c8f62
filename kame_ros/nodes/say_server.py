"""The action `say`: another node's way to make the robot speak, laid over the topic `oracle`."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.task import Future

from kame_ros.action import Say
from kame_ros.nodes.base import KameNode
from kame_ros.oracle.chunk import ChunkKind, OracleChunk
from kame_ros.s2s.front_end import Piece
from kame_ros.text.speakable import why_not

SOURCE = 'say/'
MAX_CHARACTERS = 2000
MAX_GOALS = 16


@dataclass
class _Goal:
    handle: ServerGoalHandle
    done: Future
    said: str = ''


def cannot_be_said(text: str) -> str:
    """Why a text is no goal; empty if it is one."""
    if len(text) > MAX_CHARACTERS:
        return f'{len(text)} characters are more than {MAX_CHARACTERS}'
    return why_not(text)


class SayServer:
    """Turns each goal into a generation of a source of its own, and follows it until it is said.

    Several goals at once are said one after the other, by priority. `publish` puts a chunk on the
    topic `oracle`, `name` is that of the action, and `refusal` tells why no goal is taken now, or
    nothing. The owner of the front-end calls `on_piece`, `on_spoken` and `on_stopped`.
    """

    def __init__(
        self,
        node: KameNode,
        publish: Callable[[OracleChunk], None],
        name: str,
        refusal: Callable[[], str],
    ) -> None:
        self._publish = publish
        self._refusal = refusal
        self._logger = node.get_logger()
        self._goals: dict[str, _Goal] = {}
        self._lock = threading.Lock()
        self._number = 0
        self.refused = 0
        self._server = ActionServer(
            node,
            Say,
            name,
            execute_callback=self._execute,
            goal_callback=self._on_goal,
            cancel_callback=self._on_cancel,
        )

    def destroy(self) -> None:
        """Ends what is being said and the server."""
        self.on_stopped('the node is shutting down')
        self._server.destroy()

    def on_piece(self, piece: Piece) -> None:
        """The front-end says a piece of an oracle."""
        with self._lock:
            goal = self._goals.get(piece.source)
        if goal:
            goal.said += piece.text
            goal.handle.publish_feedback(Say.Feedback(said=goal.said.strip()))

    def on_spoken(self, source: str) -> None:
        """The front-end has said all of an oracle."""
        goal = self._goals.get(source)
        self._finish(
            source, '' if goal is None or goal.said.strip() else 'none of it could be said'
        )

    def on_stopped(self, why: str) -> None:
        """The front-end was made to forget what it was saying."""
        for source in list(self._goals):
            self._finish(source, why)

    def _finish(self, source: str, why: str) -> None:
        with self._lock:
            goal = self._goals.get(source)
        if goal and not goal.done.done():
            goal.done.set_result(why)

    def _on_goal(self, request: Say.Goal) -> GoalResponse:
        problem = cannot_be_said(request.text)
        problem = problem or self._refusal()
        if not problem and len(self._goals) >= MAX_GOALS:
            problem = f'{MAX_GOALS} goals wait already'
        if problem:
            self.refused += 1
            self._logger.warning(f'say refused: {problem}')
            return GoalResponse.REJECT
        return GoalResponse.ACCEPT

    def _on_cancel(self, handle: ServerGoalHandle) -> CancelResponse:
        for source, goal in list(self._goals.items()):
            if goal.handle.goal_id == handle.goal_id:
                self._publish(OracleChunk(source, 0, ChunkKind.CLEAR))
                self._finish(source, 'cancelled')
        return CancelResponse.ACCEPT

    async def _execute(self, handle: ServerGoalHandle) -> Say.Result:
        self._number += 1
        source = f'{SOURCE}{self._number}'
        goal = _Goal(handle, Future())
        with self._lock:
            self._goals[source] = goal
        priority = handle.request.priority
        for kind, text in (
            (ChunkKind.BEGIN, ''),
            (ChunkKind.TEXT, handle.request.text),
            (ChunkKind.END, ''),
        ):
            self._publish(OracleChunk(source, 0, kind, text, priority))
        why = await goal.done
        with self._lock:
            del self._goals[source]
        if handle.is_cancel_requested:
            handle.canceled()
        elif why:
            handle.abort()
        else:
            handle.succeed()
        return Say.Result(spoken=not why, said=goal.said.strip(), message=why)
