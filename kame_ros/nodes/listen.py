"""How a node listens: what cannot be used ends nothing, and who publishes in what way is heard."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable
from typing import Any

from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.serialization import deserialize_message
from rclpy.subscription import Subscription

from kame_ros.nodes import qos
from kame_ros.nodes.base import KameNode
from kame_ros.once import Once

_TICK_S = 0.1
_LOOK_S = 0.5  # how often it is looked for publishers of another quality
_HELD = 50  # latched messages that wait for the node to be active
_MAX_BYTES = 100_000  # of a message of text; the longest that is of use has a tenth of it

Callback = Callable[[Any], None]


class Guard:
    """Callbacks that raise nothing: what they cannot use is counted by topic, and logged once.

    >>> guarded = Guard(node)('oracle', on_chunk)  # doctest: +SKIP
    """

    def __init__(self, node: Node) -> None:
        self._logger = node.get_logger()
        self._bad: Counter[str] = Counter()

    def __call__(self, topic: str, callback: Callback) -> Callback:
        """The same callback, which cannot raise."""

        def guarded(message: Any) -> None:
            try:
                callback(message)
            except Exception as error:
                self.refuse(topic, f'{type(error).__name__}: {error}')

        return guarded

    def refuse(self, topic: str, why: str) -> None:
        """Counts a message that cannot be used, and tells of the first one of each topic."""
        self._bad[topic] += 1
        if self._bad[topic] == 1:
            self._logger.error(f'{topic}: a message cannot be used: {why[:300]}')

    def counters(self) -> dict[str, float]:
        """How many messages could not be used: of all topics, and of each that had one."""
        each = {f'bad_messages.{topic}': float(n) for topic, n in sorted(self._bad.items())}
        return {'bad_messages': float(sum(self._bad.values())), **each}


class Anyone:
    """A topic of text that is heard whatever quality of service its publishers offer.

    The subscription is reliable, as the order and all of the text matter. While there are best
    effort or latched publishers, it has others beside it, and what comes twice is given on once.
    What was latched before the node was active is heard when it is.
    """

    def __init__(
        self, node: KameNode, kind: type, topic: str, callback: Callback, guard: Guard
    ) -> None:
        self._node, self._kind, self._topic = node, kind, topic
        self._callback = guard(topic, self._unpacked(callback))
        self._once = Once()
        self._held: deque[bytes] = deque(maxlen=_HELD)
        self._ways: set[str] = set()
        self._full_name = self._subscribe('reliable', qos.TEXT).topic_name
        self._looked = 0.0
        # Not a timer of the node's clock: simulated time may stand still.
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        timer = node.create_timer(_TICK_S, self._tick, clock=steady)
        node._entities.append((node.destroy_timer, timer))

    @staticmethod
    def ways(infos: list[Any]) -> set[str]:
        """The further ways on which publishers of these kinds (TopicEndpointInfo) are heard."""
        found = set()
        for info in infos:
            profile = info.qos_profile
            if profile.reliability == ReliabilityPolicy.BEST_EFFORT:
                found.add('best effort')
            elif profile.durability == DurabilityPolicy.TRANSIENT_LOCAL:
                found.add('latched')
        return found

    def _unpacked(self, callback: Callback) -> Callback:
        def unpack(message: bytes) -> None:
            if len(message) > _MAX_BYTES:
                raise ValueError(f'{len(message)} bytes are more than {_MAX_BYTES}')
            callback(deserialize_message(message, self._kind))

        return unpack

    def _subscribe(self, way: str, profile: QoSProfile) -> Subscription:
        self._ways.add(way)
        # The others hear who is not heard on this one: no warning.
        silent = SubscriptionEventCallbacks(use_default_callbacks=False)

        def on_message(message: Any) -> None:
            self._on_message(way, message)

        subscription = self._node.create_subscription(
            self._kind,
            self._topic,
            on_message,
            profile,
            event_callbacks=silent,
            raw=True,
        )
        self._node._entities.append((self._node.destroy_subscription, subscription))
        return subscription

    def _on_message(self, way: str, message: bytes) -> None:
        if not self._node.active:
            if way == 'latched':
                self._held.append(message[: _MAX_BYTES + 1])
            return
        if self._once.put(way, message, time.monotonic(), sure=way != 'best effort'):
            self._callback(message)

    def _tick(self) -> None:
        now = time.monotonic()
        if now - self._looked >= _LOOK_S:
            self._looked = now
            infos = self._node.get_publishers_info_by_topic(self._full_name)
            for way in sorted(self.ways(infos) - self._ways):
                self._subscribe(way, qos.LATCHED if way == 'latched' else qos.TEXT_ASK_ANY)
        if self._node.active:
            while self._held:
                self._on_message('latched', self._held.popleft())
            for message in self._once.due(now):
                self._callback(message)


def listen_to_anyone(
    node: KameNode, kind: type, topic: str, callback: Callback, guard: Guard | None = None
) -> Anyone:
    """Listens to a topic while the node is active, whatever its publishers offer; see `Anyone`."""
    return Anyone(node, kind, topic, callback, guard or Guard(node))
