"""The front-end: hears the user and the oracle, and speaks, a frame for each frame."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from std_msgs.msg import Float32
from std_srvs.srv import Trigger

import kame_ros.msg as msg
from kame_ros.audio.frame import FRAME_S, Frame
from kame_ros.inbox import Inbox
from kame_ros.nodes import convert, qos
from kame_ros.nodes.base import KameNode
from kame_ros.nodes.front_ends import FRONT_ENDS, PARAMETERS, make_front_end, model_name
from kame_ros.nodes.parameters import Param
from kame_ros.nodes.run import run
from kame_ros.nodes.say_server import SayServer
from kame_ros.oracle.chunk import OracleChunk
from kame_ros.owner import OwnerThread
from kame_ros.s2s.front_end import Event, FrontEnd, Happening, Step
from kame_ros.s2s.mux import OracleMux
from kame_ros.s2s.overlap import Overlap
from kame_ros.step_times import StepTimes

_MIC_BOUND = 25  # frames: what waits longer than 2 s is not answered any more
_CHUNK_BOUND = 500  # an LLM gives far fewer words than this in the time of one step
_MAX_CONCEALED = 25  # frames: a longer gap in the numbers is a new stream, not a loss
_POLL_S = 0.2


class S2SNode(KameNode):
    """Answers each frame of `audio/mic` with a frame of `audio/speech` and the monologue."""

    PARAMETERS = (
        Param(
            'front_end',
            'tts',
            'What speaks: a small neural voice on a CPU, or the KAME model on a GPU.',
            choices=FRONT_ENDS,
        ),
        Param('frame_id', 'loudspeaker', 'The frame_id in the headers of audio/speech.'),
        Param(
            'late_after_s',
            0.16,
            'A frame counts as late when it is spoken so long after its microphone frame ended.',
            low=0.0,
            high=10.0,
        ),
        Param(
            'drop_oracle_on_barge_in',
            True,
            'Whether a front-end that handles overlap itself (moshi) forgets what it was to say '
            'when the user interrupts it; it is not made silent.',
        ),
        *PARAMETERS,
    )
    WARN_WHEN_GROWING = (
        'frames_dropped',
        'frames_missing',
        'frames_late',
        'bad_frames',
        'oracle_dropped',
    )

    def __init__(self, **options: Any) -> None:
        self._front_end: FrontEnd | None = None
        self._thread: OwnerThread | None = None
        self._say: SayServer | None = None
        self._mux = OracleMux()
        self._overlap: Overlap | None = None
        self._gain_asked = 1.0
        self._mic: Inbox[Frame] = Inbox(_MIC_BOUND)
        self._chunks: Inbox[OracleChunk] = Inbox(_CHUNK_BOUND, drop='newest')
        self._orders: Inbox[Callable[[float], None]] = Inbox(16, drop='newest')
        self._times = StepTimes(FRAME_S)
        self._count = dict.fromkeys(
            ('frames_in', 'frames_out', 'frames_missing', 'frames_late', 'bad_frames'), 0
        )
        super().__init__('s2s', **options)

    def load(self) -> None:
        self._front_end = make_front_end(self.param)
        self._front_end.warm_up()
        self._speech = self.offer(msg.AudioFrame, 'audio/speech', qos.AUDIO_OFFER)
        self._monologue = self.offer(msg.MonologueToken, 'monologue', qos.TEXT)
        self._oracle = self.offer(msg.OracleChunk, 'oracle', qos.TEXT)
        self._gain = self.offer(Float32, 'audio/gain', qos.TEXT)
        own_ear = hasattr(self._front_end, 'hear_words')
        self._overlap = None if own_ear or not self.param('drop_oracle_on_barge_in') else Overlap()
        self.offer_events()
        self.listen(msg.AudioFrame, 'audio/mic', qos.AUDIO_ASK, self._on_mic)
        self.listen(msg.OracleChunk, 'oracle', qos.TEXT, self._on_chunk)
        self.listen(msg.TurnEvent, 'turn', qos.TEXT, self._on_turn)
        self.listen(msg.Transcript, 'transcript', qos.TEXT, self._on_transcript)
        self.serve(Trigger, 'interrupt', self._on_interrupt)
        self.serve(Trigger, 'reset', self._on_reset)
        self._say = SayServer(self, self._publish_chunk)

    def start(self) -> None:
        self._mic = Inbox(_MIC_BOUND)
        self._chunks = Inbox(_CHUNK_BOUND, drop='newest')
        self._orders = Inbox(16, drop='newest')
        self._thread = OwnerThread('front-end', self._speak, self.fail)
        self._thread.start()

    def stop(self) -> None:
        if self._thread:
            self._mic.close()  # what has been heard is still answered
            self._thread.stop()
            self._thread = None

    def unload(self) -> None:
        if self._say:
            self._say.destroy()
            self._say = None
        self._front_end = None

    def counters(self) -> dict[str, float | str]:
        front_end = self._front_end
        return {
            'model': model_name(self.param),
            **self._count,
            **self._mic.counters('frames'),
            **self._chunks.counters('oracle'),
            **self._mux.counters(),
            **self._times.counters(),
            **(front_end.counters() if front_end else {}),
        }

    def complaint(self) -> str:
        if not self._times.overloaded:
            return ''
        advice = getattr(self._front_end, 'complaint', str)()
        return advice or (
            f'the front-end is slower than real time (factor '
            f'{self._times.real_time_factor:.2f}): give it a core of its own'
        )

    # Callbacks: they only fill the inboxes.

    def _on_mic(self, message: msg.AudioFrame) -> None:
        try:
            self._mic.put(convert.frame_from_message(message))
        except ValueError as error:
            self._count['bad_frames'] += 1
            self.get_logger().error(str(error), once=True)

    def _on_chunk(self, message: msg.OracleChunk) -> None:
        try:
            self._chunks.put(convert.chunk_from_message(message))
        except ValueError as error:
            self.get_logger().error(f'an oracle chunk is not understood: {error}', once=True)

    def _on_turn(self, message: msg.TurnEvent) -> None:
        if message.kind == msg.TurnEvent.SILENT:
            self._orders.put(self._excuse)
        elif self._overlap and message.kind == msg.TurnEvent.USER_SPEECH_START:
            self._overlap.on_speech(True, convert.from_time(message.header.stamp))
        elif self._overlap and message.kind == msg.TurnEvent.USER_SPEECH_END:
            self._overlap.on_speech(False, convert.from_time(message.header.stamp))

    def _on_transcript(self, message: msg.Transcript) -> None:
        start, end = convert.from_time(message.start), convert.from_time(message.end)
        said = (int(message.utterance), message.text)
        hear = getattr(self._front_end, 'hear_words', None)
        if hear:
            self._orders.put(lambda t: hear(*said, start - t, end - t))
        elif self._overlap:
            self._overlap.words.hear(*said, start, end)

    def _on_interrupt(
        self, request: Trigger.Request, response: Trigger.Response
    ) -> Trigger.Response:
        response.success = self.active and self._orders.put(self._interrupt)
        response.message = 'the robot is silent' if response.success else 'the node is not active'
        return response

    def _on_reset(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        response.success = self.active and self._orders.put(self._reset)
        response.message = 'a new dialogue' if response.success else 'the node is not active'
        return response

    # The owner of the front-end.

    def _speak(self, stop: threading.Event) -> None:
        frame_id = self.param('frame_id')
        late_after = self.param('late_after_s')
        expected: int | None = None
        while True:
            frame = self._mic.get(_POLL_S)
            if frame is None:
                if stop.is_set():
                    return
                continue
            for heard in self._with_concealed(frame, expected):
                self._one_frame(heard, frame_id)
            expected = frame.seq + 1
            self._count['frames_late'] += self.clock.now() - frame.end > late_after

    def _with_concealed(self, frame: Frame, expected: int | None) -> list[Frame]:
        """The frame, after silence for those that were lost on the way to it."""
        missing = frame.seq - expected if expected is not None else 0
        if not 0 < missing <= _MAX_CONCEALED:
            return [frame]
        self._count['frames_missing'] += missing
        return [
            Frame(seq, frame.t - (frame.seq - seq) * FRAME_S)
            for seq in range(frame.seq - missing, frame.seq)
        ] + [frame]

    def _one_frame(self, heard: Frame, frame_id: str) -> None:
        for order in self._orders.drain():
            order(heard.t)
        for chunk in self._chunks.drain():
            self._mux.on_chunk(chunk)
        if self._overlap and self._overlap.update(heard.end, self._mux.current() is not None):
            self._mux.drop()
            self.tell(msg.TurnEvent.BARGE_IN, heard.t)
        assert self._front_end is not None
        began = time.perf_counter()
        step = self._front_end.step(heard.samples, self._mux.current())
        self._times.add(time.perf_counter() - began)
        if self._times.overloaded:
            self.get_logger().error(self.complaint(), throttle_duration_sec=30.0)
        self._count['frames_in'] += 1
        self._publish_step(heard, step, frame_id)

    def _publish_step(self, heard: Frame, step: Step, frame_id: str) -> None:
        speech = Frame(self._count['frames_out'], heard.t, step.speech, source_seq=heard.seq)
        self._speech.publish(convert.frame_to_message(speech, frame_id))
        self._count['frames_out'] += 1
        for piece in step.pieces:
            self._monologue.publish(
                msg.MonologueToken(
                    header=convert.header(speech.t, frame_id),
                    seq=speech.seq,
                    text=piece.text,
                    source=piece.source,
                    generation=piece.generation,
                )
            )
            if self._say:
                self._say.on_piece(piece)
        for event in step.events:
            self._on_event(event, heard)
        self._ask_gain(step.gain)

    def _ask_gain(self, gain: float) -> None:
        if gain != self._gain_asked:
            self._gain_asked = gain
            self._gain.publish(Float32(data=gain))

    def _on_event(self, event: Event, heard: Frame) -> None:
        # The front-end's own sense of the user's turn is not told: the stt node tells that.
        if event.kind not in (Happening.USER_SPEECH_START, Happening.USER_SPEECH_END):
            self.tell(int(event.kind), heard.t, source=event.source, generation=event.generation)
        if event.kind == Happening.ORACLE_SPOKEN:
            self._mux.spoken(event.source, event.generation)
            if self._say:
                self._say.on_spoken(event.source)
        if event.kind == Happening.BARGE_IN:
            self._mux.drop()
            if self._say:
                self._say.on_stopped('the user spoke')

    def _interrupt(self, t: float) -> None:
        assert self._front_end is not None
        self._front_end.interrupt()
        self._ask_gain(0.0)
        self._mux.drop()
        self.tell(msg.TurnEvent.BARGE_IN, t, source='interrupt')
        if self._say:
            self._say.on_stopped('interrupted')

    def _reset(self, t: float) -> None:
        assert self._front_end is not None
        self._front_end.reset()
        self._ask_gain(0.0)
        if self._overlap:
            self._overlap.reset()
        self._mux.clear()
        self.tell(msg.TurnEvent.RESET, t)
        if self._say:
            self._say.on_stopped('the dialogue starts anew')

    def _excuse(self, t: float) -> None:
        """What was taken for a turn was noise: the robot owes no answer."""
        excuse = getattr(self._front_end, 'excuse', None)
        if excuse:
            excuse()

    def _publish_chunk(self, chunk: OracleChunk) -> None:
        self._oracle.publish(convert.chunk_to_message(chunk, self.clock.now()))


def main(args: Sequence[str] | None = None) -> int:
    """Runs the node."""
    return run(S2SNode, args)


if __name__ == '__main__':
    raise SystemExit(main())
