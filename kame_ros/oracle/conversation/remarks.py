"""Tells an "uh-huh" that is said over the robot's answer from what asks for one. Pure."""

from __future__ import annotations

from collections import deque

from kame_ros.oracle.conversation.history import OTHER_CLOCK_S
from kame_ros.turns.sentence_end import is_question
from kame_ros.turns.words_heard import is_backchannel
from kame_ros.wire.transcript import Transcript

_STRETCHES = 32  # of the robot's speech that are known
_RACE_S = 0.5  # s: who began so shortly before the robot speaks over it, too


class Remarks:
    """When the robot spoke, and which words of the user over it are remarks. Times in seconds.

    The words of a remark may come long after it. It asks for nothing, so that no LLM is asked.
    """

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """A new conversation."""
        self._spoke: deque[tuple[float, float]] = deque(maxlen=_STRETCHES)  # from, to
        self._stopped_at = float('-inf')

    def robot_begins(self, t: float) -> None:
        """The robot speaks from `t` on."""
        self._spoke.append((t, float('inf')))

    def robot_ends(self, t: float) -> None:
        """The robot has fallen silent at `t`."""
        if self._spoke:
            self._spoke[-1] = (self._spoke[-1][0], t)

    def robot_stopped(self, t: float) -> None:
        """The user was found at `t` to interrupt the robot: what they said was no remark."""
        self._stopped_at = t

    def is_remark(self, heard: Transcript, robot_said: str) -> bool:
        """Whether the words ask the robot to go on; `robot_said` is what it had said by then.

        What is typed is none, nor what answers a question of the robot.
        """
        if heard.end <= heard.start or not is_backchannel(heard.text):
            return False
        if self._stopped_at - OTHER_CLOCK_S < heard.start <= self._stopped_at:
            return False
        if is_question(robot_said):
            return False
        return any(begun - _RACE_S <= heard.start <= ended for begun, ended in self._spoke)
