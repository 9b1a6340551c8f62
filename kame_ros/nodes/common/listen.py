"""How a node listens: what cannot be used ends nothing, and who publishes in what way is heard."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol

from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.serialization import deserialize_message
from rclpy.subscription import Subscription

import kame_ros.msg as msg
from kame_ros.nodes.common import qos
from kame_ros.runtime.faults import RAISED_BY_OTHERS, Faults
from kame_ros.runtime.inbox import Inbox
from kame_ros.runtime.once import Once

_TICK_S = 0.1
_LOOK_S = 0.5  # how often it is looked for publishers of another quality
_HELD = 50  # latched messages that wait for the node to be active
_MAX_BYTES = 100_000  # of a message of text; the longest that is of use has a tenth of it

_LONGEST = 400  # characters of a reason

Callback = Callable[[Any], Any]


class MessageReader:
    """Reads the messages of a node's topics: what cannot be used is counted, by topic.

    Each kind of it is told once. A fault in what is done with a message is another thing: it goes
    to `survive`.
    """

    def __init__(
        self, tell: Callable[[str], None], survive: Callable[[BaseException, str], None]
    ) -> None:
        self._unread = Faults(tell, _why_unread)
        self._survive = survive
        self._sound: set[str] = set()  # topics
        self._anyone: dict[str, Anyone] = {}  # by topic

    def reading(self, kind: type, topic: str, convert: Callback, callback: Callback) -> Callback:
        """A callback that cannot raise: gives `callback` what `convert` makes of a message.

        What `convert` raises is a message that cannot be used.
        """
        if kind is msg.AudioFrame:
            self._sound.add(topic)

        def read(message: Any) -> None:
            try:
                value = convert(message)
            except RAISED_BY_OTHERS as error:
                self._unread.book(topic, error)
                return
            try:
                callback(value)
            except RAISED_BY_OTHERS as error:
                self._survive(error, topic)

        return read

    def follow(self, topic: str, anyone: Anyone) -> None:
        """What this one loses is counted, too."""
        self._anyone[topic] = anyone

    def counters(self, prefix: str = '') -> dict[str, float]:
        """How many messages of the topics that begin with `prefix` were lost, or of no use."""
        heard = [one for topic, one in self._anyone.items() if topic.startswith(prefix)]
        each = {topic: n for topic, n in self._unread.by_place.items() if topic.startswith(prefix)}
        return {
            'bad_messages': float(sum(each.values())),
            'bad_frames': float(sum(each[topic] for topic in each.keys() & self._sound)),
            'texts_lost': float(sum(one.lost for one in heard)),
            'texts_doubled': float(sum(one.doubled for one in heard)),
            **{
                f'bad_messages.{topic[len(prefix) :]}': float(each[topic]) for topic in sorted(each)
            },
        }


def as_it_is(message: Any) -> Any:
    """Converts a message that needs none."""
    return message


def _why_unread(topic: str, error: BaseException) -> str:
    return f'{topic}: a message cannot be used: {type(error).__name__}: {error}'[:_LONGEST]


class ActiveNode(Protocol):
    """What is needed of a node to listen for it."""

    active: bool
    reader: MessageReader
    _entities: list[tuple[Callable[[Any], Any], Any]]

    def create_timer(self, *args: Any, **options: Any) -> Any:
        """Of rclpy."""

    def destroy_timer(self, *args: Any, **options: Any) -> Any:
        """Of rclpy."""

    def create_subscription(self, *args: Any, **options: Any) -> Any:
        """Of rclpy."""

    def destroy_subscription(self, *args: Any, **options: Any) -> Any:
        """Of rclpy."""

    def get_publishers_info_by_topic(self, *args: Any, **options: Any) -> Any:
        """Of rclpy."""


class Anyone:
    """A topic of text that is heard whatever quality of service its publishers offer.

    The subscription is reliable, as the order and all of the text matter. While there are best
    effort or latched publishers, it has others beside it, and what comes twice is given on once.
    What was latched before the node was active is heard when it is.
    """

    def __init__(
        self, node: ActiveNode, kind: type, topic: str, convert: Callback, callback: Callback
    ) -> None:
        self._node, self._kind, self._topic = node, kind, topic
        self._callback = node.reader.reading(kind, topic, self._unpacking(convert), callback)
        self._once = Once()
        self._held: Inbox[bytes] = Inbox(_HELD)
        self._ways: set[str] = set()
        self._full_name = self._subscribe('reliable', qos.TEXT).topic_name
        self._looked = 0.0
        node.reader.follow(topic, self)
        # Not a timer of the node's clock: simulated time may stand still.
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        timer = node.create_timer(_TICK_S, self._tick, clock=steady)
        node._entities.append((node.destroy_timer, timer))

    @property
    def lost(self) -> int:
        """Messages that had to wait and found no room."""
        return self._once.dropped + self._held.dropped

    @property
    def doubled(self) -> int:
        """Messages that may have been given on twice, as too many came to remember them."""
        return self._once.forgotten

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

    def _unpacking(self, convert: Callback) -> Callback:
        def unpack(message: bytes) -> Any:
            if len(message) > _MAX_BYTES:
                raise ValueError(f'{len(message)} bytes are more than {_MAX_BYTES}')
            return convert(deserialize_message(message, self._kind))

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
                self._held.put(message[: _MAX_BYTES + 1])
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
            for message in self._held.drain():
                self._on_message('latched', message)
            for message in self._once.due(now):
                self._callback(message)


def listen_to_anyone(
    node: ActiveNode, kind: type, topic: str, convert: Callback, callback: Callback
) -> Anyone:
    """Listens to a topic while the node is active, whatever its publishers offer; see `Anyone`."""
    return Anyone(node, kind, topic, convert, callback)
