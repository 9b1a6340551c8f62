"""Judges a user who speaks over the robot: do they interrupt, agree, or only cough? Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from enum import Enum

from kame_ros.turns.words_heard import Words, WordsHeard, is_backchannel, is_sure
from kame_ros.wire.frame import FRAME_S

_STILL_S = 0.12  # s without voice in which it may still go on
_CALM_S = 0.2  # s without voice: a sound that short was nothing
_WINDOW_S = 0.032  # s of sound that the VAD may not have judged yet


class Verdict(Enum):
    """What the robot does now."""

    NONE = 'none'  # as before
    DUCK = 'duck'  # speaks on, more quietly
    HOLD = 'hold'  # is silent, and may go on
    GO_ON = 'go on'  # it was no interruption
    STOP = 'stop'  # it was: what is unsaid is dropped


@dataclass(frozen=True, kw_only=True)
class BargeInProfile:
    """How much of the user's voice, over the robot's, does what. Seconds, but for `duck_gain`.

    `duck_gain`: how loud the robot is as soon as the user speaks over it, above 0 to 1; `hold_s`:
    it falls silent (unless it cannot be held: `can_hold`; then it stays ducked); `stop_s`: it is an
    interruption whatever is said (words can tell earlier); `remark_s`: the same where somebody
    transcribes, so that a remark can be told by its words: the robot is silent by then;
    `resume_s`: silence after which it goes on where nobody transcribes; `words_s`: how long the
    words of a short remark are waited for before it goes on.
    Raises ValueError for numbers that cannot be.
    """

    hold_s: float = 0.2
    stop_s: float = 0.7
    resume_s: float = 0.4
    words_s: float = 1.2
    remark_s: float = 1.5
    duck_gain: float = 0.25
    can_hold: bool = True

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name.endswith('_s') and not (math.isfinite(value) and 0.0 <= value <= 600.0):
                raise ValueError(f'{field.name} is between 0 and 600 s, not {value}')
        if not 0.0 < self.duck_gain <= 1.0:
            raise ValueError(f'duck_gain is above 0 and at most 1, not {self.duck_gain}')


class BargeIn:
    """One decision per frame, from voice and words.

    At the latest two frames after it ducked, the robot is silent or was not disturbed.
    """

    def __init__(self, profile: BargeInProfile | None = None) -> None:
        self.profile = profile or BargeInProfile()
        self.state = Verdict.NONE  # NONE, DUCK or HOLD
        # Voice is known late by its own measure: two frames after it was, it is long enough.
        self._patience = max(2 * FRAME_S, self.profile.hold_s - 0.04)
        self.reset()

    def reset(self) -> None:
        """The robot is not disturbed."""
        self.state = Verdict.NONE
        self._ducked_at = 0.0
        self._excused = (-1.0, -1.0)  # start and last voice of speech that was no interruption

    def update(
        self,
        now: float,
        *,
        floor: bool,
        speaking: bool,
        start: float,
        voice_end: float,
        heard: WordsHeard,
    ) -> Verdict:
        """`floor`: the robot has something to say and began to; `speaking`: the user's voice is
        heard, from `start` (or since the robot began) to `voice_end`.
        """
        if self.state is Verdict.NONE:
            return self._disturbed(now, start, voice_end) if floor and speaking else Verdict.NONE
        if not floor:  # it had said all, or was stopped by somebody else
            return self._go_on(start, voice_end)
        if self._interrupts(voice_end - start, now - voice_end, heard, heard.since(start)):
            self.state = Verdict.NONE
            return Verdict.STOP
        if self.state is Verdict.DUCK:
            return self._hold_or_not(now, start, voice_end)
        words = heard.since(start)
        remark = words is not None and is_backchannel(words.text)
        noise = heard.noise_until >= voice_end - _CALM_S
        known = remark or noise or not heard.expected
        patience = self.profile.resume_s if known else self.profile.words_s
        over = now - voice_end >= patience - 1e-6
        return self._go_on(start, voice_end) if over else Verdict.NONE

    def _disturbed(self, now: float, start: float, voice_end: float) -> Verdict:
        speech, known = self._excused
        again = speech == start  # a sound of this speech was too short, or it is spoken on
        if now - voice_end >= _CALM_S or (again and voice_end <= known):
            return Verdict.NONE
        self._ducked_at = now
        return self._to(Verdict.HOLD if again else Verdict.DUCK)

    def _interrupts(
        self, voice: float, silence: float, heard: WordsHeard, words: Words | None
    ) -> bool:
        """Words that may still change count if they leave no doubt, or were the last ones."""
        remark = words is not None and is_backchannel(words.text)
        if words is not None and not remark:
            settled = words.final or silence >= self.profile.words_s - 1e-6
            if settled or is_sure(words.text):
                return True
        profile = self.profile
        limit = max(profile.stop_s, profile.remark_s) if heard.expected else profile.stop_s
        return voice >= limit - 1e-6 and not (remark and silence > 0.0)

    def _hold_or_not(self, now: float, start: float, voice_end: float) -> Verdict:
        """A word goes on after it was detected; what does not was a cough or a knock."""
        voice, silence = voice_end - start, now - voice_end
        late = now - self._ducked_at >= self._patience - 1e-6
        long = voice >= self.profile.hold_s - (_WINDOW_S if late else 0.0) - 1e-6
        if long or (late and silence < _STILL_S):
            return self._to(Verdict.HOLD)
        over = late or silence >= _CALM_S
        return self._go_on(start, voice_end) if over else Verdict.NONE

    def _go_on(self, start: float, voice_end: float) -> Verdict:
        self.state, self._excused = Verdict.NONE, (start, voice_end)
        return Verdict.GO_ON

    def _to(self, state: Verdict) -> Verdict:
        self.state = state
        return state
