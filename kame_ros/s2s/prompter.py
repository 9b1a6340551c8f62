"""Stands between a front-end and the graph: what it is told before a frame, how far it has come."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from kame_ros.runtime.inbox import Inbox
from kame_ros.s2s.front_end import Event, Speaker, Step
from kame_ros.s2s.mux.mux import MuxConfig, OracleMux
from kame_ros.turns.talk_over import Overlap
from kame_ros.wire.frame import FRAME_S, Frame
from kame_ros.wire.oracle import Oracle, OracleChunk
from kame_ros.wire.transcript import Transcript
from kame_ros.wire.turn import TurnEvent, TurnKind

_BOUND = 64  # of the user's words and speech; more of them in a step are old already
_REMEMBERED = 64  # revisions of what the user says: an answer to an older one is not told from new
_SPEECH = (TurnKind.USER_SPEECH_START, TurnKind.USER_SPEECH_END)


class Prompter:
    """Tells a front-end the user's words, chooses what it should say, and follows what it does.

    `tell` gets what happens, for the topic `turn`; an event without a source is of the front-end.
    Any thread may call `hear` and `on_turn`; the rest belongs to the thread of the front-end.
    """

    def __init__(
        self,
        config: MuxConfig | None,
        tell: Callable[[TurnEvent], None],
        on_unsaid: Callable[[str, str], None] = lambda source, why: None,
    ) -> None:
        self.mux = OracleMux(config, on_unsaid)
        self.frames = 0
        self._tell = tell
        self._speaker: Speaker | None = None
        self._overlap: Overlap | None = None
        self._told: Inbox[Callable[[float], None]] = Inbox(_BOUND)
        self._asked: dict[tuple[int, int], str] = {}  # by utterance and revision, the newest last

    def open(self) -> None:
        """What was heard before is not told any more."""
        self._told.open()
        self._asked = {}

    def counters(self) -> dict[str, float]:
        """Frames, what the mux counts, and what waits to be told, by name."""
        return {'frames_in': self.frames, **self._told.counters('heard'), **self.mux.counters()}

    def join(self, speaker: Speaker, drop_on_barge_in: bool) -> None:
        """Somebody speaks from now on.

        `drop_on_barge_in`: where they do not notice themselves that the user speaks over them, what
        they were to say is forgotten then.
        """
        self._speaker = speaker
        drop = drop_on_barge_in and not speaker.judges_barge_in
        self._overlap = Overlap() if drop else None

    def leave(self) -> None:
        """Nobody speaks any more."""
        self._speaker = self._overlap = None
        self._told.drain()
        self.mux.clear()

    def hear(self, heard: Transcript) -> None:
        """A revision of what the user says."""
        speaker, overlap = self._speaker, self._overlap
        said, start, end = (heard.utterance, heard.text), heard.start, heard.end
        if overlap:
            self._told.put(lambda _: overlap.words.hear(*said, start, end, heard.final))
        if speaker:

            def tell(t: float) -> None:
                self._remember(heard)
                speaker.hear_language(heard.language)
                speaker.hear_words(*said, start - t, end - t, heard.final)

            self._told.put(tell)

    def _remember(self, heard: Transcript) -> None:
        self._asked.pop((heard.utterance, heard.revision), None)
        self._asked[heard.utterance, heard.revision] = heard.text
        if len(self._asked) > _REMEMBERED:
            del self._asked[next(iter(self._asked))]

    def current(self) -> Oracle | None:
        """What the robot should say now, with the words of the user that it answers."""
        oracle = self.mux.current()
        if oracle is None:
            return None
        return replace(oracle, asked=self._asked.get((oracle.utterance, oracle.revision), ''))

    def on_turn(self, event: TurnEvent) -> None:
        """The stt node tells that the user begins or ends to speak, or that it was noise."""
        overlap, speaker = self._overlap, self._speaker
        if speaker and event.kind == TurnKind.SILENT:
            self._told.put(lambda _: speaker.excuse())
        elif overlap and event.kind in _SPEECH:
            begins = event.kind == TurnKind.USER_SPEECH_START
            self._told.put(lambda _: overlap.on_speech(begins, event.t, event.utterance))

    def prompt(
        self, heard: Frame, chunks: Iterable[OracleChunk], own: Iterable[OracleChunk] = ()
    ) -> bool:
        """Before a step: all that has come since the last one. `own` chunks are of the node itself.

        Whether the user spoke over what was to be said, so that it is forgotten.
        """
        self.frames += 1
        now = self.frames * FRAME_S  # counted, not read from the stamps: those can jump
        for told in self._told.drain():
            told(heard.t)
        for chunk in chunks:
            self.mux.on_chunk(chunk, now)
        for chunk in own:
            self.mux.on_chunk(chunk, now, own=True)
        self.mux.update(now)
        if self._overlap is None or not self._overlap.update(heard.end, self.mux.current()):
            return False
        self.mux.drop()
        self._tell(TurnEvent(TurnKind.BARGE_IN, heard.t))
        return True

    def follow(self, heard: Frame, step: Step) -> None:
        """After the step for this frame: what was said, and what happened."""
        for piece in step.pieces:
            self.mux.progress(piece.source, piece.text)
        for event in step.events:
            self._on_event(event, heard)

    def _on_event(self, event: Event, heard: Frame) -> None:
        # The front-end's own sense of the user's speech is not told: the stt node tells that.
        if event.kind not in _SPEECH:
            self._tell(TurnEvent(event.kind, event.t(heard), event.source, event.generation))
        if event.kind == TurnKind.ORACLE_SPOKEN:
            self.mux.spoken(event.source, event.generation, event.life)
        if event.kind == TurnKind.BARGE_IN:
            self.mux.drop((event.source, event.generation, event.life))

    def interrupt(self, t: float) -> None:
        """Somebody asked for silence: what was to be said is forgotten."""
        if self._speaker:
            self._speaker.interrupt()
        self.mux.drop()
        self._tell(TurnEvent(TurnKind.BARGE_IN, t, 'interrupt'))

    def reset(self, t: float) -> None:
        """A new dialogue begins."""
        if self._speaker:
            self._speaker.reset()
        self._clear()
        self._tell(TurnEvent(TurnKind.RESET, t))

    def forget(self) -> None:
        """The thread of the front-end was ended: what it was to say is not said later."""
        if self._speaker:
            self._speaker.fall_silent()
        self._clear()

    def _clear(self) -> None:
        if self._overlap:
            self._overlap.reset()
        self.mux.clear()
