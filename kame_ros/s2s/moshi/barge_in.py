"""The user over a robot that goes on hearing while it speaks: the one judge of it. No torch."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from kame_ros.audio.frame import FRAME_S
from kame_ros.oracle.chunk import Oracle
from kame_ros.s2s.front_end import Step
from kame_ros.s2s.tts_barge_in import BargeInConfig, Disturbance, Verdict
from kame_ros.s2s.tts_ear import Ear, Vad
from kame_ros.s2s.tts_turn_end import TurnEnd

DUCK_GAIN = 0.25


class GiveWay:
    """The user's sound and words in; how loud the robot is, and when it has to stop, out.

    It ducks as soon as the user speaks over it. The model cannot be held, so that it stays ducked
    where the `tts` front-end would be silent, until the words tell whether it was meant: a cough
    or "uh-huh" lets it go on, anything else is a `STOP`. Times are those of the frames heard.
    """

    def __init__(
        self, vad: Vad, config: BargeInConfig | None = None, duck_gain: float = DUCK_GAIN
    ) -> None:
        self._ear = Ear(vad, TurnEnd())
        self._duck_gain = duck_gain
        self._disturbance = Disturbance(config or BargeInConfig(), duck_gain)
        self.reset()

    def reset(self) -> None:
        """A new session."""
        self._ear.reset()
        self._disturbance.reset()
        self.gain = 1.0
        self._now = 0.0  # s, the end of the frame being heard
        self._floor, self._floor_since = False, 0.0
        self._yielded = False  # to what the user says; what they go on to say is no second barge-in
        self._begun: Oracle | None = None  # what the robot began to say
        self._taken: Oracle | None = None  # what it was to say in the last step

    def calm(self) -> None:
        """The robot was stopped by somebody else."""
        self._disturbance.calm()
        self.gain = 1.0

    def hear(self, user: np.ndarray, robot_speaks: bool, oracle: Oracle | None) -> Verdict:
        """Takes int16[1920], before the step that hears the same, and says what the robot does."""
        self._now += FRAME_S
        self._ear.hear(user)
        if robot_speaks:
            self._begun = oracle
        unsaid = oracle is not None and self._begun is not None and oracle.key == self._begun.key
        self._yielded &= self._ear.speaking
        floor = (robot_speaks or unsaid) and not self._yielded and self._may_be_stopped(oracle)
        if floor and not self._floor:
            self._floor_since = self._now - FRAME_S
        self._floor = floor
        verdict = self._disturbance.update(self._now, self._ear, floor, self._floor_since)
        gain = self._disturbance.gain
        self.gain = gain if verdict is Verdict.STOP else max(gain, self._duck_gain)
        if verdict is Verdict.STOP:
            self._begun, self._yielded = None, True
        return verdict

    def choose(self, oracle: Oracle | None) -> Oracle | None:
        """What the robot is to say: not an answer to "uh-huh", which asked it to go on."""
        if oracle is None or oracle.utterance not in self._disturbance.remarks:
            self._taken = oracle
        return self._taken

    def at_this_gain(self, step: Step) -> Step:
        """The step, with how loud the robot is."""
        return replace(step, gain=self.gain)

    def hear_words(
        self, utterance: int, text: str, start: float, end: float, final: bool = True
    ) -> None:
        """The user's words so far; times in seconds before the end of the last frame heard."""
        self._ear.words.hear(utterance, text, self._now + start, self._now + end, final)

    def excuse(self) -> None:
        """The user's last speech was noise."""
        self._ear.words.noise_until = self._now

    def _may_be_stopped(self, oracle: Oracle | None) -> bool:
        """Not by a user who says just what it answers, nor is what another node has to say."""
        if oracle is None:
            return True
        words = self._ear.words.since(self._ear.speech_start)
        answers = words is not None and 0 <= words.utterance <= oracle.utterance
        return oracle.priority <= 0 and not answers
