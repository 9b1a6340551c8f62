"""The other end of the action `say`, for the command line."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

import rclpy
from action_msgs.msg import GoalStatus
from rclpy.action import ActionClient
from rclpy.executors import SingleThreadedExecutor
from rclpy.signals import SignalHandlerOptions
from rclpy.task import Future

from kame_ros.action import Say
from kame_ros.nodes.say_server import cannot_be_said

_SPIN_S = 0.05
_ANSWER_S = 5.0  # for the robot to take a goal or refuse it
_AGAIN_S = 0.3
_CANCEL_S = 3.0  # for the robot to fall silent


class NoRobot(RuntimeError):
    """No node offers the action."""


def say_to_robot(
    action: str, text: str, priority: int, patience: float, on_feedback: Callable[[str], None]
) -> tuple[str, str]:
    """Makes the robot say a text; gives what was said, and why it was not all, if it was not.

    Ctrl-C stops the robot. Raises NoRobot when the action is not there within `patience` seconds.
    """
    if problem := cannot_be_said(text):
        return '', problem
    rclpy.init(args=[], signal_handler_options=SignalHandlerOptions.NO)
    stops: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: stops.append(number))
    node = rclpy.create_node(f'kame_say_{os.getpid()}', start_parameter_services=False)
    client = ActionClient(node, Say, action)
    executor = SingleThreadedExecutor()
    executor.add_node(node)

    def wait(future: Future, seconds: float | None = None) -> bool:
        end = None if seconds is None else time.monotonic() + seconds
        while not future.done() and not stops:
            executor.spin_once(timeout_sec=_SPIN_S)
            if end is not None and time.monotonic() > end:
                return False
        return bool(future.done())

    try:
        if not client.wait_for_server(timeout_sec=patience):
            raise NoRobot(f'nobody offers the action {action}')
        goal = Say.Goal(text=text, priority=priority)
        handle = None
        end = time.monotonic() + patience
        while handle is None or not handle.accepted:
            if stops or time.monotonic() > end:
                return '', 'the robot refused it' if handle else 'the robot does not answer'
            if handle is not None:
                wait(Future(), _AGAIN_S)  # a node that comes up refuses at first
            sent = client.send_goal_async(
                goal, feedback_callback=lambda message: on_feedback(message.feedback.said)
            )
            # A dead robot is still seen for a while: what was sent to it has no answer.
            handle = sent.result() if wait(sent, _ANSWER_S) else None
        result = handle.get_result_async()
        if not wait(result):
            stops.clear()
            handle.cancel_goal_async()
            wait(result, _CANCEL_S)
        if not result.done():
            return '', 'cancelled, and the robot does not answer'
        answer = result.result()
        if answer.status == GoalStatus.STATUS_SUCCEEDED:
            return answer.result.said, ''
        return answer.result.said, answer.result.message or 'it was not said'
    finally:
        client.destroy()
        executor.remove_node(node)
        node.destroy_node()
        rclpy.try_shutdown()
        signal.signal(signal.SIGINT, before)
