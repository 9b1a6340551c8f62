"""The user as ROS4HRI has people: a voice in /humans/voices (REP-155), with what it says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from std_msgs.msg import Bool

import kame_ros.msg as msg
from kame_ros.nodes.bridges.packages import has, message_of
from kame_ros.nodes.common import convert, foreign_audio, qos
from kame_ros.nodes.common.base import KameNode
from kame_ros.wire.frame import SAMPLE_RATE, Frame
from kame_ros.wire.transcript import Transcript
from kame_ros.wire.turn import TurnEvent, TurnKind

_PERIOD_S = 1.0  # how often it is told who is there
_AUDIO = 'audio_common_msgs'


def live_speech(kind: type, heard: Transcript, t: float) -> Any:
    """A transcript as an hri_msgs/LiveSpeech: incremental while they speak, final at the end.

    `confidence` is the mean probability of the words where the stt node tells it, or 1.0 for what
    is final. `locale` or `language` is set, whichever this version of the message has.
    """
    message = kind()
    _stamp(message, t)
    sure = [word.probability for word in heard.words]
    if heard.final:
        message.final = heard.text
        message.confidence = float(sum(sure) / len(sure)) if sure else 1.0
    else:
        message.incremental = heard.text
    for name in ('locale', 'language'):
        if hasattr(message, name):
            setattr(message, name, heard.language)
    return message


def _stamp(message: Any, t: float) -> None:
    """Also of an old LiveSpeech, whose header is of another type."""
    header = message.header
    getattr(header, 'header', header).stamp = convert.to_time(t)


class HumanVoice:
    """Publishes `tracked`, and `speech`, `is_speaking` and `audio` of one voice.

    `audio` only where audio_common_msgs of ros-drivers is installed. `prefix` is usually
    /humans/voices, of which a machine has one. Raises ImportError without hri_msgs.
    """

    def __init__(self, node: KameNode, prefix: str, voice: str) -> None:
        self._node, self._voice = node, voice
        self.said = 0
        self._ids = message_of('hri_msgs', 'IdsList')
        self._speech_kind = message_of('hri_msgs', 'LiveSpeech')
        mine = f'{prefix.rstrip("/")}/{voice}'
        self._tracked = node.offer(self._ids, f'{prefix.rstrip("/")}/tracked', qos.STATE)
        self._speech = node.offer(self._speech_kind, f'{mine}/speech', qos.TEXT)
        self._speaking = node.offer(Bool, f'{mine}/is_speaking', qos.STATE)
        read, turn = convert.transcript_from_message, convert.turn_from_message
        node.listen(msg.Transcript, 'transcript', qos.TEXT, read, self._on_transcript)
        node.listen(msg.TurnEvent, 'turn', qos.TEXT, turn, self._on_turn)
        if has(_AUDIO, 'AudioData'):
            self._audio_kind = message_of(_AUDIO, 'AudioData')
            self._audio = node.offer(self._audio_kind, f'{mine}/audio', qos.AUDIO_OFFER)
            frame = convert.frame_from_message
            node.listen(msg.AudioFrame, 'audio/mic', qos.AUDIO_ASK, frame, self._on_mic)
        tell: Callable[[], None] = self._tell
        timer = node.create_timer(_PERIOD_S, tell)
        node._entities.append((node.destroy_timer, timer))
        self._tell()

    def _tell(self) -> None:
        message = self._ids(ids=[self._voice])
        _stamp(message, self._node.clock.now())
        self._tracked.publish(message)

    def _on_transcript(self, heard: Transcript) -> None:
        t = heard.published or self._node.clock.now()
        self._speech.publish(live_speech(self._speech_kind, heard, t))
        self.said += heard.final

    def _on_turn(self, event: TurnEvent) -> None:
        if event.kind in (TurnKind.USER_SPEECH_START, TurnKind.USER_SPEECH_END):
            self._speaking.publish(Bool(data=event.kind == TurnKind.USER_SPEECH_START))

    def _on_mic(self, frame: Frame) -> None:
        message = foreign_audio.write(self._audio_kind, frame.samples, SAMPLE_RATE, frame.t)
        self._audio.publish(message)
