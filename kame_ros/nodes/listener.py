"""Hears everything that passes in a graph and hands it to a session's record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.node import Node

import kame_ros.msg as msg
from kame_ros.audio.frame import Frame
from kame_ros.dialogue.ending import Ending
from kame_ros.dialogue.happening import Kind, TurnEvent
from kame_ros.dialogue.session import Session
from kame_ros.graph import Graph
from kame_ros.nodes import convert, qos

_LOUD = 64  # of 32768


class SessionListener:
    """Subscribes to the topics of a graph on a node that the caller spins.

    Sound is asked for RELIABLE here: a record must be whole, and may be late.
    """

    def __init__(self, node: Node, graph: Graph, session: Session, ending: Ending) -> None:
        self._session = session
        self._ending = ending
        self._logger = node.get_logger()
        self.now = 0.0  # the time of the newest frame, on the audio clock

        def listen(kind: type, topic: str, callback: Callable[[Any], None]) -> None:
            node.create_subscription(kind, graph.path(topic), callback, qos.RECORD)

        listen(msg.AudioFrame, 'audio/mic', self._on_mic)
        listen(msg.AudioFrame, 'audio/played', self._on_played)
        listen(msg.Transcript, 'transcript', self._on_transcript)
        listen(msg.MonologueToken, 'monologue', self._on_monologue)
        listen(msg.TurnEvent, 'turn', self._on_turn)

    def _on_mic(self, message: msg.AudioFrame) -> None:
        frame = self._frame(message)
        if frame is not None:
            self._session.on_mic(frame)
            self.now = max(self.now, frame.end)

    def _on_played(self, message: msg.AudioFrame) -> None:
        frame = self._frame(message)
        if frame is not None:
            self._session.on_played(frame)
            self._ending.on_sound(frame.end, frame.peak > _LOUD)

    def _on_transcript(self, message: msg.Transcript) -> None:
        try:
            transcript = convert.transcript_from_message(message)
        except ValueError as error:
            self._logger.error(f'a transcript is not understood: {error}', once=True)
            return
        self._session.on_transcript(transcript)
        if transcript.final and transcript.text.strip():
            generations = self._session.generations
            answered = generations.answered(transcript.utterance, transcript.text)
            self._ending.on_final(transcript.utterance, self.now, answered)

    def _on_monologue(self, message: msg.MonologueToken) -> None:
        self._session.on_monologue(message.seq, message.text)

    def _on_turn(self, message: msg.TurnEvent) -> None:
        try:
            kind = Kind(message.kind)
        except ValueError:
            self._logger.warning(f'an event of kind {message.kind} is not known', once=True)
            return
        event = TurnEvent(
            kind,
            convert.from_time(message.header.stamp),
            message.source,
            message.generation,
            message.utterance,
            message.revision,
            message.text,
        )
        try:
            self._session.on_event(event)
        except ValueError as error:
            self._logger.error(f'an event is not understood: {error}', once=True)
        self._ending.on_event(event)

    def _frame(self, message: msg.AudioFrame) -> Frame | None:
        try:
            return convert.frame_from_message(message)
        except ValueError as error:
            self._logger.error(str(error), once=True)
            return None
