"""A graph that is started, brought up and watched from this process."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from kame_ros.graph import Graph
from kame_ros.nodes.conductor import BringUpError, Conductor
from kame_ros.processes import Domain, GraphProcesses, environment, join

MAX_RESTARTS = 3  # of one node; more than that is no accident


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

    def alive(self, name: str) -> bool:
        """Whether the process of a node runs."""
        return any(p.spec.name == name and p.running for p in self.processes.nodes)

    def revive(self) -> list[str]:
        """Starts ended processes anew and brings them up; returns their names.

        Raises BringUpError for a node that has ended too often.
        """
        revived = []
        for process in self.processes.ended():
            name = process.spec.name
            if process.restarts >= MAX_RESTARTS:
                raise BringUpError(name, f'has ended {process.restarts + 1} times')
            process.restarts += 1
            self.node.get_logger().error(
                f'{name} has ended with status {process.exit_status}, and is started anew; '
                f'its last words:\n{process.tail()}'
            )
            process.start()
            self.conductor.recover(name)
            revived.append(name)
        return revived


@contextlib.contextmanager
def running(
    graph: Graph, *, domain: int | None = None, discovery: str = 'LOCALHOST'
) -> Iterator[RunningGraph]:
    """Starts the processes of a graph, and ends them when the block is left.

    Nothing is configured yet. Without a `domain`, the graph gets one of its own. Raises Stopped in
    the block, from `spin`, on Ctrl-C or SIGTERM.
    """
    own = Domain() if domain is None else None
    number = own.number if own else domain
    assert number is not None
    env = environment(number, discovery)
    join(env)
    stops: list[int] = []
    before = {
        number: signal.signal(number, lambda number, _: stops.append(number))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    rclpy.init(args=[], signal_handler_options=SignalHandlerOptions.NO)
    node = rclpy.create_node(f'kame_{os.getpid()}', start_parameter_services=False)
    executor = SingleThreadedExecutor()
    executor.add_node(node)

    def spin(seconds: float) -> None:
        end = time.monotonic() + seconds
        while not stops:
            executor.spin_once(timeout_sec=max(0.0, end - time.monotonic()))
            if time.monotonic() >= end:
                return
        raise Stopped

    try:
        with GraphProcesses(graph, env) as processes:
            alive = _alive(processes)
            conductor = Conductor(node, graph, spin, alive)
            yield RunningGraph(graph, number, node, processes, conductor, spin)
    finally:
        executor.remove_node(node)
        node.destroy_node()
        rclpy.try_shutdown()
        for signal_number, handler in before.items():
            signal.signal(signal_number, handler)
        if own:
            own.close()


def _alive(processes: GraphProcesses) -> Callable[[str], bool]:
    by_name = {process.spec.name: process for process in processes.nodes}
    return lambda name: by_name[name].running
