"""What the user's side says in the next 80 ms, from what the robot does. A pure policy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kame_ros.evaluation.suite import Cue
from kame_ros.wire.frame import FRAME_S, FRAME_SAMPLES, silence

_BREATH_S = 0.5  # a shorter silence of the robot is inside its speech


@dataclass(frozen=True)
class Said:
    """A cue and when its first sample was played, on the clock of the frames; None: left out."""

    cue: Cue
    t: float | None


class ScriptPlayer:
    """Plays cues one after the other, each at its time; between them there is silence.

    `frame` is called once for each 80 ms, with what is known of the robot then.
    """

    def __init__(self, cues: Sequence[tuple[Cue, np.ndarray]]) -> None:
        self._waiting = list(cues)
        self._sound = np.zeros(0, np.int16)  # what is still to be played
        self._now = 0.0  # since the beginning
        self._base = 0.0  # the end of what was said last
        self._speaking_s = 0.0  # of the robot, breaths included
        self._silent_s = 0.0
        self._answered = False  # the robot has spoken since `_base`
        self.said: list[Said] = []

    @property
    def done(self) -> bool:
        """Whether all was said or left out."""
        return not self._waiting and not len(self._sound)

    def frame(self, t: float, robot_speaks: bool) -> np.ndarray:
        """The user's int16[1920] that begin at `t` on the clock of the frames."""
        self._follow(robot_speaks)
        if not len(self._sound) and self._waiting:
            self._begin(t)
        out, self._sound = self._sound[:FRAME_SAMPLES], self._sound[FRAME_SAMPLES:]
        self._now += FRAME_S
        if len(out):
            self._base, self._answered, self._speaking_s = self._now, False, 0.0
        if len(out) < FRAME_SAMPLES:
            out = np.concatenate([out, silence()[len(out) :]])
        return out

    def _follow(self, robot_speaks: bool) -> None:
        if robot_speaks:
            self._speaking_s += FRAME_S + (self._silent_s if self._speaking_s else 0.0)
            self._silent_s, self._answered = 0.0, True
            return
        self._silent_s += FRAME_S
        if self._silent_s > _BREATH_S:
            self._speaking_s = 0.0

    def _begin(self, t: float) -> None:
        cue, sound = self._waiting[0]
        waited = self._now - self._base
        if cue.when == 'at':
            if self._now < cue.seconds - FRAME_S / 2:
                return
        elif cue.when == 'after_robot':
            answered = self._answered and self._silent_s >= cue.seconds
            if not answered and waited < cue.latest_s:
                return
        elif self._speaking_s < cue.seconds:
            if waited >= cue.latest_s:
                self.said.append(Said(cue, None))
                del self._waiting[0]
                self._base, self._answered = self._now, False
            return
        del self._waiting[0]
        self._sound = sound
        self.said.append(Said(cue, t))
