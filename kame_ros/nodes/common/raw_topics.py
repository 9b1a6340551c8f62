"""Hears topics without reading them: those that are known, and what others publish beside them."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, cast

from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

from kame_ros.bag.definitions import NoDefinition, definition
from kame_ros.bag.metadata import Topic
from kame_ros.nodes.common import qos
from kame_ros.nodes.common.base import KameNode

_LOOK_S = 1.0  # how often it is looked for topics of others

Take = Callable[[Topic, bytes], None]


class RawTopics:
    """Gives `take(topic, CDR)` each message. When it was published is not told: the executor of our
    nodes (EventsExecutor) has no way to, and fails where it is asked.

    `known` are heard from the start, so that their first message is not missed; each other topic in
    the namespace of the node is found within a second, if its type is installed. The feedback of an
    action, which only its client reads, is passed over.
    """

    def __init__(
        self, node: KameNode, known: dict[str, type], latched: tuple[str, ...], take: Take
    ) -> None:
        self._node, self._take = node, take
        self._names: set[str] = set()
        self.unknown: dict[str, str] = {}  # topics whose type is not, and why
        for name, kind in known.items():
            kept = name in latched
            self._subscribe(name, kind, qos.LATCHED if kept else qos.RECORD, kept)
        # Not a timer of the node's clock: simulated time may stand still.
        timer = node.create_timer(
            _LOOK_S, self._look, clock=Clock(clock_type=ClockType.STEADY_TIME)
        )
        node._entities.append((node.destroy_timer, timer))

    def _subscribe(self, name: str, kind: type, profile: QoSProfile, latched: bool) -> None:
        full = self._node.resolve_topic_name(name)
        self._names.add(full)
        where = Topic(
            full,
            f'{kind.__module__.split(".")[0]}/msg/{kind.__name__}',
            latched,
            profile.reliability != ReliabilityPolicy.BEST_EFFORT,
            profile.depth,
        )

        def on_message(message: Any) -> None:
            if self._node.active:
                self._take(where, bytes(message))

        subscription = self._node.create_subscription(kind, full, on_message, profile, raw=True)
        self._node._entities.append((self._node.destroy_subscription, subscription))

    def _look(self) -> None:
        prefix = self._node.get_namespace().rstrip('/') + '/'
        for name, kinds in self._node.get_topic_names_and_types():
            if name in self._names or not name.startswith(prefix) or len(kinds) != 1:
                continue
            if not (publishers := self._node.get_publishers_info_by_topic(name)):
                continue
            self._names.add(name)
            if is_of_an_action(kinds[0]):
                continue
            try:
                kind = message_type(kinds[0])
            except (NoDefinition, ImportError, AttributeError) as error:
                self.unknown[name] = str(error)
                self._node.get_logger().warning(f'{name} is not heard: {error}')
                continue
            profiles = [publisher.qos_profile for publisher in publishers]
            reliable = all(p.reliability == ReliabilityPolicy.RELIABLE for p in profiles)
            latched = all(p.durability == DurabilityPolicy.TRANSIENT_LOCAL for p in profiles)
            profile = qos.LATCHED if latched else qos.RECORD if reliable else qos.AUDIO_ASK
            self._subscribe(name, kind, profile, latched)


def is_of_an_action(name: str) -> bool:
    """Whether a type is what ROS makes of an action, and no message of a package."""
    return name.split('/')[1:2] == ['action']


def message_type(name: str) -> type:
    """The class of `package/msg/Name`.

    Anybody may name a type: nothing is imported that is not an installed package of messages.
    Raises NoDefinition, ImportError, AttributeError.
    """
    definition(name)
    package, _, message = name.split('/')
    return cast(type, getattr(importlib.import_module(f'{package}.msg'), message))
