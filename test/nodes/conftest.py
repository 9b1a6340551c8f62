"""A ROS context for each test, and a way to wait that counts no seconds."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node


class Ros:
    """Spins the nodes of a test."""

    def __init__(self) -> None:
        self.executor = SingleThreadedExecutor()

    def add(self, node: Node) -> Node:
        self.executor.add_node(node)
        return node

    def until(self, condition: Callable[[], object], patience: float = 20.0) -> bool:
        """Spins until something is so; False if it is not after `patience` seconds."""
        end = time.monotonic() + patience
        while not condition():
            if time.monotonic() > end:
                return False
            self.executor.spin_once(timeout_sec=0.05)
        return True


@pytest.fixture
def ros() -> Iterator[Ros]:
    # rclpy leaves the services of a lifecycle node until the node is collected, and a node is part
    # of cycles: this test would find those of an earlier one, and lose them in its midst.
    gc.collect()
    rclpy.init()
    ros = Ros()
    yield ros
    for node in ros.executor.get_nodes():
        if hasattr(node, 'end'):
            node.end()
            node.diagnostics.close()
        node.destroy_node()
    rclpy.try_shutdown()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Nodes that must find each other are tested one at a time: not beside other processes' nodes.

    On a busy machine they now and then did not within 20 s.
    """
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents and 'ros' in getattr(item, 'fixturenames', ()):
            item.add_marker(pytest.mark.graph)
