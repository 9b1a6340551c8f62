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
from kame_ros.nodes.robot.say_server import cannot_be_said

_SPIN_S = 0.05
_ANSWER_S = 5.0  # for the robot to take a goal or refuse it
_AGAIN_S = 0.3
_CANCEL_S = 3.0  # for the robot to fall silent
_ASK_S = 2.0  # how often the robot is asked whether it still knows the goal


class NoRobot(RuntimeError):
    """No node offers the action."""


def say_to_robot(
    action: str, text: str, priority: int, patience: float, on_feedback: Callable[[str], None]
) -> tuple[str, str]:
    """Makes the robot say a text; gives what was said, and why it was not all, if it was not.

    Ctrl-C stops the robot; a robot that ends is noticed. Raises NoRobot when the action is not
    there within `patience` seconds.
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
        said = ['']

        def on_said(message: Say.Impl.FeedbackMessage) -> None:
            said[0] = message.feedback.said
            on_feedback(said[0])

        end = time.monotonic() + patience
        while handle is None or not handle.accepted:
            if stops or time.monotonic() > end:
                return '', 'the robot refused it' if handle else 'the robot does not answer'
            if handle is not None:
                wait(Future(), _AGAIN_S)  # a node that comes up refuses at first
            sent = client.send_goal_async(goal, feedback_callback=on_said)
            # A dead robot is still seen for a while: what was sent to it has no answer.
            handle = sent.result() if wait(sent, _ANSWER_S) else None
        results = [handle.get_result_async()]
        while not (done := _first_done(results)) and not stops:
            if not wait(results[-1], _ASK_S) and not stops:
                if not client.server_is_ready():
                    return said[0], 'the robot is gone'
                # A robot that was started anew does not know the goal, and says so.
                results = [results[0], handle.get_result_async()]
        if done is None:
            stops.clear()
            handle.cancel_goal_async()
            wait(results[-1], _CANCEL_S)
            if (done := _first_done(results)) is None:
                return said[0], 'cancelled, and the robot does not answer'
        answer = done.result()
        if answer.status == GoalStatus.STATUS_SUCCEEDED:
            return answer.result.said, ''
        if answer.status == GoalStatus.STATUS_UNKNOWN:
            return said[0], 'the robot was started anew, and has forgotten it'
        return answer.result.said, answer.result.message or 'it was not said'
    finally:
        client.destroy()
        executor.remove_node(node)
        node.destroy_node()
        rclpy.try_shutdown()
        signal.signal(signal.SIGINT, before)


def _first_done(futures: list[Future]) -> Future | None:
    return next((future for future in futures if future.done()), None)
