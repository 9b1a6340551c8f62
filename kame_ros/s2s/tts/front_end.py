"""The `tts` front-end: speaks the oracle with a small voice on a CPU, 80 ms in, 80 ms out."""

from __future__ import annotations

from collections import Counter

import numpy as np

from kame_ros.s2s.front_end import Event, FrontEnd, Piece, Step
from kame_ros.s2s.tts.config import TtsConfig
from kame_ros.s2s.tts.mouth import Mark, Mouth, Mouthful
from kame_ros.s2s.tts.script import Script, Scripts
from kame_ros.s2s.tts.voice import Speech, Synthesiser
from kame_ros.text.spoken_words import SpokenWord, words_of
from kame_ros.turns import end_of_turn
from kame_ros.turns.barge_in import Verdict
from kame_ros.turns.changed_words import NewerAnswer, is_outdated
from kame_ros.turns.disturbance import Disturbance
from kame_ros.turns.end_of_turn import EndOfTurn
from kame_ros.turns.end_of_turn.words import WordsAndSilence
from kame_ros.turns.half_answer import is_half
from kame_ros.turns.hum import Hum
from kame_ros.turns.owed_answer import Debt
from kame_ros.turns.sentence_end import is_clause, is_question
from kame_ros.turns.speech_gate import Edge
from kame_ros.turns.taken_back import Rest, rest_of
from kame_ros.turns.turn_tracker import Heard, TurnTracker
from kame_ros.turns.vad import Vad
from kame_ros.wire.frame import FRAME_S
from kame_ros.wire.oracle import Oracle
from kame_ros.wire.turn import TurnKind

_SOFT = 0.5  # how loud it hums
_PAUSE_S = 0.1  # s of silence from which the user's turn may be over soon
_COUNTERS = (
    'frames clauses clauses_ready corrections barge_ins holds false_alarms interrupts fillers hums '
    'apologies words_spoken words_dropped words_unspeakable voice_errors'
)


class TtsFrontEnd(FrontEnd):
    """Speaks the current oracle clause by clause once the user has ended their turn.

    One clause at most is synthesised in a step, so that a step stays well below 80 ms. All times
    are those of the frames heard. `strategy` tells when a turn is over; without one, what
    `config.end_of_turn` names.
    """

    def __init__(
        self,
        voice: Synthesiser,
        vad: Vad,
        config: TtsConfig | None = None,
        *,
        strategy: EndOfTurn | None = None,
    ) -> None:
        self.config = config or TtsConfig()
        self._voice = voice
        c = self.config
        told = c.end_of_turn_settings()
        strategy = strategy or end_of_turn.make(c.end_of_turn, told)
        by_words, longest_s = WordsAndSilence(told), c.longest_silence_s
        self._user = TurnTracker(vad, strategy, c.take_back_s, by_words, longest_s)
        self._disturbance = Disturbance(c.profile())
        self._mouth = Mouth(c.fade_s)
        self._count: Counter[str] = Counter()
        said = (c.filler, c.apology, c.correction)
        self._filler, self._apology, self._lead_in = (words_of(text, ended=True) for text in said)
        self._hum = Hum(c.hum_every_s)
        self._cut_off = False  # a reset ended its speech, and the next step tells so
        self._forget()

    @property
    def judges_barge_in(self) -> bool:
        """It has an ear of its own."""
        return True

    def warm_up(self) -> None:
        """Runs the voice and the ear once."""
        self._voice.say(['Hello', 'there.'])
        self._user.warm_up()

    def step(self, user: np.ndarray, oracle: Oracle | None) -> Step:
        """Hears int16[1920] at 24 kHz and speaks int16[1920] at 24 kHz."""
        self._now += FRAME_S
        self._count['frames'] += 1
        self._events: list[Event] = []
        if self._cut_off:
            self._emit(TurnKind.ROBOT_SPEECH_END)
            self._cut_off = False
        heard = self._user.hear(user)
        self._on_user(heard)
        self._follow(oracle)
        if heard.turn_ended:
            self._on_turn_end()
        elif self._user.in_turn:
            self._get_ready(oracle)
            self._hum_along()
        self._apologise_if_due()
        self._top_up()
        mouthful = self._mouth.pull()
        pieces = self._on_played(mouthful)
        return Step(mouthful.samples, pieces, tuple(self._events), self._disturbance.gain)

    def hear_words(
        self, utterance: int, text: str, start: float, end: float, final: bool = True
    ) -> None:
        """The user's words so far; times in seconds before the end of the last frame heard."""
        self._user.words.hear(utterance, text, self._now + start, self._now + end, final)

    def hear_language(self, language: str) -> None:
        """The language of the words that come next."""
        self._user.words.language = language

    def interrupt(self) -> None:
        """Fades out and forgets the oracle being spoken; the dialogue goes on."""
        self._count['interrupts'] += 1
        self.fall_silent()

    def fall_silent(self) -> None:
        """The same, not counted: nobody asked for it."""
        self._disturbance.calm()
        self._stop()

    def excuse(self) -> None:
        """The user's last speech needs no answer (it was noise): no apology for giving none."""
        self._debt.excuse()
        self._user.words.noise_until = self._now

    def reset(self) -> None:
        """The next step is the first one of a new session."""
        self._cut_off |= self._mouth.speaking and not self._humming
        self._user.reset()
        self._mouth.clear()
        self._forget()

    def counters(self) -> dict[str, float]:
        """Running totals, by name."""
        totals = {name: float(self._count[name]) for name in _COUNTERS.split()}
        totals['turns_taken_back'] = float(self._user.taken_back)
        totals['end_of_turn_errors'] = float(self._user.faults)
        totals |= self._user.counters()
        totals['voice_errors'] += getattr(self._voice, 'failures', 0)
        return totals

    def _forget(self) -> None:
        self._now = 0.0  # s, the end of the frame being heard
        self._active: Script | None = None
        self._scripts = Scripts()
        self._debt = Debt(self.config.min_turn_s, self.config.patience_s)
        self._newer = NewerAnswer(self.config.newer_answer_s)
        self._floor_since = 0.0  # when the robot began to speak
        self._joined = True  # no space before the next piece, as at the start of a session
        self._ready: tuple[list[str], Speech] | None = None  # a clause that may be said soon
        self._asks = False  # the word that it began last ends a question
        self._broke_in_at: float | None = None  # when it took a turn for over that was not
        self._broken_off: Script | None = None  # with what; whether it is said on is not known yet
        self._humming = False  # what is heard of it is a hum, and no word
        self._pause_s = 0.0  # after the clause that was synthesised last
        self._events = []
        self._disturbance.reset()
        self._hum.reset()

    def _on_user(self, heard: Heard) -> None:
        for edge in heard.edges:
            start = edge.edge is Edge.START
            self._emit(TurnKind.USER_SPEECH_START if start else TurnKind.USER_SPEECH_END)
            if start:
                self._debt.on_speech()
                self._scripts.on_user_speech()
        if heard.taken_back:
            self._take_back()
        if heard.turn_ended:
            self._events.append(Event(TurnKind.TURN_ENDED, before_s=0.0))
        if self._broke_in_at is not None and not self._user.in_turn:
            self._after_turn(self._broke_in_at)
        if self.config.barge_in:
            self._give_way()

    def _take_back(self) -> None:
        """The user goes on in the turn that it took for ended: it ends its word, and waits."""
        self._broke_in_at, script = self._user.ended_at, self._active
        self._events.append(Event(TurnKind.TAKEN_BACK, before_s=self._now - self._broke_in_at))
        if script is not None and script.oracle.priority > 0:
            return  # nobody interrupts that
        self._disturbance.calm()
        self._broken_off = script
        if script is None:
            self._drop_words(self._mouth.cut())
            return
        cut = self._mouth.cut(lambda mark: mark.script in (script, None))
        # Whether the words of the script are dropped is known when the turn is over.
        self._drop_words([mark for mark in cut if mark.script is not script])
        script.roll_back()

    def _after_turn(self, broke_in_at: float) -> None:
        """What it broke in with answered half a turn; if the rest was noise, it is said on.

        While the words of the rest are awaited, nobody knows.
        """
        heard, script = self._user.words, self._broken_off
        silence_s = self._now - self._user.voice_end
        rest = rest_of(heard, broke_in_at, silence_s, self.config.words_s)
        if rest is Rest.AWAITED:
            return
        self._broke_in_at = self._broken_off = None
        words = heard.now
        if words is None or rest is Rest.NOTHING:
            return
        if rest is Rest.REMARK:
            self._disturbance.remarks.append(words.utterance)
        elif script is not None and 0 <= script.oracle.utterance < words.utterance:
            self._count['words_dropped'] += script.unsaid
            script.dropped = True
            self._active = None if self._active is script else self._active

    def _give_way(self) -> None:
        """Does what a user who speaks over the robot asks for."""
        urgent = self._active is not None and self._active.oracle.priority > 0
        floor = self._has_floor() and not urgent and not self._user.goes_on
        verdict = self._disturbance.update(
            self._now, self._user, floor, self._floor_since, self._asks
        )
        if verdict is Verdict.HOLD:
            self._count['holds'] += 1
            if self._disturbance.profile.can_hold:
                self._mouth.hold(self.config.rewind_s)
        elif verdict is Verdict.GO_ON:
            self._count['false_alarms'] += 1
            self._mouth.go_on()
        elif verdict is Verdict.STOP:
            self._count['barge_ins'] += 1
            self._emit(TurnKind.BARGE_IN, self._active.oracle if self._active else None)
            self._stop()

    def _has_floor(self) -> bool:
        """Whether the robot speaks, or only waits for the rest of what it began to say.

        Who only hums does not.
        """
        if self._humming:
            return False
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
        owed = self._debt.on_turn_end(self._now, self._user.turn_voice_s)
        if owed and self._filler and not self._has_words() and self._mouth.remaining_s == 0:
            self._count['fillers'] += 1
            self._say(self._filler, [])

    def _apologise_if_due(self) -> None:
        busy = self._user.in_turn or self._has_words() or self._mouth.remaining_s > 0
        if not busy and self._debt.is_overdue(self._now):
            self._debt.settle()
            if self._apology:
                self._count['apologies'] += 1
                self._say(self._apology, [])

    def _has_words(self) -> bool:
        script = self._active
        if script is None or script.done or not script.words:
            return False
        return script.heard or not self._is_early(script.oracle)

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
        dropped = script.update(oracle, self._now)
        self._count['words_unspeakable'] += max(0, script.unspeakable - unspeakable)
        if dropped:
            self._drop_words(
                self._mouth.cut(
                    lambda mark: mark.script is script and mark.index >= script.dropped_from
                )
            )

    def _may_start(self, oracle: Oracle) -> bool:
        if not self.config.wait_for_turn_end:
            return True
        return not (self._user.speaking if oracle.priority > 0 else self._user.in_turn)

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
        self._emit(TurnKind.ORACLE_SPOKEN, script.oracle)

    def _report_applied(self, script: Script) -> None:
        if not script.applied:
            script.applied = True
            self._emit(TurnKind.ORACLE_APPLIED, script.oracle)

    def _top_up(self) -> None:
        """Synthesises the next clause when little sound is left, one at most in a step."""
        script = self._active
        if script is None or script.done or self._mouth.held:
            return
        if script is self._broken_off or (self._user.goes_on and script.oracle.priority <= 0):
            return  # it has broken in already
        if self._mouth.remaining_s >= self.config.lookahead_s and not script.contradicts:
            return
        silent = self._mouth.remaining_s == 0
        if silent and not self._may_start(script.oracle):
            return  # a pause in its own speech is not a right to speak over the user
        if not script.planned and self._is_early(script.oracle):
            return
        stalled = self._now - script.grown_at >= self.config.stall_s
        clause = script.next_clause(self.config.clause_words, stalled, hurry=silent)
        if not clause:
            return
        lead_in = self._correct(script) if script.contradicts else []
        self._say(lead_in, clause, script)

    def _is_early(self, oracle: Oracle) -> bool:
        """Whether it answers only what the user said before a pause, or words that have changed
        since: a better answer is likely to come soon.
        """
        user, words_s = self._user, self.config.words_s
        silence_s = self._now - user.voice_end
        if not self.config.wait_for_turn_end or oracle.priority > 0:
            return False
        if is_half(oracle.utterance, user.words, user.speech_start, silence_s, words_s):
            return True
        return self._newer.is_awaited(oracle, user.words.now, self._now)

    def _hum_along(self) -> None:
        """In a long turn it lets the user know that it listens. That is no word of its own."""
        if not self.config.hum or self._mouth.remaining_s > 0:
            return
        user = self._user
        heard, words = user.words, user.words.now
        known = words is not None and words.cover(user.voice_end)
        clause = words is not None and known and is_clause(words.turn, heard.language or 'en')
        if not self._hum.is_due(
            self._now, user.turn_start, user.pause_s, user.likely_goes_on, clause
        ):
            return
        said = words_of(self.config.hum, ended=True)
        speech = self._synthesise([word.speech for word in said])
        if len(speech.samples):
            self._count['hums'] += 1
            self._humming = True
            self._mouth.say(_SOFT * speech.samples, [])

    def _get_ready(self, oracle: Oracle | None) -> None:
        """Makes the first clause while the user pauses: it is said in the frame that ends a turn.

        If they go on, nothing is lost but the work.
        """
        if oracle is None or self._user.pause_s < _PAUSE_S or self._mouth.remaining_s > 0:
            return
        if is_outdated(oracle, self._user.words.now):
            return  # it is hardly said
        script = self._scripts.get(oracle.source)
        if script is None or not script.continues(oracle):
            script = Script(oracle)
            script.update(oracle, self._now)
            clause = script.next_clause(self.config.clause_words, stalled=False, hurry=True)
            words = [word.speech for word in clause]
            if words and (self._ready is None or self._ready[0] != words):
                self._ready = words, self._synthesise(words)

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
        if self._humming and self._mouth.remaining_s > 0:
            self._begin_to_speak()  # right after the hum: its sound has begun already
        self._humming = False
        self._mouth.say(speech.samples, marks, self._pause_s)
        pause = self.config.comma_pause_s if words[-1].pause else 0.0
        self._pause_s = self.config.sentence_pause_s if words[-1].stop else pause

    def _speech(self, words: list[str]) -> Speech:
        """The sound of words, which may be ready."""
        ready, self._ready = self._ready, None
        if ready is not None and ready[0] == words:
            self._count['clauses_ready'] += 1
            return ready[1]
        return self._synthesise(words)

    def _synthesise(self, words: list[str]) -> Speech:
        """No text may end the node: what the voice fails at is counted, and not heard."""
        try:
            return self._voice.say(words).trimmed()
        except (Exception, SystemExit):
            self._count['voice_errors'] += 1
            return Speech(np.zeros(0, np.float32), (0,) * len(words))

    def _on_played(self, mouthful: Mouthful) -> tuple[Piece, ...]:
        if mouthful.starts and not self._humming:
            self._begin_to_speak()
        pieces = tuple(self._begin(mark) for mark in mouthful.marks)
        if mouthful.ends and not self._humming:
            self._emit(TurnKind.ROBOT_SPEECH_END)
        self._humming = self._humming and self._mouth.remaining_s > 0
        script = self._active
        over = script is not None and script.done and not script.spoken
        if script is not None and over and self._mouth.remaining_s == 0:
            self._report_spoken(script)
        return pieces

    def _begin_to_speak(self) -> None:
        self._floor_since = self._now - FRAME_S
        self._emit(TurnKind.ROBOT_SPEECH_START)

    def _begin(self, mark: Mark) -> Piece:
        """A word is heard: the monologue says so."""
        self._count['words_spoken'] += 1
        text = mark.word.text if self._joined else f' {mark.word.text}'
        self._joined = mark.word.broken
        self._asks = is_question(mark.word.text)
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

    def _emit(self, kind: TurnKind, oracle: Oracle | None = None) -> None:
        self._events.append(Event(kind, *oracle.key) if oracle else Event(kind))
