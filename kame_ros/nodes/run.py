"""The main function that every node shares."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Callable, Sequence

import rclpy
from rclpy.executors import Executor, ExternalShutdownException, SingleThreadedExecutor
from rclpy.signals import SignalHandlerOptions

from kame_ros.nodes.base import KameNode
from kame_ros.nodes.parameters import BadParameter

DIE_WITH_PARENT = 'KAME_DIE_WITH_PARENT'
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_POLL_S = 0.5


def run(make_node: Callable[[], KameNode], args: Sequence[str] | None = None) -> int:
    """Runs a node until it is told to stop; gives the exit status.

    0 after Ctrl-C or SIGTERM, 1 if the node failed, 2 for a parameter that cannot be right.
    """
    _follow_parent()
    rclpy.init(
        args=None if args is None else list(args), signal_handler_options=SignalHandlerOptions.NO
    )
    wanted: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: wanted.append(number))
    try:
        node = make_node()
    except BadParameter as error:
        print(f'error: {error}', file=sys.stderr)
        rclpy.try_shutdown()
        return 2
    executor = _executor()
    executor.add_node(node)
    with contextlib.suppress(ExternalShutdownException):
        while rclpy.ok() and not wanted:
            # EventsExecutor.spin() never returns in some builds; spin_once() is sound.
            executor.spin_once(timeout_sec=_POLL_S)
    failed = bool(node.fault) and not wanted
    node.end()
    node.diagnostics.close()
    executor.remove_node(node)
    node.destroy_node()
    rclpy.try_shutdown()
    return 1 if failed else 0


def _executor() -> Executor:
    # Half the latency and half the CPU time of the single-threaded executor.
    try:
        from rclpy.experimental import EventsExecutor
    except ImportError:
        return SingleThreadedExecutor()
    return EventsExecutor()


def _follow_parent() -> None:
    """Ends this process with the one that started it, if that asked for it and is killed."""
    if os.environ.get(DIE_WITH_PARENT) and sys.platform == 'linux':
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
