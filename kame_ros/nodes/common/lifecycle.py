"""The lifecycle services of a node: whatever is asked, the caller gets an answer.

rclpy's own callback raises for a transition that is not possible now, and so ends the node.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rclpy.impl.implementation_singleton import rclpy_implementation as _rclpy
from rclpy.lifecycle import LifecycleNode
from rclpy.service import Service

from kame_ros.runtime.faults import RAISED_BY_OTHERS

# The transitions that others may ask for, by rcl's names; the rest is the node's own affair.
_ASKED_FOR = ('configure', 'cleanup', 'activate', 'deactivate', 'shutdown')
_POLL_NS = 200_000_000


class TransitionServer:
    """Answers `change_state` for a node: what cannot be done now is refused, and no error.

    `serve` does it in a thread of its own, so that a model that loads for minutes keeps no other
    service of the node waiting. Until then, the executor of the node does it.
    """

    def __init__(self, node: LifecycleNode) -> None:
        self._node = node
        self._lock = threading.Lock()  # one transition at a time, whoever asks
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self.refused = 0
        self._service = next(s for s in node.services if s.srv_name.endswith('/change_state'))
        self._answer: Callable[[Any, Any], Any] = self._service.callback
        self._service.callback = self._on_change_state

    def serve(self) -> None:
        """Takes the service from the executor into a thread."""
        self._node._services.remove(self._service)  # rclpy offers no public way
        self._thread = threading.Thread(target=self._run, name='transitions', daemon=True)
        self._thread.start()

    def close(self, patience: float) -> bool:
        """Ends the thread; False if a transition still runs after `patience` seconds."""
        self._stop.set()
        if self._thread:
            self._thread.join(patience)
        return not (self._thread and self._thread.is_alive())

    def _on_change_state(
        self, request: ChangeState.Request, response: ChangeState.Response
    ) -> ChangeState.Response:
        with self._lock:
            if self._stop.is_set() or not self._possible(request.transition):
                self.refused += 1
                response.success = False
                return response
            try:
                answered: ChangeState.Response = self._answer(request, response)
                return answered
            except _rclpy.RCLError as error:
                self._node.get_logger().error(f'a transition failed: {error}')
                response.success = False
                return response

    def _possible(self, wanted: Transition) -> bool:
        for number, label, *_ in self._node._state_machine.available_transitions:
            fits = wanted.label == label if wanted.label else wanted.id == number
            if fits and label in _ASKED_FOR:
                return True
        return False

    def _run(self) -> None:
        context = self._node.context
        while not self._stop.is_set() and context.ok():
            try:
                if _wait_for(self._service, context):
                    self._serve_one()
            except RAISED_BY_OTHERS as error:
                if not self._stop.is_set() and context.ok():
                    self._node.get_logger().error(f'change_state failed: {error}')
                    self._stop.wait(1.0)

    def _serve_one(self) -> None:
        with self._service.handle:
            request, header = self._service.handle.service_take_request(ChangeState.Request)
        if header is not None and request is not None:
            response = self._on_change_state(request, ChangeState.Response())
            self._service.send_response(response, header)


def _wait_for(service: Service, context: Any) -> bool:
    """Whether a request is there; waits a moment for one."""
    with service.handle, context.handle:
        wait_set = _rclpy.WaitSet(0, 0, 0, 0, 1, 0, context.handle)
        wait_set.clear_entities()
        wait_set.add_service(service.handle)
        wait_set.wait(_POLL_NS)
        return bool(wait_set.get_ready_entities('service'))
