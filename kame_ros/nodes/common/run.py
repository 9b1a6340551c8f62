"""The main function that every node shares."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Sequence

import rclpy
from rclpy.executors import Executor, ExternalShutdownException, SingleThreadedExecutor
from rclpy.signals import SignalHandlerOptions

from kame_ros.graph import surroundings
from kame_ros.graph.early import BAD_SETTING, REFUSAL
from kame_ros.nodes.common.base import NICENESS, KameNode
from kame_ros.nodes.common.ros_arguments import quoted
from kame_ros.runtime.faults import RAISED_BY_OTHERS
from kame_ros.settings.param import BadParameter

_POLL_S = 0.5


def run(make_node: Callable[[], KameNode], args: Sequence[str] | None = None) -> int:
    """Runs a node until it is told to stop; gives the exit status.

    0 after Ctrl-C or SIGTERM, 1 if the node failed, 2 for a setting that cannot be right.
    """
    wanted: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: wanted.append(number))
    try:
        surroundings.prepare()
        _begin(make_node, list(sys.argv if args is None else args))
        node = make_node()
        node.python_log.attach()
    except (BadParameter, surroundings.BadSurroundings) as error:
        print(f'{REFUSAL}{error}', file=sys.stderr)
        rclpy.try_shutdown()
        return BAD_SETTING
    executor = _executor()
    node.transitions.serve()
    executor.add_node(node)
    with contextlib.suppress(ExternalShutdownException):
        while rclpy.ok() and not wanted:
            _spin_once(executor, node)
    failed = bool(node.fault) and not wanted
    ended = node.end()
    node.diagnostics.close()
    node.python_log.detach()
    if not ended:  # a model still loads or works: nothing can be taken from under it
        sys.stderr.flush()
        os._exit(int(failed))
    executor.remove_node(node)
    node.destroy_node()
    rclpy.try_shutdown()
    return int(failed)


def _begin(make_node: Callable[[], KameNode], args: list[str]) -> None:
    """Initialises ROS; raises BadParameter for arguments that it cannot read."""
    table = (*getattr(make_node, 'PARAMETERS', ()), NICENESS)
    with quoted(args, {param.name for param in table}) as rewritten:
        try:
            rclpy.init(args=rewritten, signal_handler_options=SignalHandlerOptions.NO)
        except Exception as error:  # rclpy has no common class for what it raises here
            reason = ' '.join(str(error).split('\n')[0].split())
            raise BadParameter(f'ROS cannot be initialised: {reason}') from error


def _spin_once(executor: Executor, node: KameNode) -> None:
    # EventsExecutor.spin() never returns in some builds; spin_once() is sound.
    try:
        executor.spin_once(timeout_sec=_POLL_S)
    except ExternalShutdownException:
        raise
    except RAISED_BY_OTHERS as error:  # of a callback: what others send or ask ends no node
        node.survive(error, 'a topic, service or action')


def _executor() -> Executor:
    # Half the latency and half the CPU time of the single-threaded executor.
    try:
        from rclpy.experimental import EventsExecutor
    except ImportError:
        return SingleThreadedExecutor()
    return EventsExecutor()
