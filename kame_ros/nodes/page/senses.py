"""The topics of a robot, subscribed to only while somebody looks or talks."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from std_msgs.msg import Bool

import kame_ros.msg as msg
from kame_ros.nodes.common import convert, qos
from kame_ros.nodes.common.base import KameNode
from kame_ros.nodes.common.listen import as_it_is
from kame_ros.wire.topics import TOPICS, node_below

_MOST_NODES = 32  # whose health is told
_SOUND, _WORDS = qos.AUDIO_ASK, qos.TEXT
# What is heard, by the method of a consumer that it is told to.
_HEARD: dict[str, tuple[type, str, Any, Callable[[Any], Any]]] = {
    method: (getattr(msg, kind), topic, _SOUND if kind == 'AudioFrame' else _WORDS, read)
    for method, (topic, kind, read) in TOPICS.items()
}
_FOR_SESSION = {
    method: _HEARD[method] for method in ('on_turn', 'on_transcript', 'on_monologue', 'on_played')
}
_FOR_PAGES = _HEARD | {
    'muted': (Bool, 'muted', qos.STATE, as_it_is),
    'on_health': (DiagnosticArray, '/diagnostics', _WORDS, as_it_is),
}


class Senses:
    """Subscribes to what is needed, in the thread of the executor that calls `want`."""

    def __init__(
        self, node: KameNode, tell: Callable[..., None], show: Callable[..., None]
    ) -> None:
        self._node, self._tell, self._show = node, tell, show
        self._subscriptions: dict[str, Any] = {}
        self._prefix = f'{node.get_namespace().strip("/")}/'.lstrip('/')
        self._names: set[str] = set()

    def want(self, pages: bool, session: bool) -> None:
        """Listens to what pages show and a session needs, and to nothing else."""
        wanted = _FOR_PAGES if pages else _FOR_SESSION if session else {}
        for method in self._subscriptions.keys() - wanted.keys():
            self._node.destroy_subscription(self._subscriptions.pop(method))
        for method in wanted.keys() - self._subscriptions.keys():
            self._subscriptions[method] = self._listen(method, *wanted[method])

    def _listen(self, method: str, kind: type, topic: str, profile: Any, read: Any) -> Any:
        def tell(value: Any) -> None:
            if method == 'on_health':
                self._tell_health(value)
            elif method == 'muted':
                self._show(muted=bool(value.data))
            else:
                self._tell(method, value)

        callback = self._node.reader.reading(kind, topic, read, tell)
        return self._node.create_subscription(kind, topic, callback, copy(profile))

    def _tell_health(self, array: DiagnosticArray) -> None:
        for status in array.status:
            name = node_below(self._prefix, status.name)
            if name is None:
                continue
            if name not in self._names and len(self._names) >= _MOST_NODES:
                continue
            self._names.add(name)
            self._tell('on_health', name, convert.health_from_status(status))
