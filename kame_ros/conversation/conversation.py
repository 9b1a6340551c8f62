"""What happens in a conversation, from what passes on the topics: the last minute, and the turns.

A screen, a page and a picture of a recording all read it. Time comes with what it is told, or by
`tick`: it never asks a clock.
"""

from __future__ import annotations

import re
from collections import deque

from kame_ros.audio.level import SPEECH_PEAK_DBFS, pcm
from kame_ros.consumers.consumer import Consumer
from kame_ros.conversation.happening import Happening, What
from kame_ros.conversation.last_levels import LastLevels
from kame_ros.conversation.turn import LiveTurn, PlayedWord
from kame_ros.record.generations import Generations
from kame_ros.record.played_words import PlayedWords
from kame_ros.record.voiced import first_sound, last_sound
from kame_ros.wire.frame import Frame
from kame_ros.wire.health import Health
from kame_ros.wire.monologue import MonologueToken
from kame_ros.wire.oracle import LLM, ChunkKind, OracleChunk
from kame_ros.wire.transcript import Transcript
from kame_ros.wire.turn import TurnEvent, TurnKind

SPAN_S = 60.0
_TURNS = 100
_HAPPENINGS = 3_000
_CHARACTERS = 300_000  # in all happenings together
_GENERATIONS = 300
_WORDS = 2_000  # of one turn
_OTHER_CLOCK_S = 30.0  # s: no words come so late: such stamps are of before the clock was set
_LOUD = pcm(SPEECH_PEAK_DBFS)
_PAUSE_S = 0.4  # between words, no end of the robot's speech
_LOOK_S = 0.5  # before and after what the recogniser takes for the user's speech, as in a record
_GROWN = re.compile(r'([a-z]\w*) (\d+(?:\.\d+)?(?:e[+-]\d+)?)', re.ASCII)
_TOLD = {
    TurnKind.TURN_ENDED: What.TURN_ENDED,
    TurnKind.TAKEN_BACK: What.TAKEN_BACK,
    TurnKind.BARGE_IN: What.BARGE_IN,
    TurnKind.INPUT_ENDED: What.INPUT_ENDED,
    TurnKind.RESET: What.RESET,
    TurnKind.SILENT: What.NOISE,
    TurnKind.USER_SPEECH_START: What.USER_SPEAKS,
    TurnKind.USER_SPEECH_END: What.USER_SILENT,
    TurnKind.GENERATION_BEGUN: What.ASKED,
    TurnKind.GENERATION_FIRST_WORD: What.FIRST_WORD,
    TurnKind.GENERATION_ENDED: What.WRITTEN,
    TurnKind.GENERATION_CANCELLED: What.DROPPED,
    TurnKind.GENERATION_FAILED: What.FAILED,
    TurnKind.ORACLE_APPLIED: What.ADOPTED,
    TurnKind.ORACLE_SPOKEN: What.SPOKEN,
}


class Conversation(Consumer):
    """Told by one thread, and read by it.

    `turns` are the newest 100; `happenings` those of the last minute, each with a number,
    so that who reads along asks for those `since` the last one they know. `heard` and `played` are
    the levels of the last minute. `health` is what each node told last; `losses` what its counters
    of losses have grown by, by node and name. `bounded=False` keeps all: for a recording.
    """

    def __init__(self, bounded: bool = True) -> None:
        self._span_s = SPAN_S if bounded else float('inf')
        self._bounded = bounded
        self.now = 0.0
        self.turns: deque[LiveTurn] = deque(maxlen=_TURNS if bounded else None)
        self.happenings: deque[Happening] = deque()
        # When the front-end took a turn for ended, and which of these ends it took back.
        self.turn_ends: deque[float] = deque(maxlen=_TURNS if bounded else None)
        self.taken_back: deque[float] = deque(maxlen=_TURNS if bounded else None)
        self.heard = LastLevels(SPAN_S)
        self.played = LastLevels(SPAN_S)
        self.health: dict[str, Health] = {}
        self.losses: dict[tuple[str, str], float] = {}
        self.user_speaks = False
        self.robot_speaks = False
        self._numbers = 0
        self._turn_numbers = 0
        self._characters = 0
        self._generations = Generations()
        self._words = PlayedWords(bounded)
        self._last_loud = float('-inf')
        self._troubles: dict[str, str] = {}

    # -- what is read ---------------------------------------------------------------------

    @property
    def turn(self) -> LiveTurn | None:
        """The newest turn."""
        return self.turns[-1] if self.turns else None

    def of(self, utterance: int) -> LiveTurn | None:
        """The turn of an utterance."""
        return next((turn for turn in reversed(self.turns) if turn.utterance == utterance), None)

    def since(self, number: int) -> list[Happening]:
        """What happened after the happening of this number, as far as it is still known."""
        new: list[Happening] = []
        for happening in reversed(self.happenings):
            if happening.number <= number:
                break
            new.append(happening)
        return new[::-1]

    # -- what is told ---------------------------------------------------------------------

    def tick(self, t: float) -> None:
        """Time has passed, also where nothing is heard."""
        if abs(t - self.now) > self._span_s:
            self._begin_anew(t)  # a clock that jumps: nothing of before is of the last minute
        self.now = max(self.now, t)
        while self.happenings and self.happenings[0].t < self.now - self._span_s:
            self._forget_first()
        if self.robot_speaks and self.now - self._last_loud > _PAUSE_S:
            self.robot_speaks = False
            self._tell(What.ROBOT_SILENT, self._last_loud, turn=self.turn)
        for turn in list(self.turns)[-2:]:
            self._measure(turn)

    def on_mic(self, frame: Frame) -> None:
        """A frame of `audio/mic`."""
        self.heard.add(frame)
        self.tick(frame.end)

    def on_played(self, frame: Frame) -> None:
        """A frame of `audio/played`: words that wait for it are said."""
        self.tick(frame.t)
        self.played.add(frame)
        if frame.peak > _LOUD:
            self._last_loud = frame.end
            if not self.robot_speaks:
                self.robot_speaks = True
                self._tell(What.ROBOT_SPEAKS, frame.t, turn=self.turn)
        for token in self._words.on_played(frame):
            self._say(token, frame.t)
        self.tick(frame.end)

    def on_monologue(self, token: MonologueToken) -> None:
        """Words that the robot says as soon as the frame is played."""
        played = self._words.on_monologue(token)
        if played is not None:
            self._say(token, played)

    def on_transcript(self, transcript: Transcript) -> None:
        """A revision of what the user says."""
        turn = self.of(transcript.utterance)
        if turn is None:
            if not transcript.text.strip():
                return
            turn = self._begin_turn(transcript.utterance, transcript.start)
        turn.start, turn.heard = transcript.start, transcript.text
        turn.settled = max(transcript.committed, transcript.stable)
        turn.final, turn.end = transcript.final, transcript.end
        self._tell(
            What.FINAL if transcript.final else What.PARTIAL,
            transcript.published or transcript.end,
            turn=turn,
            text=transcript.text,
            settled=turn.settled,
        )

    def on_oracle(self, chunk: OracleChunk) -> None:
        """A piece of an answer: it stands in its generation while it is written."""
        generation = self._generations.by_number.get(chunk.generation)
        if chunk.source == LLM and generation is not None and chunk.kind == ChunkKind.TEXT:
            generation.text += chunk.text

    def on_turn(self, event: TurnEvent) -> None:
        """An event of the topic `turn`."""
        self._generations.on_event(event)
        known = self._generations.by_number
        while len(known) > _GENERATIONS:
            del known[next(iter(known))]
        turn = self._turn_of(event)
        if event.kind == TurnKind.TURN_BOOKED:
            if turn is not None:
                turn.books = event.books
            return
        what = _TOLD.get(event.kind)
        if what is None:  # the robot's speech is measured where it is played
            return
        if event.kind == TurnKind.TURN_ENDED:
            self.turn_ends.append(event.t)
        elif event.kind == TurnKind.TAKEN_BACK:
            self.taken_back.append(event.t)
        if event.kind == TurnKind.USER_SPEECH_START:
            self.user_speaks = True
        elif event.kind == TurnKind.USER_SPEECH_END:
            self.user_speaks = False
        elif turn is not None:
            self._note(turn, event)
        self._tell(
            what,
            event.t,
            turn=turn,
            utterance=event.utterance,
            generation=event.generation,
            source=event.source,
            text=event.text,
        )

    def on_health(self, node: str, health: Health) -> None:
        """What a node tells of itself once a second."""
        before = self.health.get(node)
        self.health[node] = health
        grown = _grown(health)
        for name, total in grown.items():
            by = total - (_number(before.values, name) or 0.0 if before else 0.0)
            if by > 0:
                self.losses[node, name] = self.losses.get((node, name), 0.0) + by
                self._tell(What.LOSS, self.now, source=node, text=name, value=by)
        trouble = health.message if health.level and not grown else ''
        if trouble and self._troubles.get(node) != trouble:
            self._tell(What.TROUBLE, self.now, source=node, text=trouble)
        elif not health.level and node in self._troubles:
            self._tell(What.WELL, self.now, source=node)
        if trouble:
            self._troubles[node] = trouble
        elif not health.level:
            self._troubles.pop(node, None)

    # -- how ------------------------------------------------------------------------------

    def _begin_turn(self, utterance: int, start: float) -> LiveTurn:
        self._turn_numbers += 1
        turn = LiveTurn(self._turn_numbers, utterance, start)
        turn.generations = {g.number: g for g in self._generations.of(utterance)}
        self.turns.append(turn)
        return turn

    def _turn_of(self, event: TurnEvent) -> LiveTurn | None:
        """The turn of an event; what names no utterance is of the newest one."""
        generation = self._generations.by_number.get(event.generation)
        if generation is not None and event.source == LLM:
            return self.of(generation.utterance)
        if event.utterance >= 0:
            return self.of(event.utterance)
        if event.kind == TurnKind.BARGE_IN:  # into the answer that is said
            return next((t for t in reversed(self.turns) if t.words), self.turn)
        return self.turn

    def _note(self, turn: LiveTurn, event: TurnEvent) -> None:
        if event.kind == TurnKind.GENERATION_BEGUN:
            generation = self._generations.by_number[event.generation]
            turn.generations[event.generation] = generation
        elif event.kind == TurnKind.BARGE_IN:
            turn.barge_in = event.t
        elif event.kind == TurnKind.TAKEN_BACK:
            turn.taken_back = True

    def _say(self, token: MonologueToken, t: float) -> None:
        turn = next((turn for turn in reversed(self.turns) if _has_begun(turn, t)), None)
        if turn is None:  # the robot speaks first
            turn = self.turns[0] if self.turns else self._begin_turn(-1, t)
        if len(turn.words) < _WORDS:
            turn.words.append(PlayedWord(t, token.text, token.source))
        self._tell(
            What.WORD,
            t,
            turn=turn,
            generation=token.generation,
            source=token.source,
            text=token.text,
        )

    def _measure(self, turn: LiveTurn) -> None:
        """The latency of a turn, once, when nothing can change it any more."""
        if turn.measured or not turn.final or turn.end is None:
            return
        later = next((each.start for each in self.turns if each.start > turn.start), float('inf'))
        limit = min(turn.end + _LOOK_S, later)
        if self.now < limit or self._last_loud < turn.start:
            return
        turn.robot_start = first_sound(self.played.speech(), turn.start, later)
        if turn.robot_start is None:
            turn.measured = later < self.now - _PAUSE_S
            return
        end = last_sound(self.heard.speech(), turn.start - _LOOK_S, limit)
        turn.user_end = turn.end if end is None or end > limit else end
        turn.latency = turn.robot_start - turn.user_end
        turn.measured = True
        self._tell(What.LATENCY, turn.robot_start, turn=turn, value=turn.latency)

    def _tell(
        self,
        what: What,
        t: float,
        turn: LiveTurn | None = None,
        utterance: int = -1,
        generation: int = -1,
        source: str = '',
        text: str = '',
        settled: int = 0,
        value: float = 0.0,
    ) -> None:
        self._numbers += 1
        if utterance < 0 and turn is not None:
            utterance = turn.utterance
        number = turn.number if turn else 0
        self.happenings.append(
            Happening(
                self._numbers, what, t, number, utterance, generation, source, text, settled, value
            )
        )
        self._characters += len(text)
        while self._bounded and (
            len(self.happenings) > _HAPPENINGS or self._characters > _CHARACTERS
        ):
            self._forget_first()

    def _forget_first(self) -> None:
        self._characters -= len(self.happenings.popleft().text)

    def _begin_anew(self, t: float) -> None:
        self.now = t
        self.happenings = deque(h for h in self.happenings if abs(h.t - t) <= self._span_s)
        self._characters = sum(len(happening.text) for happening in self.happenings)
        self.turn_ends.clear()
        self.taken_back.clear()
        self._words.forget()
        self._last_loud = float('-inf')
        self.robot_speaks = self.user_speaks = False


def _has_begun(turn: LiveTurn, t: float) -> bool:
    """Whether a turn was there at `t`; one of a time far ahead was, before the clock was set."""
    return not t < turn.start < t + _OTHER_CLOCK_S


def _grown(health: Health) -> dict[str, float]:
    """The counters that a warning of ours is about; none where it says anything else."""
    if health.level != 1:
        return {}
    rows = [_GROWN.fullmatch(row) for row in health.message.split(', ')]
    grown = {row[1]: float(row[2]) for row in rows if row}
    ours = len(grown) == len(rows) and all(_number(health.values, n) is not None for n in grown)
    return grown if ours else {}


def _number(values: dict[str, str] | None, name: str) -> float | None:
    try:
        return float((values or {})[name])
    except (KeyError, ValueError):
        return None
