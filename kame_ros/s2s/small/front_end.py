"""The `small` front-end: kame-small hears the user and the oracle and speaks, on a CPU."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

import numpy as np

from kame_ros.audio.level import USER_RMS_DBFS, rms_dbfs
from kame_ros.runtime.step_times import StepTimes
from kame_ros.s2s import too_slow
from kame_ros.s2s.front_end import Event, FrontEnd, Piece, Step
from kame_ros.s2s.giving_way import GivingWay
from kame_ros.s2s.loudness import LoudnessGate
from kame_ros.s2s.small.ear import SmallEar
from kame_ros.s2s.small.heard_end import HeardEnd
from kame_ros.s2s.small.room_vad import RoomVad
from kame_ros.s2s.small.step import Stepper
from kame_ros.s2s.small.units import CARD
from kame_ros.s2s.small.window import Key, OracleWindow
from kame_ros.turns.barge_in import BargeInProfile
from kame_ros.turns.changed_words import NewerAnswer, is_partial
from kame_ros.turns.end_of_turn import EndOfTurn
from kame_ros.turns.give_way import GiveWay
from kame_ros.turns.profiles.moshi import MOSHI
from kame_ros.turns.vad import Vad
from kame_ros.wire.frame import FRAME_S, FRAME_SAMPLES, silence
from kame_ros.wire.oracle import Oracle
from kame_ros.wire.turn import TurnKind

WARM_UP_STEPS = 4
_FADE = 480  # samples, 20 ms: how fast a voice that is interrupted falls silent
_HALT = 12  # frames, 0.96 s: longer than any pause between two pieces
_ALL_SAID = 3  # frames after the last piece; then it is spoken when it is no more heard
_LOOKS = 2  # frames, 0.16 s, in which a model that halted may go on by itself
_TURN_OVER = 15  # frames, 1.2 s, without sound of the user
_PIECE_ENDS = 3  # frames, 0.24 s: as long sounds a piece that is the last one
_OPENS = 5  # frames after the end of the user's turn in which the model should open
_COUNTERS = ('words_unheard', 'stalled')


class Voice(Protocol):
    """Codes int[8] of a frame in, the sound int16[1920] of the frame before out."""

    def step(self, codes: np.ndarray) -> np.ndarray:
        """Goes on by a frame."""

    def reset(self) -> None:
        """Before the next frame there was silence."""


class SmallFrontEnd(GivingWay, FrontEnd):
    """kame-small as a `FrontEnd`: ear, oracle, model, voice, each 80 ms.

    Owned by one thread. With a `vad` it notices when the user speaks over the robot. An
    `end_of_turn` that is a `HeardEnd` is told what the model makes of what it hears. `clock` gives
    seconds and is only for the step times that diagnostics show; no decision depends on it.
    """

    def __init__(
        self,
        stepper: Stepper,
        window: OracleWindow,
        voice: Voice,
        vad: Vad | None = None,
        profile: BargeInProfile = MOSHI,
        end_of_turn: EndOfTurn | None = None,
        *,
        speak: str = 'always',
        hush_s: float = 0.96,
        patience_s: float = 1.0,
        newer_answer_s: float = 1.0,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._stepper, self._window, self._voice, self._clock = stepper, window, voice, clock
        self._ear = SmallEar()
        self._long_openings = window.long_openings
        self._waits = speak != 'always'  # for the end of the user's turn
        self._heard_end = end_of_turn if isinstance(end_of_turn, HeardEnd) else None
        hears_room = self._waits and self._heard_end is not None
        self._room = RoomVad(vad) if vad is not None and hears_room else None
        ear = self._room or vad
        super().__init__(None if ear is None else GiveWay(ear, profile, end_of_turn, speak))
        self._hush_frames, self._patience = round(hush_s / FRAME_S), round(patience_s / FRAME_S)
        self._newer_answer_s = newer_answer_s
        self._times = StepTimes(FRAME_S)
        self._count |= dict.fromkeys(_COUNTERS, 0)
        self._start_over()

    def _start_over(self) -> None:
        self._gate = LoudnessGate()
        self._newer = NewerAnswer(self._newer_answer_s, is_partial)
        self._mark = 0  # another text came, which the model has not seen yet
        self._applied: Key | None = None
        self._spoken = False  # what is applied was reported as spoken
        self._events: list[Event] = []
        self._late: tuple[Piece, ...] = ()  # the voice is a frame behind the model
        self._hush = 0  # frames for which the robot is kept silent
        self._heard = False  # the last frame that was given may have sound in it
        self._since_piece = _HALT  # frames since the model said something
        self._waited = 0  # frames for which there was something to say, and nobody spoke
        self._since_turn = _OPENS  # frames since the user's turn ended
        self._quiet = _TURN_OVER  # frames without a user, where nobody else listens for them

    def warm_up(self) -> None:
        """Runs everything a few times and forgets it."""
        for _ in range(WARM_UP_STEPS):
            row, mark = self._window.row()
            self._stepper.hear(self._ear.step(silence()), row, mark)
            _, codes = self._stepper.say()
            self._voice.step((codes + 1) % CARD)  # silence would not be decoded
        self.reset()
        self._times.reset()

    def step(self, user: np.ndarray, oracle: Oracle | None) -> Step:
        """Hears int16[1920] at 24 kHz and speaks int16[1920] at 24 kHz, one frame behind."""
        began = self._clock()
        row = self._take(oracle)
        heard = self._ear.step(user)
        listens = not self._may_speak
        felt = self._hear(heard, row, in_sight=not listens)
        if self._heard_end is not None:
            self._heard_end.hear(np.concatenate((felt, heard)))
        if self._room is not None and self._heard_end is not None:
            self._room.hear(self._heard_end.odds, rms_dbfs(user), listens)
        self._listen(user, oracle)
        if listens and self._may_speak:  # it hears the frame again, with the answer in sight
            row = self._take(oracle)  # which may be one that is not to be begun now
            self._hear(heard, row)
        eager = self._is_overdue(user)
        hushed = self._hush > 0
        silent = hushed or not self._may_speak or self._is_held
        # A model that may not go on would draw out its last sound.
        mute = silent and self._since_piece >= _PIECE_ENDS
        piece, codes = self._stepper.say(
            silent=silent,
            eager=eager,
            opens=self._opens,
            answers=int(row[0]) if self._answers else 0,
            shunned=self._long_openings if self._opens_briefly(oracle) else (),
            allowed=self._window.sayable,
            mute=mute,
        )
        words, self._late = self._late, self._window.said(piece)
        self._since_piece = 0 if piece else self._since_piece + 1
        sound = self._voice.step(codes)
        if hushed:
            self._hush -= 1
            sound = self._faded(sound)
        self._heard = not hushed
        self._watch_oracle()
        turn = self._gate.feel(sound)
        if turn is not None:
            self._emit(turn)
        events, self._events = self._events, []
        self._times.add(self._clock() - began)
        gain = 1.0 if self._give_way is None else self._give_way.gain
        return Step(sound, words, tuple(events), gain)

    def hear_words(
        self, utterance: int, text: str, start: float, end: float, final: bool = True
    ) -> None:
        """The user's words so far; times in seconds before the end of the last frame heard."""
        if self._room is not None:
            self._room.hear_words(text)
        super().hear_words(utterance, text, start, end, final)

    def keep_silent(self) -> None:
        """Nothing is to be heard in the next step."""
        self._hush = max(1, self._hush)

    def interrupt(self) -> None:
        """Stops speaking and forgets the oracle being spoken; the dialogue goes on."""
        self._stop()
        if self._give_way is not None:
            self._give_way.calm()

    def reset(self) -> None:
        """Forgets the dialogue: the next step is the first one of a new session."""
        self._stepper.reset()
        self._window.reset()
        self._voice.reset()
        self._ear.reset()
        if self._give_way is not None:
            self._give_way.reset()
        cut_off = self._gate.speaking or Event(TurnKind.ROBOT_SPEECH_END) in self._events
        self._start_over()
        if cut_off:
            self._emit(TurnKind.ROBOT_SPEECH_END)

    def complaint(self) -> str:
        """What a user should know about the speed, with advice; empty if all is well."""
        return too_slow.complaint(self._times, 'cpu')

    def counters(self) -> dict[str, float]:
        """Running totals for diagnostics, by name; times are in milliseconds."""
        return {
            **self._times.counters(),
            **self._count,
            **({} if self._give_way is None else self._give_way.counters()),
            **self._window.counters(),
            'speaking': float(self._gate.speaking),
        }

    def _hear(self, heard: np.ndarray, row: np.ndarray, *, in_sight: bool = True) -> np.ndarray:
        """What the model makes of a frame. In the user's turn what there is to say is out of sight:
        it would disturb the ear.
        """
        if not in_sight:
            return self._stepper.hear(heard, np.zeros_like(row), 0)
        mark, self._mark = self._mark, 0
        return self._stepper.hear(heard, row, mark)

    def _take(self, oracle: Oracle | None) -> np.ndarray:
        """The window with what is to be said, int[ahead]."""
        chosen = self._chosen(oracle)
        self._window.update(None if self._waits_for_newer(chosen) else chosen)
        row, mark = self._window.row()
        self._mark |= mark
        return row

    def _waits_for_newer(self, oracle: Oracle | None) -> bool:
        """Whether the user's turn is over, and what was not begun answers only some of it.

        An answer that is being said is not broken off for that.
        """
        way = self._give_way
        if not self._waits or way is None or way.user_has_turn:
            return False
        if oracle is None or oracle.priority > 0 or self._window.has_begun(oracle):
            return False
        return way.is_awaited(self._newer, oracle)

    def _chosen(self, oracle: Oracle | None) -> Oracle | None:
        """What to say, as far as is known of the user up to the last frame."""
        return oracle if self._give_way is None else self._give_way.choose(oracle)

    def _listen(self, user: np.ndarray, oracle: Oracle | None) -> None:
        """Hears whether the user has finished, and whether they speak over the robot."""
        if self._give_way is None:
            return
        if self._stops(self._give_way, user, self._gate.speaking, self._chosen(oracle)):
            self._emit(TurnKind.BARGE_IN, self._applied)
            self._stop()
        self._events += self._turn_events(self._give_way)
        self._since_turn = 0 if self._give_way.turn_ended else self._since_turn + 1

    @property
    def _may_speak(self) -> bool:
        """Whether a piece may begin: not in the user's turn, unless they spoke over the robot."""
        return self._give_way is None or self._give_way.may_speak

    @property
    def _opens(self) -> bool:
        """Whether the user's turn has just ended, and nothing was said since."""
        return self._waits and self._since_turn < min(_OPENS, self._since_piece)

    @property
    def _answers(self) -> bool:
        """Whether the user has asked, and the answer is there."""
        return self._is_asked and self._window.ready

    @property
    def _is_asked(self) -> bool:
        """Whether the user's turn is over, and nothing was said since."""
        if not self._waits or self._give_way is None or self._give_way.user_has_turn:
            return False
        is_silent = self._since_piece >= max(_PIECE_ENDS, self._since_turn)
        return is_silent and not self._gate.speaking

    def _opens_briefly(self, oracle: Oracle | None) -> bool:
        """Whether a lead-in should be short: the answer may come while it is said, or is coming, as
        one to some of the question is there.
        """
        return self._is_asked and (oracle is not None or self._since_turn < _OPENS)

    @property
    def _is_held(self) -> bool:
        """Whether it waits, between two words, for what the user says over it."""
        held = self._give_way is not None and self._give_way.holds
        return held and not self._window.inside_word

    def _stop(self) -> None:
        """Forgets what is being said and keeps silent for a while."""
        self._window.clear()
        self._count['words_unheard'] += len(self._late)
        self._late = ()
        self._applied = None
        self._hush = self._hush_frames

    def _faded(self, sound: np.ndarray) -> np.ndarray:
        """Silence; where the last frame was heard, its sound fades first."""
        quiet = silence()
        if self._heard:
            ramp = np.linspace(1, 0, _FADE, dtype=np.float32)
            quiet[:_FADE] = (sound[:_FADE] * ramp).astype(np.int16)
        return quiet

    def _is_overdue(self, user: np.ndarray) -> bool:
        """Whether the model stays silent for no reason: then it has to speak.

        It was asked, and does not open; or it has something to say, and does not begin or go on.
        """
        speaks, has_turn = self._user_state(user)
        free = self._since_piece >= _HALT and not self._hush and not speaks
        if free and self._give_way is not None and self._give_way.asked:
            self._count['stalled'] += 1
            return True
        # Who halts in the midst of a text, for want of it, does not always go on by themselves.
        begun = self._window.begun > 0
        due = free and self._window.ready and (begun or not has_turn)
        self._waited = self._waited + 1 if due else 0
        if self._waited <= (_LOOKS if begun else self._patience):
            return False
        self._count['stalled'] += 1
        self._waited = 0
        return True

    def _user_state(self, user: np.ndarray) -> tuple[bool, bool]:
        """Whether the user speaks, and whether it is their turn."""
        if self._give_way is not None:
            return self._give_way.user_speaks, self._give_way.user_has_turn
        speaks = rms_dbfs(user) >= USER_RMS_DBFS
        self._quiet = 0 if speaks else self._quiet + 1
        return speaks, self._quiet < _TURN_OVER

    def _watch_oracle(self) -> None:
        """Reports an oracle when it is in the window, and when all of it was heard."""
        current = self._window.current
        if current != self._applied:
            self._applied, self._spoken = current, False
            if current is not None:
                self._emit(TurnKind.ORACLE_APPLIED, current)
        over = self._since_piece >= _ALL_SAID and not self._gate.speaking
        if current is not None and over and self._window.exhausted and not self._spoken:
            self._spoken = True
            self._emit(TurnKind.ORACLE_SPOKEN, current)

    def _emit(self, kind: TurnKind, oracle: Key | None = None) -> None:
        self._events.append(Event(kind, *(oracle or ('', -1))))


assert FRAME_SAMPLES > _FADE
