"""One robot, as the node that speaks for it sees it: its topics, its services, what it waits for.

Callbacks only fill bounded inboxes. The owner thread of the front-end takes a frame and the oracle
for it (`take`), lets the model step, and gives the answer back (`answer`).
"""

from __future__ import annotations

import time
from collections.abc import Callable

from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from std_srvs.srv import Trigger

import kame_ros.msg as msg
from kame_ros.nodes.common import convert, qos
from kame_ros.nodes.common.base import KameNode
from kame_ros.nodes.common.listen import listen_to_anyone
from kame_ros.nodes.robot.mouth import RobotMouth
from kame_ros.nodes.robot.say_server import SayServer
from kame_ros.runtime.inbox import Inbox
from kame_ros.s2s.front_end import Speaker, Step
from kame_ros.s2s.mic_queue import MicQueue
from kame_ros.s2s.mux.intake import Intake
from kame_ros.s2s.mux.mux import MuxConfig
from kame_ros.s2s.prompter import Prompter
from kame_ros.settings.param import Param, filled
from kame_ros.wire.frame import Frame
from kame_ros.wire.oracle import ChunkKind, Oracle, OracleChunk
from kame_ros.wire.turn import TurnKind

_CHUNK_BOUND = 500  # an LLM gives far fewer words than this in the time of one step
_SAY_BOUND = 100  # chunks of goals, of which there are sixteen with four each
_ORDER_BOUND = 16
_DEAF_S = 5.0  # without a frame for so long, nobody is spoken for
_WATCH_S = 1.0

PARAMETERS = (
    Param('frame_id', 'loudspeaker', 'The frame_id in the headers of audio/speech.'),
    Param(
        'late_after_s',
        0.16,
        'A frame counts as late when it is spoken so long after its microphone frame ended.',
        low=0.0,
        high=10.0,
    ),
    *Param.of(MuxConfig, 'oracle_'),
    Param(
        'drop_oracle_on_barge_in',
        True,
        'Whether a front-end that does not notice itself when the user speaks over it (moshi '
        'with moshi.barge_in off) forgets then what it was to say, as the stt node tells.',
    ),
)
WARN_WHEN_GROWING = (
    'frames_dropped',
    'frames_missing',
    'frames_late',
    'bad_frames',
    'oracle_dropped',
    'orders_dropped',
    'ignored_old',
    'ignored_sources',
    'ignored_unknown',
    'truncated_chars',
    'unended_dropped',
    'crowded_dropped',
    'displaced',
    'unsaid',
    'unspeakable',
    'words_unspeakable',
    'voice_errors',
    'end_of_turn_errors',
)


class RobotLink:
    """The topics, services and inboxes of the robot whose names begin with `prefix`.

    An empty `prefix` is the namespace of the node. A robot that `visits` is there from its first
    frame until `leave`; nobody speaks to it before and after. `on_sound` is called for each frame
    that comes, in the thread of the callbacks. `node` must be configuring: the link lives until
    `destroy` and the clean-up of the node.
    """

    def __init__(
        self,
        node: KameNode,
        prefix: str = '',
        *,
        visits: bool = False,
        on_sound: Callable[[], None] = lambda: None,
    ) -> None:
        self.prefix = prefix
        self.speaker: Speaker | None = None
        self.last_heard = -1e9  # when the last frame came, s of time.monotonic()
        self._node, self._visits, self._on_sound = node, visits, on_sound
        self._present = not visits
        config = filled(MuxConfig, node.param, 'oracle_')
        self._prompter = Prompter(config, lambda event: self._mouth.tell(event), self._on_unsaid)
        self._late_after = node.param('late_after_s')
        self._count = {'frames_late': 0}
        if visits:
            self._count |= {'visits': 0, 'frames_unanswered': 0, 'oracle_unanswered': 0}
        self._idle_checks = 0  # since the last frame
        self.open()
        self._make_topics()

    def _make_topics(self) -> None:
        node, name = self._node, self._name
        self._mouth = RobotMouth(node, name)
        self._oracle = node.offer(msg.OracleChunk, name('oracle'), qos.TEXT)
        frame, words = convert.frame_from_message, convert.transcript_from_message
        turn = convert.turn_from_message
        for kind, topic, profile, read, callback in (
            (msg.AudioFrame, 'audio/mic', qos.AUDIO_ASK, frame, self._on_mic),
            (msg.TurnEvent, 'turn', qos.TEXT, turn, self._prompter.on_turn),
            (msg.Transcript, 'transcript', qos.TEXT, words, self._prompter.hear),
        ):
            node.listen(kind, name(topic), profile, read, callback)
        listen_to_anyone(
            node, msg.OracleChunk, name('oracle'), convert.chunk_from_message, self._on_chunk
        )
        node.serve(Trigger, name('interrupt'), self._on_interrupt)
        node.serve(Trigger, name('reset'), self._on_reset)
        self._say = SayServer(node, self._give, name('say'), self._say_refusal)
        watch = node.create_timer(
            _WATCH_S, self._watch, clock=Clock(clock_type=ClockType.STEADY_TIME)
        )
        node._entities.append((node.destroy_timer, watch))

    def _name(self, name: str) -> str:
        return f'{self.prefix}/{name}' if self.prefix else name

    # The life of the link, beside that of the node.

    def open(self) -> None:
        """The node becomes active: new inboxes."""
        self.mic = MicQueue()
        self._chunks = Intake(_CHUNK_BOUND)
        self._says = Intake(_SAY_BOUND)
        self._prompter.open()
        self._orders: Inbox[Callable[[float], None]] = Inbox(_ORDER_BOUND, drop='newest')
        self._idle_checks = 0

    def close(self) -> None:
        """The node is stopping: what has been heard can still be taken, no more comes in."""
        self.mic.close()

    def forget(self, why: str, ended: bool = True) -> None:
        """The owner was stopped, and has `ended` if so: what it was to say is not said later."""
        if ended:
            self._prompter.forget()
        self._mouth.ask_gain(0.0)
        self._say.stop(why)

    def destroy(self) -> None:
        """The node is cleaned up."""
        self._say.destroy()
        self.speaker = None
        self._prompter.leave()

    def join(self, speaker: Speaker) -> None:
        """Somebody speaks for the robot from now on."""
        self.speaker = speaker
        self._prompter.join(speaker, self._node.param('drop_oracle_on_barge_in'))
        if self._visits:
            self._count['visits'] += 1

    def leave(self, why: str) -> None:
        """Nobody speaks for the robot any more; what still waits is counted and forgotten."""
        self.speaker = None
        self._present = False
        self._count['frames_unanswered'] += self.mic.forget()
        self._count['oracle_unanswered'] += self._chunks.forget() + self._says.forget()
        self._orders.drain()
        self._prompter.leave()
        self._say.stop(why)

    def counters(self) -> dict[str, float]:
        """Running totals for diagnostics, by name."""
        mux = self._prompter.mux.counters()
        mux['truncated_chars'] += self._chunks.cut_chars + self._says.cut_chars
        return {
            'frames_in': self._prompter.frames,
            **self._count,
            'frames_out': self._mouth.spoken,
            **self.mic.counters(),
            **self._chunks.counters('oracle'),
            **self._orders.counters('orders'),
            **mux,
            'says_open': self._say.open,
            'says_refused': self._say.refused,
            **self._node.reader.counters(f'{self.prefix}/' if self.prefix else ''),
            **(self.speaker.counters() if self.speaker else {}),
        }

    # Callbacks: they only fill the inboxes.

    def _on_mic(self, frame: Frame) -> None:
        self.last_heard = time.monotonic()
        self._idle_checks = 0
        self._present = True
        self.mic.put(frame, self.last_heard)
        self._on_sound()

    def _on_chunk(self, chunk: OracleChunk) -> None:
        if self._say.is_own(chunk.source):
            return  # it was given to the front-end before it was published
        if not self._present:
            self._count['oracle_unanswered'] += 1
            return
        self._chunks.put(chunk)

    def _give(self, chunk: OracleChunk) -> bool:
        """A chunk of a goal; others hear of it too."""
        given = self._says.put(chunk)
        self._oracle.publish(convert.chunk_to_message(chunk, self._node.clock.now()))
        return given

    def _on_interrupt(
        self, request: Trigger.Request, response: Trigger.Response
    ) -> Trigger.Response:
        return self._order(self._interrupt, 'the robot is silent', response)

    def _on_reset(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        return self._order(self._reset, 'a new dialogue', response)

    def _order(
        self, order: Callable[[float], None], done: str, response: Trigger.Response
    ) -> Trigger.Response:
        problem = self._refusal()
        if not problem and not self._orders.put(order):
            problem = f'{_ORDER_BOUND} orders wait already'
        response.success, response.message = not problem, problem or done
        return response

    def _refusal(self) -> str:
        """Why the robot can be told nothing now; empty if it can."""
        if not self._node.active:
            return 'the node is not active'
        return '' if self._present else 'no sound comes from the robot'

    def _say_refusal(self) -> str:
        told = self.speaker is None or self.speaker.hears_oracle
        return self._refusal() or ('' if told else 'this model has no oracle to be told by')

    def _watch(self) -> None:
        """A front-end that hears nothing does not speak: nobody waits for it for ever."""
        self._idle_checks += 1
        if self._say.open and self._idle_checks * _WATCH_S > _DEAF_S:
            self._says.forget()
            self._say.stop('no sound comes from the robot, and without it nothing is said')

    # The owner of the front-end.

    def take(self) -> tuple[Frame, Oracle | None]:
        """The frame that is due, and what the robot should say, after all orders were obeyed."""
        heard = self.mic.take()
        for order in self._orders.drain():
            order(heard.t)
        waits, own = self._prompter.mux.waits, self._says.take()
        spoken_over = self._prompter.prompt(heard, self._chunks.take(), own)
        for chunk in own:
            if chunk.kind == ChunkKind.END:
                self._say.on_given(chunk.source)
        if spoken_over:
            self._say.settle(waits, 'the user spoke')
        self._say.settle(waits, 'it could not be said')
        return heard, self._prompter.current()

    def answer(self, heard: Frame, step: Step) -> None:
        """Publishes what the front-end gave for a frame that was taken."""
        self._mouth.speak(heard, step)
        self._prompter.follow(heard, step)
        for piece in step.pieces:
            self._say.on_piece(piece)
        for event in step.events:
            if event.kind == TurnKind.ORACLE_SPOKEN:
                self._say.on_spoken(event.source)
            if event.kind == TurnKind.BARGE_IN:
                self._say.settle(self._prompter.mux.waits, 'the user spoke')
        self._mouth.ask_gain(step.gain)
        if not self.mic.in_gap:
            self._count['frames_late'] += self._node.clock.now() - heard.end > self._late_after

    def _interrupt(self, t: float) -> None:
        self._mouth.ask_gain(0.0)
        self._prompter.interrupt(t)
        self._say.settle(self._prompter.mux.waits, 'interrupted')

    def _reset(self, t: float) -> None:
        self._mouth.ask_gain(0.0)
        self._prompter.reset(t)
        self._say.settle(self._prompter.mux.waits, 'the dialogue starts anew')

    def _on_unsaid(self, source: str, why: str) -> None:
        self._node.get_logger().warning(f'{source} is not heard: {why}', throttle_duration_sec=10.0)
