"""The graph without nodes: recogniser, oracle and front-end in one thread, on virtual time.

Each part is fed as its node feeds it: kame_ros/nodes/stt_node.py, oracle_node.py, robot/link.py.
What a node needs time for that a replay does not know is in `Timing`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from kame_ros.consumers.consumer import Consumer
from kame_ros.oracle.config import OracleConfig
from kame_ros.oracle.conversation.session import OracleSession
from kame_ros.oracle.outputs import Outputs
from kame_ros.record.played_words import PlayedWords
from kame_ros.replay.playout import VirtualPlayout
from kame_ros.replay.virtual_time import VirtualLoop, run
from kame_ros.runtime.faults import Faults
from kame_ros.s2s.front_end import FrontEnd
from kame_ros.s2s.mux.mux import MuxConfig
from kame_ros.s2s.prompter import Prompter
from kame_ros.stt.speech_to_text import SpeechToText
from kame_ros.wire.frame import FRAME_S, Frame, silence
from kame_ros.wire.monologue import MonologueToken
from kame_ros.wire.oracle import LLM, OracleChunk
from kame_ros.wire.transcript import Transcript
from kame_ros.wire.turn import TOLD_AS, TurnEvent, TurnKind

_ROBOT = (TurnKind.ROBOT_SPEECH_START, TurnKind.ROBOT_SPEECH_END)
_LONGEST_S = 120.0  # of an answer, behind the end of the sound


@dataclass(frozen=True)
class Timing:
    """Seconds that pass between a question and its answer where nothing is computed.

    `decode_s`: a decode of the recogniser; `playout_s`: from the start of a frame that is heard to
    the start of the one that answers it, in the loudspeaker.
    """

    decode_s: float = 0.25
    playout_s: float = 0.28


class Meter:
    """What a decode costs: always the same. Asked before and after it."""

    def __init__(self, decode_s: float) -> None:
        self._decode_s = decode_s
        self._asked = 0

    def __call__(self) -> float:
        """The time, in seconds."""
        self._asked += 1
        return self._asked // 2 * self._decode_s


class VirtualGraph:
    """One conversation; `consumers` are told all of it. Make a new one for the next."""

    def __init__(
        self,
        stt: SpeechToText,
        front_end: FrontEnd,
        oracle: OracleConfig | None,
        consumers: Sequence[Consumer],
        timing: Timing | None = None,
        mux: MuxConfig | None = None,
        drop_oracle_on_barge_in: bool = True,
    ) -> None:
        self._stt, self._front_end, self._config = stt, front_end, oracle
        self._consumers = consumers
        self._timing = timing or Timing()
        self._prompter = Prompter(mux, self._tell_of_front_end)
        self._prompter.join(front_end, drop_oracle_on_barge_in)
        self._playout = VirtualPlayout(self._timing.playout_s)
        self._chunks: list[OracleChunk] = []
        self._mic: deque[Frame] = deque()
        self._played: deque[Frame] = deque()
        self._turn_ends: deque[float] = deque()
        self._words = PlayedWords()
        self._gain = 1.0
        self._stopped = False  # by a stop word, since the last frame
        self._session: OracleSession | None = None
        self.faults: list[str] = []

    def run(self, frames: Iterable[Frame], is_over: Callable[[], bool] | None = None) -> None:
        """Hears the frames; then silence until `is_over`, two minutes at most (None: none at all).

        Raises LlmError where the LLM cannot be had.
        """
        frames = list(frames)
        self._t0 = frames[0].t if frames else 0.0
        self._loop = VirtualLoop()
        run(self._run(frames, is_over), self._loop)

    def now(self) -> float:
        """The time on the audio clock. The loop counts from 0: it could not tell nanoseconds at
        seconds since 1970, and would turn for ever.
        """
        return self._t0 + self._loop.time()

    async def _run(self, frames: list[Frame], is_over: Callable[[], bool] | None) -> None:
        self._heard, self._changed = asyncio.Event(), asyncio.Event()
        tasks = [asyncio.ensure_future(self._recognise())]
        if self._config is not None:
            self._session = OracleSession(
                self._config,
                self.now,
                Outputs(self._on_chunk, self._on_oracle_event),
                self._changed.set,
                faults=Faults(self.faults.append),
            )
            await self._session.warm_up()
            tasks.append(asyncio.ensure_future(self._keep_deadlines(self._session)))
        for frame in frames:
            await self._hear(frame, tasks)
        if is_over is not None and frames:
            await self._wait_for_the_end(frames[-1], is_over, tasks)
        for task in tasks:
            task.cancel()
        if self._session is not None:
            await self._session.aclose()

    async def _wait_for_the_end(
        self, last: Frame, is_over: Callable[[], bool], tasks: list[asyncio.Task[None]]
    ) -> None:
        self._tell_all('on_turn', TurnEvent(TurnKind.INPUT_ENDED, last.end, 'audio_capture'))
        for number in range(round(_LONGEST_S / FRAME_S)):
            if is_over():
                return
            frame = Frame(last.seq + 1 + number, last.end + number * FRAME_S, silence())
            await self._hear(frame, tasks)

    async def _hear(self, frame: Frame, tasks: Sequence[asyncio.Task[None]]) -> None:
        await asyncio.sleep(max(0.0, frame.end - self.now()))
        for task in tasks:
            if task.done():
                task.result()  # what it raised
        self._tell_all('on_mic', frame)
        for played in self._playout.due(self.now()):
            self._on_played(played)
        self._mic.append(frame)
        self._heard.set()
        self._speak(frame)

    # -- the recogniser ---------------------------------------------------------------------

    async def _recognise(self) -> None:
        while True:
            if not self._stt.busy and not self._mic:
                self._heard.clear()
                await self._heard.wait()
            while self._played:
                self._stt.played(self._played.popleft())
            while self._turn_ends:
                self._stt.end_turn(self._turn_ends.popleft())
            while self._mic:
                self._publish(self._stt.feed(self._mic.popleft()))
            if self._stt.busy:
                outputs = self._stt.work()
                await asyncio.sleep(self._timing.decode_s)
                self._publish(outputs)

    def _publish(self, outputs: Iterable[Transcript | TurnEvent]) -> None:
        for output in outputs:
            if isinstance(output, TurnEvent):
                self._on_turn(replace(output, source='stt'))
            else:
                self._on_transcript(replace(output, published=self.now()))

    def _on_transcript(self, heard: Transcript) -> None:
        self._tell_all('on_transcript', heard)
        self._prompter.hear(heard)
        if self._session is not None:
            self._session.hear(heard)
        if heard.final and not heard.text:
            self._on_turn(TurnEvent(TurnKind.SILENT, heard.end, 'stt', utterance=heard.utterance))

    # -- the oracle -------------------------------------------------------------------------

    async def _keep_deadlines(self, session: OracleSession) -> None:
        while True:
            self._changed.clear()
            deadline = session.next_deadline()
            wait = None if deadline is None else max(0.005, deadline - self.now())
            try:
                await asyncio.wait_for(self._changed.wait(), wait)
            except asyncio.TimeoutError:
                session.tick()

    def _on_chunk(self, chunk: OracleChunk) -> None:
        self._tell_all('on_oracle', chunk)
        self._chunks.append(chunk)

    def _on_oracle_event(self, event: TurnEvent) -> None:
        if event.kind is TurnKind.STOPPED:
            self._stopped = True
            return
        kind = TOLD_AS.get(event.kind, event.kind)
        self._on_turn(replace(event, kind=kind, source=LLM))

    # -- the front-end ----------------------------------------------------------------------

    def _speak(self, heard: Frame) -> None:
        if self._stopped:
            self._stopped = False
            self._set_gain(0.0)
            self._prompter.interrupt(heard.t)
        seq, chunks = self._prompter.frames, self._chunks
        self._chunks = []
        self._prompter.prompt(heard, chunks)
        step = self._front_end.step(heard.samples, self._prompter.current())
        self._playout.put(Frame(seq, heard.t, step.speech, source_seq=heard.seq))
        for piece in step.pieces:
            token = MonologueToken(seq, heard.t, piece.text, piece.source, piece.generation)
            self._tell_all('on_monologue', token)
            self._words.on_monologue(token)
        self._prompter.follow(heard, step)
        self._set_gain(step.gain)

    def _set_gain(self, gain: float) -> None:
        if gain != self._gain:
            self._gain = gain
            self._playout.gain(gain)

    def _tell_of_front_end(self, event: TurnEvent) -> None:
        self._on_turn(replace(event, source=event.source or 's2s'))

    # -- what all hear ----------------------------------------------------------------------

    def _on_played(self, frame: Frame) -> None:
        self._tell_all('on_played', frame)
        self._played.append(frame)
        for token in self._words.on_played(frame):
            if self._session is not None:
                generation = token.generation if token.source == LLM else -1
                self._session.robot_said(token.text, frame.t, generation)

    def _on_turn(self, event: TurnEvent) -> None:
        self._tell_all('on_turn', event)
        self._prompter.on_turn(event)
        if event.kind == TurnKind.TURN_ENDED:
            self._turn_ends.append(event.t)
        elif self._session is not None and event.kind == TurnKind.BARGE_IN:
            self._session.barge_in(event.t)
        elif self._session is not None and event.kind in _ROBOT:
            self._session.robot_speaks(event.t, event.kind == TurnKind.ROBOT_SPEECH_START)
        elif self._session is not None and event.kind == TurnKind.TAKEN_BACK:
            self._session.take_back(event.t)

    def _tell_all(self, method: str, told: object) -> None:
        for consumer in self._consumers:
            getattr(consumer, method)(told)
