"""The health of a node on /diagnostics."""

from __future__ import annotations

import os
import secrets
import socket
import threading
from typing import Any, ClassVar, Protocol

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue

from kame_ros.runtime import progress

PERIOD_S = 1.0


# Of every node; the others are its own.
_WARN_WHEN_GROWING = ('bad_messages', 'texts_lost', 'callbacks_failed')


class Subject(Protocol):
    """What a node tells of its health."""

    fault: str
    WARN_WHEN_GROWING: ClassVar[tuple[str, ...]]

    def create_publisher(self, *args: Any, **options: Any) -> Any:
        """Of rclpy."""

    def get_fully_qualified_name(self, *args: Any, **options: Any) -> Any:
        """Of rclpy."""

    def get_logger(self, *args: Any, **options: Any) -> Any:
        """Of rclpy."""

    def get_clock(self, *args: Any, **options: Any) -> Any:
        """Of rclpy."""

    @property
    def context(self) -> Any:
        """Its context of rclpy."""

    @property
    def lingering(self) -> str:
        """What is wrong with its threads; empty: nothing."""

    def complaint(self) -> str:
        """What is wrong now; empty: nothing."""

    def hardware(self) -> str:
        """The hardware that it works on."""

    def totals(self) -> dict[str, float | str]:
        """Its counters and states, by name."""


class DiagnosticsPublisher:
    """Publishes the node's state and counters once a second, from a thread of its own.

    A thread and not a timer, so that it goes on while a transition loads a model.
    """

    def __init__(self, node: Subject) -> None:
        self.state = 'unconfigured'
        self._node = node
        self._publisher = node.create_publisher(DiagnosticArray, '/diagnostics', 10)
        self._last: dict[str, float] = {}
        self._host = socket.gethostname()
        self._life = secrets.randbelow(10**9)  # tells one process of this name from the next
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name='diagnostics', daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ends the thread."""
        self._stop.set()
        self._thread.join(2.0)

    def publish(self) -> None:
        """Publishes now."""
        with self._lock:
            if not self._node.context.ok():
                return
            array = DiagnosticArray(status=[self._status()])
            array.header.stamp = self._node.get_clock().now().to_msg()
            self._publisher.publish(array)

    def _run(self) -> None:
        while not self._stop.wait(PERIOD_S):
            try:
                self.publish()
            except Exception as error:
                if self._stop.is_set() or not self._node.context.ok():
                    return  # the context ended between the check and the call
                self._node.get_logger().warning(
                    f'no diagnostics: {error}', throttle_duration_sec=60.0
                )

    def _status(self) -> DiagnosticStatus:
        node = self._node
        values = node.totals()
        level, message = self._level(values)
        return DiagnosticStatus(
            level=level,
            name=node.get_fully_qualified_name().lstrip('/'),
            hardware_id=': '.join(filter(None, (self._host, node.hardware()))),
            message=message,
            values=[
                KeyValue(key='state', value=self.state),
                KeyValue(key='life', value=str(self._life)),
                KeyValue(key='pid', value=str(os.getpid())),
            ]
            + [KeyValue(key=key, value=_text(value)) for key, value in values.items()],
        )

    def _level(self, values: dict[str, float | str]) -> tuple[bytes, str]:
        if wrong := self._node.fault or self._node.lingering or self._node.complaint():
            return DiagnosticStatus.ERROR, wrong
        grown = []
        for name in dict.fromkeys((*self._node.WARN_WHEN_GROWING, *_WARN_WHEN_GROWING)):
            value = float(values.get(name, 0))
            if value > self._last.get(name, 0):
                grown.append(f'{name} {value:g}')
            self._last[name] = value
        if grown:
            return DiagnosticStatus.WARN, ', '.join(grown)
        told = progress.told() if self.state == 'configuring' else ''
        return DiagnosticStatus.OK, told or self.state


def _text(value: float | str) -> str:
    return value if isinstance(value, str) else f'{value:g}' if value < 1e6 else f'{value:.0f}'
