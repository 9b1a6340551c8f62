"""Plays the user's side of a conversation into a graph: at its time, after the robot, over it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

import numpy as np
from rclpy.node import Node

import kame_ros.msg as msg
from kame_ros.audio.devices.pace import Pacer
from kame_ros.consumers.consumer import Consumer
from kame_ros.evaluation.player_script import ScriptPlayer
from kame_ros.evaluation.voice_meter import VoiceMeter
from kame_ros.graph.description import Graph
from kame_ros.nodes.common import convert, qos
from kame_ros.nodes.common.clock import NodeClock
from kame_ros.runtime.owner import OwnerThread
from kame_ros.wire.frame import FRAME_S, Frame, silence
from kame_ros.wire.turn import TurnEvent, TurnKind

TOPIC = 'audio/in'
FRAME_ID = 'player'


class Playing:
    """A script that is played; `ended_at` is set when all was said, on the graph's clock."""

    def __init__(self, script: ScriptPlayer) -> None:
        self.script = script
        self.ended_at: float | None = None


class UserPlayer(Consumer):
    """A microphone for `audio_capture.source=topic`: what a script says, and silence between.

    It publishes a frame of 80 ms at its end, as a sound card gives it, for as long as it runs, so
    that nobody waits for sound. The thread that plays owns the scripts; the consumer's methods are
    called by another one, and only tell it whether the robot speaks. When a script has ended, that
    is told on `turn` as the end of the input.
    """

    def __init__(self, node: Node, graph: Graph, on_fault: Callable[[BaseException], None]) -> None:
        self._voice = VoiceMeter()
        self._clock = NodeClock(node.get_clock())
        self._frames = node.create_publisher(msg.AudioFrame, graph.path(TOPIC), qos.AUDIO_OFFER)
        self._events = node.create_publisher(msg.TurnEvent, graph.path('turn'), qos.TEXT)
        self._next: queue.SimpleQueue[Playing] = queue.SimpleQueue()
        self._thread = OwnerThread('player', self._play, on_fault)
        self._robot_speaks = threading.Event()
        self.late = 0  # frames that left more than 80 ms after their time

    def start(self) -> None:
        """Begins to give silence."""
        self._thread.start()

    def stop(self) -> None:
        """Gives nothing any more."""
        self._thread.stop()

    def play(self, script: ScriptPlayer) -> Playing:
        """Plays a script from the next frame on."""
        playing = Playing(script)
        self._next.put(playing)
        return playing

    def on_played(self, frame: Frame) -> None:
        """The robot speaks, or is silent."""
        if self._voice.hear(frame):
            self._robot_speaks.set()
        else:
            self._robot_speaks.clear()

    def _play(self, stop: threading.Event) -> None:
        pacer = Pacer(self._clock.now, self._clock.sleep)
        pacer.start()
        seq, playing = 0, None
        while not stop.is_set():
            if playing is None and not self._next.empty():
                playing = self._next.get()
            t = pacer.t0 + seq * FRAME_S
            samples = silence()
            if playing is not None:
                samples = playing.script.frame(t, self._robot_speaks.is_set())
            pacer.wait(seq + 1)
            self._publish(seq, t, samples)
            seq += 1
            self.late = pacer.late
            if playing is not None and playing.script.done:
                playing.ended_at = t + FRAME_S
                self._tell_end(playing.ended_at)
                playing = None

    def _publish(self, seq: int, t: float, samples: np.ndarray) -> None:
        self._frames.publish(convert.frame_to_message(Frame(seq, t, samples), FRAME_ID))

    def _tell_end(self, t: float) -> None:
        ended = TurnEvent(TurnKind.INPUT_ENDED, t)
        self._events.publish(convert.turn_to_message(ended, FRAME_ID))
