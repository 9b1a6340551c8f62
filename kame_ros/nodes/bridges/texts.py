"""Plain text in and out, as std_msgs/String: what most robots can already send and show."""

from __future__ import annotations

from std_msgs.msg import String

import kame_ros.msg as msg
from kame_ros.nodes.common import convert, qos
from kame_ros.nodes.common.base import KameNode
from kame_ros.wire.monologue import MonologueToken
from kame_ros.wire.oracle import whole
from kame_ros.wire.transcript import Transcript
from kame_ros.wire.turn import TurnEvent, TurnKind

SOURCE = 'text'
_LONGEST = 4_000  # characters, as of an oracle
_OVER = (TurnKind.ROBOT_SPEECH_END, TurnKind.BARGE_IN, TurnKind.RESET)


class Texts:
    """Says what comes on `say`; tells on `heard` what the user said, on `said` what the robot did.

    Empty names are left out. Raises ValueError for a robot that would say what it says.
    """

    def __init__(self, node: KameNode, say: str, heard: str, said: str, priority: int) -> None:
        if say and say in (heard, said):
            raise ValueError(f'the robot would say what it tells on {say}: give another topic')
        self._node, self._priority = node, priority
        self.spoken = 0
        self._words = ''
        if say:
            self._oracle = node.offer(msg.OracleChunk, 'oracle', qos.TEXT)
            node.listen(String, say, qos.TEXT, _text, self._on_say)
        if heard:
            self._heard = node.offer(String, heard, qos.TEXT)
            read = convert.transcript_from_message
            node.listen(msg.Transcript, 'transcript', qos.TEXT, read, self._on_transcript)
        if said:
            self._said = node.offer(String, said, qos.TEXT)
            read_word, turn = convert.monologue_from_message, convert.turn_from_message
            node.listen(msg.MonologueToken, 'monologue', qos.TEXT, read_word, self._on_word)
            node.listen(msg.TurnEvent, 'turn', qos.TEXT, turn, self._on_turn)

    def _on_say(self, text: str) -> None:
        self.spoken += 1
        for chunk in whole(SOURCE, self.spoken, text, self._priority):
            self._oracle.publish(convert.chunk_to_message(chunk, self._node.clock.now()))

    def _on_transcript(self, heard: Transcript) -> None:
        if heard.final and heard.text.strip():
            self._heard.publish(String(data=heard.text.strip()))

    def _on_word(self, token: MonologueToken) -> None:
        self._words = (self._words + token.text)[-_LONGEST:]

    def _on_turn(self, event: TurnEvent) -> None:
        if event.kind in _OVER and self._words.strip():
            self._said.publish(String(data=' '.join(self._words.split())))
            self._words = ''


def _text(message: String) -> str:
    text = ' '.join(message.data.split())
    if not text or len(text) > _LONGEST:
        raise ValueError(f'a text to say has 1 to {_LONGEST} characters, not {len(text)}')
    return text
