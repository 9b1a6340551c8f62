"""Sound as foxglove_msgs/RawAudio, which Foxglove's audio panel plays."""

from __future__ import annotations

from typing import Any

import kame_ros.msg as msg
from kame_ros.nodes.bridges.packages import message_of
from kame_ros.nodes.common import convert, qos
from kame_ros.nodes.common.base import KameNode
from kame_ros.wire.frame import SAMPLE_RATE, Frame

_TOPICS = ('audio/mic', 'audio/played')
SUFFIX = '/raw'


def raw_audio(kind: type, frame: Frame) -> Any:
    """A frame as a RawAudio: 16 bit, little-endian, mono."""
    message = kind()
    message.timestamp = convert.to_time(frame.t)
    message.data = frame.samples.astype('<i2').tobytes()
    message.format = 'pcm-s16'
    message.sample_rate = SAMPLE_RATE
    message.number_of_channels = 1
    return message


class RawAudio:
    """Gives `audio/mic/raw` and `audio/played/raw`. Raises ImportError without foxglove_msgs."""

    def __init__(self, node: KameNode) -> None:
        self.sent = 0
        self._kind = message_of('foxglove_msgs', 'RawAudio')
        for topic in _TOPICS:
            self._relay(node, topic)

    def _relay(self, node: KameNode, topic: str) -> None:
        out = node.offer(self._kind, topic + SUFFIX, qos.AUDIO_OFFER)

        def on_frame(frame: Frame) -> None:
            out.publish(raw_audio(self._kind, frame))
            self.sent += 1

        node.listen(msg.AudioFrame, topic, qos.AUDIO_ASK, convert.frame_from_message, on_frame)
