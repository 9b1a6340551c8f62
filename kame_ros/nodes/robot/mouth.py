"""What one robot says, on its topics: sound, the words in it, how loud, and what happens."""

from __future__ import annotations

from collections.abc import Callable

from std_msgs.msg import Float32

import kame_ros.msg as msg
from kame_ros.nodes.common import convert, qos
from kame_ros.nodes.common.base import KameNode
from kame_ros.s2s.front_end import Step
from kame_ros.wire.frame import Frame
from kame_ros.wire.turn import TurnEvent


class RobotMouth:
    """The publishers of one robot; `name` gives the full name of a topic."""

    def __init__(self, node: KameNode, name: Callable[[str], str]) -> None:
        self.spoken = 0  # frames
        self._source = node.get_name()
        self._frame_id = node.param('frame_id')
        self._gain_asked = 1.0
        self._speech = node.offer(msg.AudioFrame, name('audio/speech'), qos.AUDIO_OFFER)
        self._monologue = node.offer(msg.MonologueToken, name('monologue'), qos.TEXT)
        self._gain = node.offer(Float32, name('audio/gain'), qos.TEXT)
        self._events = node.offer(msg.TurnEvent, name('turn'), qos.TEXT)

    def speak(self, heard: Frame, step: Step) -> None:
        """Publishes the frame and the words that answer the frame that was heard."""
        speech = Frame(self.spoken, heard.t, step.speech, source_seq=heard.seq)
        self._speech.publish(convert.frame_to_message(speech, self._frame_id))
        self.spoken += 1
        for piece in step.pieces:
            self._monologue.publish(
                msg.MonologueToken(
                    header=convert.header(speech.t, self._frame_id),
                    seq=speech.seq,
                    text=piece.text,
                    source=piece.source,
                    generation=piece.generation,
                )
            )

    def ask_gain(self, gain: float) -> None:
        """Says how loud to play, where that has changed."""
        if gain != self._gain_asked:
            self._gain_asked = gain
            self._gain.publish(Float32(data=gain))

    def tell(self, event: TurnEvent) -> None:
        """Publishes something that happened; where it names no source, to this node."""
        self._events.publish(convert.turn_to_message(event, self._source))
