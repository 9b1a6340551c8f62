"""Hears everything that passes in a graph, and tells those who follow the conversation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import methodcaller
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.node import Node

import kame_ros.msg as msg
from kame_ros.consumers.consumer import Consumer
from kame_ros.consumers.queued import Queued
from kame_ros.graph.description import Graph
from kame_ros.nodes.common import convert, qos
from kame_ros.runtime.faults import Faults
from kame_ros.wire.topics import TOPICS

_PERIOD_S = 1.0


class TopicListener:
    """Subscribes to the topics that consumers hear, on a node that the caller spins.

    They are told in the order in which they are given, in the thread that spins: who may be slow is
    `Queued`, and its counters are told on /diagnostics. What a message cannot be understood for, or
    a consumer raises, is counted and each kind told once. Sound is asked for RELIABLE here: a
    record must be whole, and may be late.
    """

    def __init__(self, node: Node, graph: Graph, consumers: Sequence[Consumer]) -> None:
        self._node, self._graph = node, graph
        self._consumers = tuple(consumers)
        self._queued = [each for each in self._consumers if isinstance(each, Queued)]
        self._faults = Faults(node.get_logger().error)
        self._grown: dict[str, float] = {}
        self._paths = {graph.path(name).lstrip('/'): name for name in graph.names}
        for method, (topic, kind, read) in TOPICS.items():
            if hearers := self._hearers(method):
                tell = self._faults.guarded(topic, self._teller(method, read, hearers))
                node.create_subscription(getattr(msg, kind), graph.path(topic), tell, qos.RECORD)
        if self._hearers('on_health'):
            node.create_subscription(DiagnosticArray, '/diagnostics', self._on_diagnostics, 50)
        if self._queued:
            self._health = node.create_publisher(DiagnosticArray, '/diagnostics', 10)
            # Not a timer of the node's clock: simulated time may stand still.
            steady = Clock(clock_type=ClockType.STEADY_TIME)
            node.create_timer(_PERIOD_S, self._publish, clock=steady)

    @property
    def failed(self) -> int:
        """How many messages were not understood, or ended in a fault."""
        return self._faults.count

    def _hearers(self, method: str) -> list[Consumer]:
        return [each for each in self._consumers if method in each.hears]

    def _teller(
        self, method: str, read: Callable[[Any], Any], hearers: Sequence[Consumer]
    ) -> Callable[[Any], None]:
        def tell(message: Any) -> None:
            call = methodcaller(method, read(message))
            for consumer in hearers:
                self._faults.guarded(f'{type(consumer).__name__}.{method}', call)(consumer)

        return tell

    def _on_diagnostics(self, array: DiagnosticArray) -> None:
        for status in array.status:
            name = self._paths.get(status.name)
            if name is not None:
                call = methodcaller('on_health', name, convert.health_from_status(status))
                for consumer in self._hearers('on_health'):
                    self._faults.guarded('/diagnostics', call)(consumer)

    def _publish(self) -> None:
        array = DiagnosticArray(status=[self._status(each) for each in self._queued])
        array.header.stamp = self._node.get_clock().now().to_msg()
        self._health.publish(array)

    def _status(self, queued: Queued) -> DiagnosticStatus:
        values = queued.counters()
        grown = [
            f'{name} {values[name]:g}'
            for name in ('consumer_dropped', 'consumer_failed')
            if values[name] > self._grown.get(f'{queued.name}.{name}', 0.0)
        ]
        self._grown.update({f'{queued.name}.{name}': value for name, value in values.items()})
        return DiagnosticStatus(
            level=DiagnosticStatus.WARN if grown else DiagnosticStatus.OK,
            name=f'{self._graph.path("consumer").lstrip("/")}/{queued.name}',
            message=', '.join(grown) or 'active',
            values=[KeyValue(key=key, value=f'{value:g}') for key, value in values.items()],
        )
