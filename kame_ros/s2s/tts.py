"""The `tts` front-end: speaks the oracle with a small voice on a CPU, 80 ms in, 80 ms out."""

from __future__ import annotations

from collections import Counter

import numpy as np

from kame_ros.audio.frame import FRAME_S
from kame_ros.audio.speech_gate import Edge
from kame_ros.oracle.chunk import Oracle
from kame_ros.s2s.front_end import Event, Happening, Piece, Step
from kame_ros.s2s.tts_barge_in import BargeInConfig, Disturbance, Verdict
from kame_ros.s2s.tts_config import TtsConfig
from kame_ros.s2s.tts_debt import Debt
from kame_ros.s2s.tts_ear import Ear, Heard, Vad
from kame_ros.s2s.tts_mouth import Mark, Mouth, Mouthful
from kame_ros.s2s.tts_script import Change, Script, Scripts
from kame_ros.s2s.tts_turn_end import TurnEnd, TurnEndConfig
from kame_ros.s2s.tts_voice import Speech, Synthesiser
from kame_ros.text.spoken_words import SpokenWord, words_of

_COUNTERS = (
    'frames clauses corrections barge_ins holds false_alarms interrupts fillers apologies '
    'words_spoken words_dropped words_unspeakable voice_errors'
)


class TtsFrontEnd:
    """Speaks the current oracle clause by clause once the user has ended his turn.

    Implements `kame_ros.s2s.front_end.FrontEnd`. One clause at most is synthesised in a step, so
    that a step stays well below 80 ms. All times are those of the frames heard.
    """

    def __init__(self, voice: Synthesiser, vad: Vad, config: TtsConfig | None = None) -> None:
        self.config = config or TtsConfig()
        self._voice = voice
        c = self.config
        self._ear = Ear(vad, TurnEnd(TurnEndConfig(c.end_of_turn_s, c.unknown_s, c.incomplete_s)))
        give_way = BargeInConfig(hold_s=c.barge_in_s, stop_s=c.interrupt_s, words_s=c.words_s)
        self._disturbance = Disturbance(give_way, c.duck_gain)
        self._mouth = Mouth(c.fade_s)
        self._count: Counter[str] = Counter()
        said = (c.filler, c.apology, c.correction)
        self._filler, self._apology, self._lead_in = (words_of(text, ended=True) for text in said)
        self._forget()

    def warm_up(self) -> None:
        """Runs the voice and the ear once."""
        self._voice.say(['Hello', 'there.'])
        self._ear.warm_up()

    def step(self, user: np.ndarray, oracle: Oracle | None) -> Step:
        """Hears int16[1920] at 24 kHz and speaks int16[1920] at 24 kHz."""
        self._now += FRAME_S
        self._count['frames'] += 1
        self._events: list[Event] = []
        heard = self._ear.hear(user)
        self._on_user(heard)
        self._follow(oracle)
        if heard.turn_ended:
            self._on_turn_end()
        self._apologise_if_due()
        self._top_up()
        mouthful = self._mouth.pull()
        pieces = self._on_played(mouthful)
        return Step(mouthful.samples, pieces, tuple(self._events), self._disturbance.gain)

    def hear_words(
        self, utterance: int, text: str, start: float, end: float, final: bool = True
    ) -> None:
        """The user's words so far; times in seconds before the end of the last frame heard."""
        self._ear.words.hear(utterance, text, self._now + start, self._now + end, final)

    def interrupt(self) -> None:
        """Fades out and forgets the oracle being spoken; the dialogue goes on."""
        self._count['interrupts'] += 1
        self._disturbance.calm()
        self._stop()

    def excuse(self) -> None:
        """The user's last speech needs no answer (it was noise): no apology for giving none."""
        self._debt.excuse()
        self._ear.words.noise_until = self._now

    def reset(self) -> None:
        """The next step is the first one of a new session."""
        self._ear.reset()
        self._mouth.clear()
        self._forget()

    def counters(self) -> dict[str, float]:
        """Running totals, by name."""
        totals = {name: float(self._count[name]) for name in _COUNTERS.split()}
        totals['voice_errors'] += getattr(self._voice, 'failures', 0)
        return totals

    def _forget(self) -> None:
        self._now = 0.0  # s, the end of the frame being heard
        self._active: Script | None = None
        self._scripts = Scripts()
        self._debt = Debt(self.config.min_turn_s, self.config.patience_s)
        self._floor_since = 0.0  # when the robot began to speak
        self._joined = True  # no space before the next piece, as at the start of a session
        self._pause_s = 0.0  # after the clause that was synthesised last
        self._events = []
        self._disturbance.reset()

    def _on_user(self, heard: Heard) -> None:
        for edge in heard.edges:
            start = edge.edge is Edge.START
            self._emit(Happening.USER_SPEECH_START if start else Happening.USER_SPEECH_END)
            if start:
                self._debt.on_speech()
                self._scripts.on_user_speech()
        if self.config.barge_in:
            self._give_way()

    def _give_way(self) -> None:
        """Does what a user who speaks over the robot asks for."""
        urgent = self._active is not None and self._active.oracle.priority > 0
        floor = self._has_floor() and not urgent
        verdict = self._disturbance.update(self._now, self._ear, floor, self._floor_since)
        if verdict is Verdict.HOLD:
            self._count['holds'] += 1
            self._mouth.hold(self.config.rewind_s)
        elif verdict is Verdict.GO_ON:
            self._count['false_alarms'] += 1
            self._mouth.go_on()
        elif verdict is Verdict.STOP:
            self._count['barge_ins'] += 1
            self._emit(Happening.BARGE_IN, self._active.oracle if self._active else None)
            self._stop()

    def _has_floor(self) -> bool:
        """Whether the robot speaks, or only waits for the rest of what it began to say."""
        script = self._active
        unsaid = script is not None and script.heard and not script.done
        return self._mouth.remaining_s > 0 or unsaid

    def _stop(self) -> None:
        script = self._active
        # The unsaid words of the script are counted below, with those that were not planned yet.
        self._drop_words([mark for mark in self._mouth.stop() if mark.script is not script])
        self._debt.settle()
        if script is not None:
            script.roll_back()
            self._count['words_dropped'] += script.unsaid
            script.dropped = True
            self._active = None

    def _on_turn_end(self) -> None:
        owed = self._debt.on_turn_end(self._now, self._ear.turn_voice_s)
        if owed and self._filler and not self._has_words() and self._mouth.remaining_s == 0:
            self._count['fillers'] += 1
            self._say(self._filler, [])

    def _apologise_if_due(self) -> None:
        busy = self._ear.in_turn or self._has_words() or self._mouth.remaining_s > 0
        if not busy and self._debt.is_overdue(self._now):
            self._debt.settle()
            if self._apology:
                self._count['apologies'] += 1
                self._say(self._apology, [])

    def _has_words(self) -> bool:
        script = self._active
        return script is not None and not script.done and bool(script.words)

    def _follow(self, oracle: Oracle | None) -> None:
        """Takes the newest text: of the same answer, of a new one, or none any more."""
        if oracle is None:
            self._leave()
            return
        if oracle.utterance in self._disturbance.remarks:
            return  # an answer to "uh-huh": what is being said goes on
        script = self._scripts.get(oracle.source)
        if script is None or not script.continues(oracle):
            if not self._may_start(oracle):
                return  # what is being said goes on, as far as it is known
            script = Script(oracle)
            self._scripts.add(script)
        elif script.dropped or (script.spoken and oracle.generation == script.oracle.generation):
            self._leave()
            return
        elif script is not self._active and not self._may_start(oracle):
            return
        if script is not self._active:
            self._leave()
            self._active = script
        unspeakable = script.unspeakable
        change = script.update(oracle, self._now)
        self._count['words_unspeakable'] += max(0, script.unspeakable - unspeakable)
        if change is Change.DROP:
            self._drop_words(
                self._mouth.cut(
                    lambda mark: mark.script is script and mark.index >= script.dropped_from
                )
            )

    def _may_start(self, oracle: Oracle) -> bool:
        if not self.config.wait_for_turn_end:
            return True
        return not (self._ear.speaking if oracle.priority > 0 else self._ear.in_turn)

    def _leave(self) -> None:
        """The active text is no longer the one to say: stops after the word that is being said.

        What it did not say can be said later, when its source has its turn again.
        """
        script, self._active = self._active, None
        if script is None or script.spoken:
            return
        if script.done:
            self._report_spoken(script)
            return
        self._drop_words(self._mouth.cut(lambda mark: mark.script is script))
        script.roll_back()

    def _report_spoken(self, script: Script) -> None:
        self._report_applied(script)
        script.spoken = True
        self._emit(Happening.ORACLE_SPOKEN, script.oracle)

    def _report_applied(self, script: Script) -> None:
        if not script.applied:
            script.applied = True
            self._emit(Happening.ORACLE_APPLIED, script.oracle)

    def _top_up(self) -> None:
        """Synthesises the next clause when little sound is left, one at most in a step."""
        script = self._active
        if script is None or script.done or self._mouth.held:
            return
        if self._mouth.remaining_s >= self.config.lookahead_s and not script.contradicts:
            return
        silent = self._mouth.remaining_s == 0
        if silent and not self._may_start(script.oracle):
            return  # a pause in its own speech is not a right to speak over the user
        stalled = self._now - script.grown_at >= self.config.stall_s
        clause = script.next_clause(self.config.clause_words, stalled, hurry=silent)
        if not clause:
            return
        lead_in = self._correct(script) if script.contradicts else []
        self._say(lead_in, clause, script)

    def _correct(self, script: Script) -> list[SpokenWord]:
        self._drop_words(self._mouth.cut())
        script.correct()
        if not script.may_correct:
            return []
        self._count['corrections'] += 1
        return self._lead_in

    def _say(
        self, own: list[SpokenWord], clause: list[SpokenWord], script: Script | None = None
    ) -> None:
        """Own words, then words of the script, as one intonation."""
        first = script.plan(clause) if script is not None else -1
        words = [*own, *clause]
        speech = self._speech([word.speech for word in words])
        self._count['clauses'] += 1
        if not len(speech.samples):
            self._count['words_unspeakable'] += len(words)
            if script is not None:
                script.begin(script.planned - 1)
            return
        marks = [
            Mark(start, word, script, first + i - len(own)) if i >= len(own) else Mark(start, word)
            for i, (start, word) in enumerate(zip(speech.starts, words, strict=True))
        ]
        self._mouth.say(speech.samples, marks, self._pause_s)
        pause = self.config.comma_pause_s if words[-1].pause else 0.0
        self._pause_s = self.config.sentence_pause_s if words[-1].stop else pause

    def _speech(self, words: list[str]) -> Speech:
        """No text may end the node: what the voice fails at is counted, and not heard."""
        try:
            return self._voice.say(words).trimmed()
        except Exception:
            self._count['voice_errors'] += 1
            return Speech(np.zeros(0, np.float32), (0,) * len(words))

    def _on_played(self, mouthful: Mouthful) -> tuple[Piece, ...]:
        if mouthful.starts:
            self._floor_since = self._now - FRAME_S
            self._emit(Happening.ROBOT_SPEECH_START)
        pieces = tuple(self._begin(mark) for mark in mouthful.marks)
        if mouthful.ends:
            self._emit(Happening.ROBOT_SPEECH_END)
        script = self._active
        over = script is not None and script.done and not script.spoken
        if script is not None and over and self._mouth.remaining_s == 0:
            self._report_spoken(script)
        return pieces

    def _begin(self, mark: Mark) -> Piece:
        """A word is heard: the monologue says so."""
        self._count['words_spoken'] += 1
        text = mark.word.text if self._joined else f' {mark.word.text}'
        self._joined = mark.word.broken
        if mark.script is None:
            return Piece(text)
        script: Script = mark.script
        script.begin(mark.index)
        self._debt.settle()
        self._report_applied(script)
        return Piece(text, *script.oracle.key)

    def _drop_words(self, marks: list[Mark]) -> None:
        self._count['words_dropped'] += len(marks)
        self._pause_s = self.config.comma_pause_s

    def _emit(self, kind: Happening, oracle: Oracle | None = None) -> None:
        self._events.append(Event(kind, *oracle.key) if oracle else Event(kind))
