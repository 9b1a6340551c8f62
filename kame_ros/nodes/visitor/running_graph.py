"""A graph that is started, brought up and watched from this process."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from kame_ros.graph import surroundings
from kame_ros.graph.bring_up import Backoff
from kame_ros.graph.description import Graph
from kame_ros.graph.early import BAD_SETTING
from kame_ros.graph.names import visitor_name
from kame_ros.graph.processes import Domain, GraphProcesses, Place, Taken, environment, join
from kame_ros.nodes.visitor.conductor import BringUpError, Conductor

_FIRST_TRIES = 3  # of a process in the first bring-up
_STEP_BYTES = 1_000_000  # less is no progress: every node reads and writes a little


# The domain, its environment, our node and the conductor in it, and a way to let them work.
_Joined = tuple[int, dict[str, str], Node, Conductor, Callable[[float], None]]


class Stopped(Exception):
    """Ctrl-C or SIGTERM."""


@dataclass
class RunningGraph:
    """A graph's processes, the node that this process has in it, and its conductor."""

    graph: Graph
    domain: int
    node: Node
    processes: GraphProcesses
    conductor: Conductor
    spin: Callable[[float], None]
    _backoff: dict[str, Backoff] = field(default_factory=dict)
    _due: dict[str, float] = field(default_factory=dict)  # when ended processes are started anew

    def bring_up(self, patience: float, show: Callable[[], None] = lambda: None) -> None:
        """Brings all nodes up; raises BringUpError.

        `patience` is in seconds without any sign of progress: a model that is got or loaded moves
        bytes. A process that ends is started anew a few times, unless its settings are wrong.
        """

        def look() -> None:
            self._restart_ended(give_up_after=_FIRST_TRIES)
            show()

        self.conductor.bring_up(patience, look, self._moved)

    def revive(self, give_up_after: int | None = None) -> None:
        """Starts ended processes anew, and brings them up: for a moment, to be called again.

        A node that ends again and again, or refuses, is tried with growing pauses; the others go
        on. With `give_up_after`, raises BringUpError for one that has ended more often than that.
        """
        self._restart_ended(give_up_after)
        self.conductor.step()

    def _restart_ended(self, give_up_after: int | None) -> None:
        now = time.monotonic()
        for process in self.processes.ended():
            name = process.spec.name
            if name not in self._due:
                self.conductor.ended(name)
                backoff = self._backoff.setdefault(name, Backoff())
                self._due[name] = backoff.failed(now)
                wrong = process.exit_status == BAD_SETTING and give_up_after is not None
                if wrong and (why := process.refusal):
                    raise BringUpError(name, why, bad_setting=True)
                if wrong or (give_up_after is not None and backoff.count > give_up_after):
                    raise BringUpError(name, 'its process has ended')
                when = self._due[name] - now
                self.node.get_logger().error(
                    f'{name} has ended with status {process.exit_status}, and is started anew'
                    f'{f" in {when:.0f} s" if when else ""}; its last words:\n{process.tail()}'
                )
            if now >= self._due[name]:
                del self._due[name]
                process.start()

    def _moved(self) -> object:
        return [process.moved // _STEP_BYTES for process in self.processes.nodes]


@contextlib.contextmanager
def running(
    graph: Graph,
    *,
    domain: int | None = None,
    discovery: str = 'LOCALHOST',
    elsewhere: Callable[[Taken], None] | None = None,
) -> Iterator[RunningGraph]:
    """Starts the processes of a graph, and ends them when the block is left.

    Nothing is configured yet. Without a `domain`, the graph gets one of its own; in one that is
    given, another robot may live, but not in the same namespace: raises Taken, or, if there is
    `elsewhere`, tells it and takes a domain of its own. Raises Stopped in the block, from `spin`,
    on Ctrl-C, SIGTERM or SIGHUP.
    """
    with contextlib.ExitStack() as stack:
        try:
            place = stack.enter_context(_joined(graph, domain, discovery))
        except Taken as error:
            if elsewhere is None:
                raise
            elsewhere(error)
            place = stack.enter_context(_joined(graph, None, discovery))
        number, env, node, conductor, spin = place
        processes = stack.enter_context(GraphProcesses(graph, env))
        yield RunningGraph(graph, number, node, processes, conductor, spin)


@contextlib.contextmanager
def _joined(graph: Graph, domain: int | None, discovery: str) -> Iterator[_Joined]:
    """Takes this process into the domain in which a graph is to be; raises Taken."""
    with contextlib.ExitStack() as stack:
        if domain is None:
            own = Domain()
            stack.callback(own.close)
        number = own.number if domain is None else domain
        env = environment(number, discovery)
        stack.callback(Place(number, graph.namespace).close)
        join(env)
        node, spin = stack.enter_context(_spinning())
        conductor = Conductor(node, graph, spin)
        if domain is not None and conductor.somebody_lives():
            raise Taken(number, graph.namespace)
        yield number, env, node, conductor, spin


@contextlib.contextmanager
def conducting(graph: Graph, domain: int | None, discovery: str) -> Iterator[Conductor]:
    """The conductor of a graph whose processes somebody else starts; None: the domain set.

    Raises Stopped in the block, as `running` does.
    """
    surroundings.prepare()
    if domain is not None:
        os.environ['ROS_DOMAIN_ID'] = str(domain)
    os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] = discovery
    with _spinning() as (node, spin):
        yield Conductor(node, graph, spin)


@contextlib.contextmanager
def _spinning() -> Iterator[tuple[Node, Callable[[float], None]]]:
    """A node of our own, and a way to let it work for so many seconds.

    That raises Stopped once the process was told to end.
    """
    with contextlib.ExitStack() as stack:
        stops = stack.enter_context(_signals())
        rclpy.init(args=[], signal_handler_options=SignalHandlerOptions.NO)
        stack.callback(rclpy.try_shutdown)
        node = rclpy.create_node(visitor_name(), start_parameter_services=False)
        stack.callback(node.destroy_node)
        executor = SingleThreadedExecutor()
        executor.add_node(node)
        stack.callback(executor.remove_node, node)

        def spin(seconds: float) -> None:
            end = time.monotonic() + seconds
            while not stops:
                executor.spin_once(timeout_sec=max(0.0, end - time.monotonic()))
                if time.monotonic() >= end:
                    return
            raise Stopped

        yield node, spin


@contextlib.contextmanager
def _signals() -> Iterator[list[int]]:
    """The numbers of the signals that ask for an end, as they come."""
    stops: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {
        number: signal.signal(number, lambda number, _: stops.append(number)) for number in numbers
    }
    try:
        yield stops
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
