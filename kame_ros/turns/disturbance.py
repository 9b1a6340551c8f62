"""Follows a user who speaks over the robot: what to do, how loud to be, which remarks to ignore."""

from __future__ import annotations

from collections import deque

from kame_ros.turns.barge_in import BargeIn, BargeInProfile, Verdict
from kame_ros.turns.turn_tracker import TurnTracker
from kame_ros.turns.words_heard import is_backchannel

_RACE_S = 0.5  # s: speech that began so shortly before the robot's is heard as interrupting it
_REMARKS = 32  # utterances: answers to older ones come no more


class Disturbance:
    """A user over the robot's speech: the verdict, how loud the robot is, and idle remarks."""

    def __init__(self, profile: BargeInProfile) -> None:
        self.profile = profile
        self._judge = BargeIn(profile)
        self.reset()

    def reset(self) -> None:
        """A new session."""
        self._judge.reset()
        self.gain = 1.0  # what the loudspeaker is asked to play with
        self.remarks: deque[int] = deque(maxlen=_REMARKS)  # they ask for no answer: "uh-huh"
        self._since = 0.0  # when the user began to speak over the robot

    @property
    def holds(self) -> bool:
        """Whether the robot is to be silent until it is known what the user wants."""
        return self._judge.state is Verdict.HOLD

    def calm(self) -> None:
        """The robot was stopped by somebody else."""
        self._judge.reset()
        self.gain = 1.0

    def update(
        self,
        now: float,
        user: TurnTracker,
        floor: bool,
        floor_since: float,
        asks: bool = False,
    ) -> Verdict:
        """What the robot does, which has or has not had the `floor` since `floor_since`.

        `asks`: what it said last is a question, so that a "yes" over its end is an answer.
        """
        calm = self._judge.state is Verdict.NONE
        if calm:
            self.gain = 1.0
            self._since = max(user.speech_start, floor_since)
        verdict = self._judge.update(
            now,
            floor=floor,
            # Who spoke already when the robot began does not interrupt: it was so configured.
            speaking=user.speaking and user.speech_start >= floor_since - _RACE_S,
            start=self._since,
            voice_end=user.voice_end,
            heard=user.words,
        )
        if verdict is Verdict.DUCK:
            self.gain = self.profile.duck_gain
        elif verdict is Verdict.HOLD:
            self.gain = 0.0 if self.profile.can_hold else self.profile.duck_gain
        elif verdict is Verdict.STOP:
            self.gain = 0.0
        elif verdict is Verdict.GO_ON:
            self.gain = 1.0
            remark = user.words.since(self._since)
            if remark is not None and not asks and is_backchannel(remark.text):
                self.remarks.append(remark.utterance)
        return verdict
