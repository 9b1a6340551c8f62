"""Gives way to a user who speaks over a model that hears while it speaks and cannot be held."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from kame_ros.turns.barge_in import BargeInProfile, Verdict
from kame_ros.turns.changed_words import NewerAnswer
from kame_ros.turns.disturbance import Disturbance
from kame_ros.turns.end_of_turn import EndOfTurn
from kame_ros.turns.half_answer import is_half
from kame_ros.turns.profiles.moshi import MOSHI
from kame_ros.turns.sentence_end import is_complete, is_question
from kame_ros.turns.taken_back import Rest, rest_of
from kame_ros.turns.turn_tracker import TurnTracker
from kame_ros.turns.vad import Vad
from kame_ros.turns.voice_gate import VoiceGate
from kame_ros.turns.words_heard import Words, is_backchannel
from kame_ros.wire.frame import FRAME_S
from kame_ros.wire.oracle import Oracle

TAKE_BACK_S = 1.0  # s in which a turn that had ended can go on


class GiveWay:
    """The user's sound and words in; how loud the robot is, and when it has to stop, out.

    It ducks as soon as the user speaks over it. The model cannot be held, so that it stays ducked
    where another robot would be silent, until the words tell whether it was meant: a cough
    or "uh-huh" lets it go on, anything else is a `STOP`. In the user's turn it may be kept silent
    (`may_speak`, see VoiceGate). If it is, and the user goes on in a turn that had just ended
    (`taken_back`), it is silent, and what it was to say waits: until the words tell that it
    answered only half of the turn, or that nothing more was said. Times are those of the frames
    heard.
    """

    def __init__(
        self,
        vad: Vad,
        profile: BargeInProfile = MOSHI,
        end_of_turn: EndOfTurn | None = None,
        speak: str = 'always',
    ) -> None:
        self._waits = speak != 'always'  # for the end of the turn
        self._user = TurnTracker(vad, end_of_turn, TAKE_BACK_S if self._waits else 0.0)
        self._gate = VoiceGate(speak)
        self._disturbance = Disturbance(replace(profile, can_hold=False))
        self.reset()

    def reset(self) -> None:
        """A new session."""
        self._user.reset()
        self._disturbance.reset()
        self.asked = False  # the user's turn ended in the last frame, and wants an answer
        self._gate.reset()
        self.may_speak = True  # in the next step
        self._now = 0.0  # s, the end of the frame being heard
        self._floor, self._floor_since = False, 0.0
        self._yielded = False  # to what the user says; what they go on to say is no second barge-in
        self.turn_ended = False  # in the last frame
        self.taken_back = False  # in the last frame: the turn that had ended goes on
        self._broke_in_at: float | None = None  # until it is known what came of that
        self._broken_off: Oracle | None = None  # what is not to be said, or not yet
        self._begun: Oracle | None = None  # what the robot began to say
        self._taken: Oracle | None = None  # what it was to say in the last step

    @property
    def gain(self) -> float:
        """How loud the robot is, 0 to 1."""
        return self._disturbance.gain

    @property
    def holds(self) -> bool:
        """Whether the robot waits to know what the user says over it, if it can."""
        return self._disturbance.holds

    @property
    def user_speaks(self) -> bool:
        """Whether the user's voice is heard now."""
        return self._user.speaking

    @property
    def user_has_turn(self) -> bool:
        """Whether the user speaks, or has not said all yet, as far as silence and words tell."""
        return self._user.in_turn

    def is_awaited(self, newer: NewerAnswer, oracle: Oracle) -> bool:
        """Whether a newer answer is likely to come, so that this one is not begun yet: for what the
        user has said last, too, where that is not told yet.
        """
        words = self._user.words.now
        all_told = words is None or words.cover(self._user.voice_end)
        return newer.is_awaited(oracle, words, self._now, all_told)

    def calm(self) -> None:
        """The robot was stopped by somebody else."""
        self._disturbance.calm()

    def hear(self, user: np.ndarray, robot_speaks: bool, oracle: Oracle | None) -> Verdict:
        """Takes int16[1920], before the step that hears the same, and says what the robot does."""
        self._now += FRAME_S
        heard = self._user.hear(user)
        self.turn_ended, self.taken_back = heard.turn_ended, heard.taken_back
        if self.taken_back:
            self._take_back(oracle)
        elif self._broke_in_at is not None and not self._user.in_turn:
            self._after_turn(self._broke_in_at)
        self.asked = self.turn_ended and self._asks()
        if robot_speaks:
            self._begun = oracle
        unsaid = oracle is not None and self._begun is not None and oracle.key == self._begun.key
        self._yielded &= self._user.speaking
        # In a turn that goes on nobody interrupts: it was the robot that broke in.
        broke_in = self._broke_in_at is not None and not _is_urgent(oracle)
        has_floor = (robot_speaks or unsaid) and not broke_in
        floor = has_floor and not self._yielded and self._may_be_stopped(oracle)
        if floor and not self._floor:
            self._floor_since = self._now - FRAME_S
        self._floor = floor
        # How far it has come is not known here: no LLM is asked where "yes" is no answer.
        asks = oracle is not None and is_question(oracle.text)
        verdict = self._disturbance.update(self._now, self._user, floor, self._floor_since, asks)
        if verdict is Verdict.STOP:
            self._begun, self._yielded = None, True
        waits = self._user.in_turn or broke_in
        self.may_speak = self._gate.is_open(waits, has_floor, oracle is not None)
        return verdict

    @property
    def since_end_s(self) -> float:
        """How long ago the turn had ended that was taken back."""
        return self._now - self._user.ended_at

    def counters(self) -> dict[str, float]:
        """Running totals, by name."""
        return {
            'frames_held': self._gate.held,
            'turns_taken_back': self._user.taken_back,
            'end_of_turn_errors': self._user.faults,
            **self._user.counters(),
        }

    def choose(self, oracle: Oracle | None) -> Oracle | None:
        """What the robot is to say: not an answer to "uh-huh", which asked it to go on, nor, where
        it waits for the end of a turn, one to half of it.
        """
        if self._broke_in_at is not None and not _is_urgent(oracle):
            return None
        if oracle is None or oracle.utterance not in self._disturbance.remarks:
            self._taken = oracle
        half = self._is_broken_off(self._taken) or self._is_half(self._taken)
        return None if half else self._taken

    def hear_words(
        self, utterance: int, text: str, start: float, end: float, final: bool = True
    ) -> None:
        """The user's words so far; times in seconds before the end of the last frame heard."""
        self._user.words.hear(utterance, text, self._now + start, self._now + end, final)

    def hear_language(self, language: str) -> None:
        """The language of the words that come next."""
        self._user.words.language = language

    def excuse(self) -> None:
        """The user's last speech was noise."""
        self._user.words.noise_until = self._now

    def _take_back(self, oracle: Oracle | None) -> None:
        self._broke_in_at = self._user.ended_at
        self._broken_off = None if _is_urgent(oracle) else oracle
        self._disturbance.calm()

    def _after_turn(self, broke_in_at: float) -> None:
        """What it broke in with is said on, unless it answered half of what was said."""
        words_s = self._disturbance.profile.words_s
        heard, silence_s = self._user.words, self._now - self._user.voice_end
        rest = rest_of(heard, broke_in_at, silence_s, words_s)
        if rest is Rest.AWAITED:
            return
        self._broke_in_at = None
        broken_off, words = self._broken_off, heard.now
        if words is not None and rest is Rest.REMARK:
            self._disturbance.remarks.append(words.utterance)
        if rest is not Rest.MORE or not _answers_before(broken_off, words):
            self._broken_off = None

    def _is_half(self, oracle: Oracle | None) -> bool:
        """Whether it answers only what the user said before a pause, and was not begun."""
        begun = oracle is not None and self._begun is not None and oracle.key == self._begun.key
        if not self._waits or oracle is None or oracle.priority > 0 or begun:
            return False
        silence_s = self._now - self._user.voice_end
        words_s = self._disturbance.profile.words_s
        start = self._user.speech_start
        return is_half(oracle.utterance, self._user.words, start, silence_s, words_s)

    def _is_broken_off(self, oracle: Oracle | None) -> bool:
        """Whether it is an answer to the half of a turn."""
        other = self._broken_off
        if oracle is None or other is None or oracle.revision > other.revision:
            return False
        ours, theirs = ((o.source, o.life, o.utterance) for o in (oracle, other))
        return ours == theirs

    def _asks(self) -> bool:
        """Whether the words of the turn that ended are known, whole, and no mere remark."""
        words = self._user.words.now
        if words is None or not words.cover(self._user.voice_end):
            return False
        language = self._user.words.language or 'en'
        return is_complete(words.turn, language) and not is_backchannel(words.turn)

    def _may_be_stopped(self, oracle: Oracle | None) -> bool:
        """Not by a user who says just what it answers, nor is what another node has to say."""
        if oracle is None:
            return True
        words = self._user.words.since(self._user.speech_start)
        answers = words is not None and 0 <= words.utterance <= oracle.utterance
        return oracle.priority <= 0 and not answers


def _answers_before(oracle: Oracle | None, words: Words | None) -> bool:
    """Whether it answers what the user had said before these words."""
    if oracle is None or words is None:
        return False
    return 0 <= oracle.utterance < words.utterance


def _is_urgent(oracle: Oracle | None) -> bool:
    """Whether another node says it whoever speaks."""
    return oracle is not None and oracle.priority > 0
