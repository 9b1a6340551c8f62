"""Writes a scripted conversation into a bag, as the recorder does, without a graph."""

from __future__ import annotations

import json

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.serialization import serialize_message

import kame_ros.msg as msg
from kame_ros.bag.metadata import Topic
from kame_ros.bag.writer import BagConfig, BagWriter
from kame_ros.consumers.consumer import Consumer
from kame_ros.nodes.common import convert

PLENTY = BagConfig(free_mb=0.0)


class IntoBag(Consumer):
    """Gives `write(topic, type, CDR, t)` what it is told, as messages."""

    def __init__(self, write, namespace='robot'):
        self._write, self._namespace, self.now = write, namespace, 0.0
        self.clock = lambda: self.now  # for what bears no time of its own

    def _put(self, topic, message, t):
        kind = type(message)
        name = f'{kind.__module__.split(".")[0]}/msg/{kind.__name__}'
        full = topic if topic.startswith('/') else f'/{self._namespace}/{topic}'
        self._write(full, name, bytes(serialize_message(message)), t)

    def on_mic(self, frame):
        self.now = max(self.now, frame.end)
        self._put('audio/mic', convert.frame_to_message(frame), frame.end)

    def on_played(self, frame):
        self._put('audio/played', convert.frame_to_message(frame), frame.end)

    def on_transcript(self, transcript):
        t = transcript.published or transcript.end
        self._put('transcript', convert.transcript_to_message(transcript, t), t)

    def on_oracle(self, chunk):
        self._put('oracle', convert.chunk_to_message(chunk, self.clock()), self.clock())

    def on_monologue(self, token):
        message = msg.MonologueToken(
            header=convert.header(token.t), seq=token.seq, text=token.text, source=token.source,
            generation=token.generation,
        )  # fmt: skip
        self._put('monologue', message, token.t)

    def on_turn(self, event):
        message = msg.TurnEvent(
            header=convert.header(event.t), kind=int(event.kind), source=event.source,
            generation=event.generation, utterance=event.utterance, revision=event.revision,
            text=event.text,
        )  # fmt: skip
        self._put('turn', message, event.t)

    def on_health(self, node, health):
        values = {'state': health.state, **(health.values or {})}
        status = DiagnosticStatus(
            level=bytes([health.level]),
            name=f'{self._namespace}/{node}',
            message=health.message,
            values=[KeyValue(key=key, value=value) for key, value in values.items()],
        )
        self._put('/diagnostics', DiagnosticArray(status=[status]), self.now)


def into(writer):
    """A `write` of a BagWriter."""
    topics = {}

    def write(topic, kind, data, t):
        ns = round(t * 1e9)
        writer.write(topics.setdefault((topic, kind), Topic(topic, kind)), data, ns, ns, t)

    return write


def record(folder, tell, namespaces=('robot',), config=PLENTY, close=True, **how):
    """A bag below `folder` with what `tell(consumer)` tells, of each robot; its writer."""
    writer = BagWriter(folder, config, name='bag', **how)
    for namespace in namespaces:
        tell(IntoBag(into(writer), namespace))
    if close:
        writer.close()
    return writer


class Told(Consumer):
    """Writes down what it is told, each as one text."""

    def __init__(self):
        self.log = []

    def _note(self, *told):
        self.log.append(json.dumps([repr(each) for each in told]))

    on_transcript = on_oracle = on_monologue = on_turn = on_health = _note

    def on_mic(self, frame):
        self._note('mic', frame.seq, round(frame.t, 6), int(frame.samples.sum()))

    def on_played(self, frame):
        self._note('played', frame.seq, frame.source_seq, int(frame.samples.sum()))
