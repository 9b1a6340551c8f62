"""Brings managed nodes up in order and down again, from another process."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rclpy.client import Client
from rclpy.node import Node
from rclpy.task import Future

from kame_ros.graph.bring_up import ACTIVATE, CONFIGURE, Ask, BringUp
from kame_ros.graph.description import Graph
from kame_ros.nodes.common import convert
from kame_ros.wire.health import Health

_SPIN_S = 0.05
_DEACTIVATE_S = 10.0
_LOOK_S = 1.5  # a node that lives tells of itself each second
_IDS = {
    CONFIGURE: Transition.TRANSITION_CONFIGURE,
    ACTIVATE: Transition.TRANSITION_ACTIVATE,
}


class BringUpError(RuntimeError):
    """A node did not come up; `node` is its name. `bad_setting`: a parameter is wrong."""

    def __init__(self, node: str, why: str, bad_setting: bool = False) -> None:
        super().__init__(f'{node}: {why}')
        self.node, self.bad_setting = node, bad_setting


class Conductor:
    """Drives the lifecycle of a graph's nodes and listens to their diagnostics.

    `spin` lets the node that was given do its work for a moment; it is the caller's, as is the
    thread.
    """

    def __init__(self, node: Node, graph: Graph, spin: Callable[[float], None]) -> None:
        self._node = node
        self._graph = graph
        self._spin = spin
        self._policy = BringUp(graph.names)
        self._pending: dict[str, tuple[Ask, Future]] = {}
        self._change: dict[str, Client] = {
            name: node.create_client(ChangeState, f'{graph.path(name)}/change_state')
            for name in graph.names
        }
        self.health = {name: Health() for name in graph.names}
        self._paths = {graph.path(name).lstrip('/'): name for name in graph.names}
        node.create_subscription(DiagnosticArray, '/diagnostics', self._on_diagnostics, 50)

    def somebody_lives(self) -> str:
        """The name of a node of the graph that lives already, before ours are started; or empty."""
        end = time.monotonic() + _LOOK_S
        while time.monotonic() < end:
            self._spin(_SPIN_S)
            for name, health in self.health.items():
                if health.values is not None:
                    return name
        return ''

    def bring_up(
        self,
        patience: float | None = 120.0,
        show: Callable[[], None] = lambda: None,
        progress: Callable[[], object] = lambda: None,
    ) -> None:
        """Configures all nodes at once, then activates one after the other.

        `show` is called again and again while models load. Raises BringUpError with the node's
        own reason, or when for `patience` seconds no node has come further or told of progress, and
        `progress` has given the same.
        """
        reached, since = None, time.monotonic()
        while not self._policy.up:
            self.step()
            show()
            if name := self._policy.refused:
                why = self._why(name)  # waits for what it tells
                wrong = 'bad_setting' in (self.health[name].values or {})
                raise BringUpError(name, why, wrong)
            if name := self._policy.doubled:
                raise BringUpError(name, 'there are two of this name: another robot runs here')
            told = [(health.state, health.message) for health in self.health.values()]
            here = (*told, progress())
            if here != reached:
                reached, since = here, time.monotonic()
            elif patience is not None and time.monotonic() - since > patience:
                slow = next(n for n in self._graph.names if not self._policy.is_up(n))
                raise BringUpError(slow, f'does not answer (it was {self.health[slow].state})')

    def step(self) -> None:
        """Asks the nodes that are to be asked, and hears what they answer, for a moment."""
        now = time.monotonic()
        for ask in self._policy.due(now):
            client = self._change[ask.name]
            if client.service_is_ready():
                request = ChangeState.Request(transition=Transition(id=_IDS[ask.transition]))
                self._pending[ask.name] = (ask, client.call_async(request))
                self._policy.asked(now, ask)
        self._spin(_SPIN_S)
        for name, (ask, future) in list(self._pending.items()):
            if future.done():
                del self._pending[name]
                answer = future.result()
                success = bool(answer and answer.success)
                self._policy.answered(time.monotonic(), ask, success)

    @property
    def doubled(self) -> str:
        """The node of which there are two, as another robot runs in the same place; or empty."""
        return self._policy.doubled

    def is_up(self, name: str) -> bool:
        """Whether a node has been configured and activated since its process was started."""
        return self._policy.is_up(name)

    def ended(self, name: str) -> None:
        """The process of a node has ended."""
        self._pending.pop(name, None)
        self._policy.ended(time.monotonic(), name)
        self.health[name] = Health()

    def deactivate(self, names: Iterable[str]) -> None:
        """Deactivates nodes one after the other; passes over those that do not answer."""
        for name in names:
            request = ChangeState.Request(
                transition=Transition(id=Transition.TRANSITION_DEACTIVATE)
            )
            future = self._change[name].call_async(request)
            end = time.monotonic() + _DEACTIVATE_S
            while not future.done() and time.monotonic() < end:
                self._spin(_SPIN_S)
            if not future.done():
                self._node.get_logger().warning(f'{name} does not answer')
            elif not future.result().success:
                self._node.get_logger().warning(f'{name}: {self._why(name)}')

    def _why(self, name: str) -> str:
        """The reason that a node gave on /diagnostics, which may still be on its way."""
        end = time.monotonic() + 1.5
        while self.health[name].level < 2 and time.monotonic() < end:
            self._spin(_SPIN_S)
        return self.health[name].message or 'refused, and gave no reason'

    def _on_diagnostics(self, array: DiagnosticArray) -> None:
        for status in array.status:
            name = self._paths.get(status.name)
            if name is None:
                continue
            self.health[name] = health = convert.health_from_status(status)
            life = (health.values or {}).get('life', '')
            self._policy.told(time.monotonic(), name, life, health.state)
