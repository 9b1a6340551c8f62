"""Brings managed nodes up in order and down again, from another process."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rclpy.client import Client
from rclpy.node import Node
from rclpy.task import Future

from kame_ros.graph import Graph

_SPIN_S = 0.05


class BringUpError(RuntimeError):
    """A node did not come up; `node` is its name."""

    def __init__(self, node: str, why: str) -> None:
        super().__init__(f'{node}: {why}')
        self.node = node


@dataclass
class Health:
    """The last that a node told of itself on /diagnostics."""

    state: str = 'starting'
    level: int = 0
    message: str = ''
    values: dict[str, str] | None = None


class Conductor:
    """Drives the lifecycle of a graph's nodes and listens to their diagnostics.

    `spin` lets the node that was given do its work for a moment; `alive` says whether the process
    of a node runs. Both are the caller's, as is the thread.
    """

    def __init__(
        self,
        node: Node,
        graph: Graph,
        spin: Callable[[float], None],
        alive: Callable[[str], bool],
    ) -> None:
        self._node = node
        self._graph = graph
        self._spin = spin
        self._alive = alive
        self._change: dict[str, Client] = {}
        self._get: dict[str, Client] = {}
        for name in graph.names:
            path = graph.path(name)
            self._change[name] = node.create_client(ChangeState, f'{path}/change_state')
            self._get[name] = node.create_client(GetState, f'{path}/get_state')
        self.health = {name: Health() for name in graph.names}
        self._paths = {graph.path(name).lstrip('/'): name for name in graph.names}
        node.create_subscription(DiagnosticArray, '/diagnostics', self._on_diagnostics, 50)

    def bring_up(self, patience: float = 120.0, show: Callable[[], None] = lambda: None) -> None:
        """Configures all nodes at once, then activates one after the other.

        `show` is called again and again while models load. Raises BringUpError with the node's
        own reason, or when its process has ended, or after `patience` seconds.
        """
        end = time.monotonic() + patience
        waiting = set(self._graph.names)
        asked: dict[str, Future] = {}
        while waiting:
            for name in sorted(waiting):
                self._check(name, end)
                if name not in asked and self._change[name].service_is_ready():
                    asked[name] = self._ask(name, Transition.TRANSITION_CONFIGURE)
                elif name in asked and asked[name].done():
                    if not asked[name].result().success:
                        raise BringUpError(name, self._why(name))
                    waiting.discard(name)
            self._spin(_SPIN_S)
            show()
        for name in self._graph.names:
            self.activate(name, end)
            show()

    def activate(self, name: str, end: float) -> None:
        """Activates one node that is configured."""
        self._transition(name, Transition.TRANSITION_ACTIVATE, end)

    def recover(self, name: str, patience: float = 120.0) -> None:
        """Configures and activates one node whose process was started anew."""
        end = time.monotonic() + patience
        while not self._change[name].service_is_ready() or self.state(name) is None:
            self._check(name, end)
            self._spin(_SPIN_S)
        self._transition(name, Transition.TRANSITION_CONFIGURE, end)
        self._transition(name, Transition.TRANSITION_ACTIVATE, end)

    def deactivate(self, names: Iterable[str], patience: float = 10.0) -> None:
        """Deactivates nodes one after the other; passes over those that do not answer."""
        for name in names:
            try:
                end = time.monotonic() + patience
                self._transition(name, Transition.TRANSITION_DEACTIVATE, end)
            except BringUpError as error:
                self._node.get_logger().warning(str(error))

    def state(self, name: str, patience: float = 2.0) -> str | None:
        """The lifecycle state of a node, such as `active`; None if it does not answer."""
        if not self._get[name].service_is_ready():
            return None
        future = self._get[name].call_async(GetState.Request())
        end = time.monotonic() + patience
        while not future.done() and time.monotonic() < end:
            self._spin(_SPIN_S)
        return future.result().current_state.label if future.done() else None

    @property
    def all_active(self) -> bool:
        """Whether all nodes have told that they are active."""
        return all(health.state == 'active' for health in self.health.values())

    def _ask(self, name: str, transition: int) -> Future:
        request = ChangeState.Request(transition=Transition(id=transition))
        return self._change[name].call_async(request)

    def _transition(self, name: str, transition: int, end: float) -> None:
        future = self._ask(name, transition)
        while not future.done():
            self._check(name, end)
            self._spin(_SPIN_S)
        if not future.result().success:
            raise BringUpError(name, self._why(name))

    def _check(self, name: str, end: float) -> None:
        if not self._alive(name):
            raise BringUpError(name, 'its process has ended')
        if time.monotonic() > end:
            raise BringUpError(name, f'does not answer (it was {self.health[name].state})')

    def _why(self, name: str) -> str:
        """The reason that a node gave on /diagnostics, which may still be on its way."""
        end = time.monotonic() + 1.5
        while self.health[name].level < 2 and time.monotonic() < end:
            self._spin(_SPIN_S)
        return self.health[name].message or 'refused, and gave no reason'

    def _on_diagnostics(self, array: DiagnosticArray) -> None:
        for status in array.status:
            name = self._paths.get(status.name)
            if name is not None:
                self.health[name] = _health(status)


def _health(status: DiagnosticStatus) -> Health:
    values = {item.key: item.value for item in status.values}
    return Health(
        values.pop('state', ''), int.from_bytes(status.level, 'big'), status.message, values
    )
