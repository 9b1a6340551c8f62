"""Follows when the user speaks and when their turn begins and ends. On the clock of the frames."""

from __future__ import annotations

import logging
import math
import re
from collections import Counter, deque
from dataclasses import dataclass

import numpy as np

from kame_ros.audio.level import USER_RMS_DBFS, rms_dbfs
from kame_ros.audio.resample import Resampler
from kame_ros.runtime.faults import RAISED_BY_OTHERS
from kame_ros.turns.end_of_turn import EndOfTurn, Pause
from kame_ros.turns.end_of_turn.words import WordsAndSilence
from kame_ros.turns.recent_sound import RecentSound
from kame_ros.turns.speech_gate import WINDOW_S, Edge, GateConfig, GateEvent, SpeechGate
from kame_ros.turns.vad import Vad
from kame_ros.turns.words_heard import WordsHeard

log = logging.getLogger(__name__)
_MOST_REASONS = 16  # that are counted one by one
_LONGEST_REASON = 40  # letters
_MOST_PAUSES = 20  # of the user that are remembered
_LONG_PAUSE_S = 0.3  # s: who goes on after such a pause is not brief
LONGEST_PAUSE_S = 5.0  # s of silence that end any turn, whatever a strategy says
_PAUSE_S = 0.16  # s: what is shorter belongs to a word


@dataclass(frozen=True)
class Heard:
    """What one frame told: edges of speech, and whether the user's turn ended in it.

    `taken_back`: a turn that had just ended goes on.
    """

    edges: tuple[GateEvent, ...] = ()
    turn_ended: bool = False
    taken_back: bool = False


class TurnTracker:
    """Follows the user's speech and turns on the clock of the frames heard.

    A turn begins with speech and ends when `end_of_turn` says so, which is asked in each frame of
    a pause; after `longest_pause_s` of silence whatever it says: else a strategy that never says so
    would leave the robot mute. If they speak again within `take_back_s` after that, it goes on.
    What is too quiet for a user (the rest of an echo) is no voice. `ended`: how many turns ended,
    by why; `taken_back`: how many of them went on; `faults`: how often the strategy failed, so that
    `fallback` (words and silence) decided.
    """

    def __init__(
        self,
        vad: Vad,
        end_of_turn: EndOfTurn | None = None,
        take_back_s: float = 0.0,
        fallback: WordsAndSilence | None = None,
        longest_pause_s: float = LONGEST_PAUSE_S,
    ) -> None:
        self._vad = vad
        self._resampler = Resampler()
        self._fallback = fallback or WordsAndSilence()
        self._end_of_turn = end_of_turn or self._fallback
        self.words = WordsHeard()
        self._sound = RecentSound()
        self._longest_pause_s = longest_pause_s
        self._shortest_s = min(longest_pause_s, self._end_of_turn.min_silence_s)
        self._shortest_s = max(WINDOW_S, self._shortest_s)
        self._take_back_s = take_back_s
        self._gate = SpeechGate(GateConfig())
        self.ended: Counter[str] = Counter()
        self.taken_back = 0
        self.faults = 0
        self.reset()

    def warm_up(self) -> None:
        """Hears a frame of silence and forgets it."""
        self.hear(np.zeros(1920, np.int16))
        self.reset()

    def reset(self) -> None:
        """A new session."""
        self._vad.reset()
        self._resampler.reset()
        self._gate.reset()
        self.words.clear()
        self._sound.clear()
        try:
            self._end_of_turn.reset()
        except RAISED_BY_OTHERS as error:
            self._book(error)
        self._heard_s = 0.0  # s of sound the VAD has judged
        self._loud = False
        self.in_turn = False
        self.turn_voice_s = 0.0  # s from the first to the last voice of the turn
        self._turn_start = 0.0
        self._voice_end = 0.0
        self.ended_at = -math.inf  # when the last turn ended, s since the first frame
        self._may_go_on = False  # whether that turn can be taken back
        self._gone_on = 0  # times, in this turn, after a long pause
        self._goes_on = False  # this turn had ended already, and was taken back
        self.likely_goes_on = 0.0  # the probability that they do, in a pause, as far as is known
        self._pauses: deque[float] = deque(maxlen=_MOST_PAUSES)

    @property
    def speaking(self) -> bool:
        """Whether the user speaks now."""
        return self._gate.speaking

    @property
    def speech_start(self) -> float:
        """When the current speech began, s since the first frame."""
        return self._gate.start

    @property
    def voice_end(self) -> float:
        """When the last voice was heard, s since the first frame."""
        return self._gate.voice_end if self.speaking else self._voice_end

    def hear(self, user: np.ndarray) -> Heard:
        """Takes int16[1920] at 24 kHz."""
        edges = []
        taken_back = self.taken_back
        was_loud, self._loud = self._loud, rms_dbfs(user) >= USER_RMS_DBFS
        loud = self._loud or was_loud  # the resampler holds back a part of the last frame
        sound = self._resampler.push(user)
        self._sound.push(sound)
        for probability in self._vad.push(sound):
            probability = probability if loud else 0.0
            was_speaking, voice_end = self.speaking, self.voice_end
            event = self._gate.push(probability, self._heard_s)
            if was_speaking and self.speaking:
                self._note_pause(self.voice_end - WINDOW_S - voice_end)
            self._heard_s += WINDOW_S
            if event is not None:
                edges.append(event)
                self._on_edge(event)
        self.likely_goes_on = 0.0
        ended = self.in_turn and self.pause_s >= self._shortest_s - 1e-6 and self._is_over()
        if ended:
            if event := self._gate.close(self._heard_s):
                edges.append(event)
                self._on_edge(event)
            self.in_turn = self._goes_on = False
            self.ended_at, self._may_go_on = self._heard_s, True
            self.turn_voice_s = self._voice_end - self._turn_start
        return Heard(tuple(edges), ended, self.taken_back > taken_back)

    @property
    def turn_start(self) -> float:
        """When the turn began, s since the first frame."""
        return self._turn_start

    def counters(self) -> dict[str, float]:
        """How many turns ended, by why."""
        return {f'turns_ended.{_name(why)}': n for why, n in self.ended.items()}

    @property
    def goes_on(self) -> bool:
        """Whether the user speaks on in a turn that was taken for ended."""
        return self.in_turn and self._goes_on

    @property
    def pause_s(self) -> float:
        """How long the user has been silent in their turn; 0: they speak, or seem to begin to."""
        begins = not self.speaking and self._gate.voiced_s > 0.0
        return 0.0 if begins or not self.in_turn else self._heard_s - self.voice_end

    def _note_pause(self, seconds: float) -> None:
        if seconds >= _PAUSE_S:
            self._pauses.append(seconds)
        self._gone_on += seconds >= _LONG_PAUSE_S

    def _is_over(self) -> bool:
        pause = Pause(
            self._turn_start,
            self.voice_end,
            self._heard_s,
            self.words,
            self._sound,
            tuple(self._pauses),
            self._gone_on,
        )
        try:
            decision = self._end_of_turn.decide(pause)
            over, why = bool(decision.over), str(decision.why)
            self.likely_goes_on = float(decision.goes_on)
        except RAISED_BY_OTHERS as error:
            self._book(error)
            decision = self._fallback.decide(pause)
            over, why = decision.over, decision.why
        if not over and pause.silence_s >= self._longest_pause_s - 1e-6:
            over, why = True, 'longest pause'
        if over:
            known = why in self.ended or len(self.ended) < _MOST_REASONS
            self.ended[why if known else 'other'] += 1
        return over

    def _book(self, error: BaseException) -> None:
        """A fault of the strategy: counted, and told once."""
        if not self.faults:
            log.warning(
                'the end-of-turn strategy failed, words and silence decide instead: %s: %s',
                type(error).__name__,
                error,
            )
        self.faults += 1

    def _on_edge(self, event: GateEvent) -> None:
        if event.edge is Edge.END:
            self._voice_end = event.t
            return
        may_go_on, self._may_go_on = self._may_go_on, False
        back = may_go_on and event.t - self.ended_at < self._take_back_s
        if self.in_turn or back:
            self._note_pause(event.t - self._voice_end)
        if self.in_turn:
            return
        self.in_turn, self._goes_on = True, back
        if back:
            self.taken_back += 1
            return
        self.words.clear()
        self._turn_start, self._gone_on = event.t, 0


def _name(why: str) -> str:
    """A reason as a part of the name of a counter: letters, digits and low lines."""
    return re.sub(r'\W+', '_', why)[:_LONGEST_REASON]
