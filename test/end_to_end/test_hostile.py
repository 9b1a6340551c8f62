"""Neighbours that send what they should not, on every topic; and then a question."""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import re
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import rclpy
import soundfile
from hostile import Hostile
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import QoSProfile
from std_msgs.msg import Float32, String

from kame_ros import msg
from kame_ros.nodes.common import convert, qos
from kame_ros.wire.frame import FRAME_S, FRAME_SAMPLES, Frame

pytestmark = [pytest.mark.graph, pytest.mark.models, pytest.mark.long]

COUNT = 1_000
QUESTION = Path(__file__).parents[2] / 'examples' / 'question.wav'
ANSWER = 'The capital of France is Paris.'
DEEP = QoSProfile(depth=COUNT)
BASES = {
    'oracle': msg.OracleChunk(source='llm', generation=3, kind=1, text='Well, '),
    'turn': msg.TurnEvent(source='stt', kind=1, utterance=3),
    'audio/mic': convert.frame_to_message(Frame(3, 1.0)),
    'audio/speech': convert.frame_to_message(Frame(3, 1.0)),
    'audio/played': convert.frame_to_message(Frame(3, 1.0)),
    'audio/in': convert.frame_to_message(Frame(3, 1.0)),
    'audio/gain': Float32(data=1.0),
    'monologue': msg.MonologueToken(seq=3, text='Well', source='llm', generation=3),
    'facts': String(data='battery: 80 percent'),
    'action_result': msg.ActionResult(id='1', text='done'),
    'transcript': msg.Transcript(utterance=3, text='Hello there', committed=5),
}
TOGETHER = (  # attacked one after the other, before a question is asked: each topic of BASES once
    ('oracle',),
    ('turn', 'transcript', 'monologue'),
    ('audio/mic', 'audio/in'),
    ('audio/speech', 'audio/played', 'audio/gain'),
    ('facts', 'action_result'),
)
SPOKEN = ('oracle', 'turn', 'transcript', 'audio/mic', 'audio/speech', 'audio/gain')


class FakeLlm(http.server.BaseHTTPRequestHandler):
    """Knows one thing, and says so word by word as OpenAI's servers do."""

    protocol_version = 'HTTP/1.1'

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers['content-length'])))
        question = body['messages'][-1]['content'].lower()
        answer = ANSWER if 'capital of france' in question else 'Pardon?'
        pieces = [{'delta': {'content': f'{word} '}} for word in answer.split()]
        pieces.append({'delta': {}, 'finish_reason': 'stop'})
        self.send_response(200)
        self.send_header('content-type', 'text/event-stream')
        self.send_header('connection', 'close')
        self.end_headers()
        with contextlib.suppress(OSError):
            for piece in pieces:
                self.wfile.write(f'data: {json.dumps({"choices": [piece]})}\n\n'.encode())
            self.wfile.write(b'data: [DONE]\n\n')
        self.close_connection = True

    def log_message(self, *args):
        pass


class Neighbour:
    """Another node in the robot's domain: sends, asks, and hears what the robot says."""

    def __init__(self, domain: int) -> None:
        self._context = rclpy.Context()
        rclpy.init(context=self._context, domain_id=domain)
        self.node = rclpy.create_node('neighbour', context=self._context, namespace='robot')
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        self._said: list = []
        self.node.create_subscription(
            msg.MonologueToken, 'monologue', self._said.append, qos.RECORD
        )
        self._seq = 0

    def close(self):
        self.node.destroy_node()
        rclpy.shutdown(context=self._context)

    def spin(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._executor.spin_once(timeout_sec=0.02)

    def until(self, condition, patience=60.0):
        end = time.monotonic() + patience
        while not condition() and time.monotonic() < end:
            self._executor.spin_once(timeout_sec=0.05)
        return condition()

    def publisher(self, kind, topic, profile=DEEP):
        publisher = self.node.create_publisher(kind, topic, profile)
        assert self.until(publisher.get_subscription_count, 20.0), topic
        return publisher

    def attack(self, topic, count=COUNT, seed=0, pause=0.0):
        base = BASES[topic]
        publisher = self.publisher(type(base), topic)
        for message in Hostile(type(base), base, seed).messages(count):
            publisher.publish(message)
            if pause:
                time.sleep(pause)
        publisher.wait_for_all_acked(rclpy.duration.Duration(seconds=20))
        self.node.destroy_publisher(publisher)

    def hears(self, text, source, patience=60.0):
        """Whether the robot says this from now on, for one source."""
        start = len(self._said)

        def said():
            return ''.join(t.text for t in self._said[start:] if t.source == source)

        return self.until(lambda: text in said(), patience), said()

    def ask(self, patience=60.0):
        """A spoken question, at its speed; whether the robot answers it."""
        if not hasattr(self, '_ear'):
            self._ear = self.publisher(msg.AudioFrame, 'audio/in')
        sound, _ = soundfile.read(QUESTION, dtype='int16')
        sound = np.concatenate([sound, np.zeros(-len(sound) % FRAME_SAMPLES, np.int16)])
        for samples in sound.reshape(-1, FRAME_SAMPLES):
            frame = Frame(self._seq, time.time(), samples)
            self._ear.publish(convert.frame_to_message(frame))
            self._seq += 1
            self.spin(FRAME_S)
        return self.hears('Paris', 'llm', patience)


@contextlib.contextmanager
def up(kame, name, *args):
    process = kame.start(name, 'up', *args)
    assert kame.until_printed(name, 'nodes are up'), kame.printed(name)
    neighbour = Neighbour(int(re.search(r'ROS_DOMAIN_ID (\d+)', kame.printed(name)).group(1)))
    try:
        yield neighbour
    finally:
        neighbour.close()
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0


def speaks(kame, text='I can still speak.'):
    done = kame.run('say', '--priority', 50, text, patience=60.0)
    assert done.returncode == 0, done.stdout
    assert done.stdout.strip() == text


def test_what_is_spoken_survives_its_neighbours(kame, light):
    with up(kame, 'light', '--config', light) as neighbour:
        before = kame.processes()
        for topic in SPOKEN:
            neighbour.attack(topic, 300)
        speaks(kame)
        # A node that numbers as it likes is heard; each time, and though it was impersonated.
        oracle = neighbour.publisher(msg.OracleChunk, 'oracle')
        for _ in range(2):
            for kind, text in ((0, ''), (1, 'My battery is low.'), (2, '')):
                oracle.publish(msg.OracleChunk(source='llm', priority=9, kind=kind, text=text))
            heard, said = neighbour.hears('My battery is low.', 'llm')
            assert heard, said
        assert kame.processes().keys() == before.keys()  # none was started anew


def test_who_waits_for_a_robot_that_dies_is_told(kame, light):
    with up(kame, 'dies', '--config', light):
        waiting = kame.start('waits', 'say', 'one two three four five six seven, ' * 40)
        assert kame.until_printed('waits', 'two')
        os.kill(kame.pid_of('s2s'), signal.SIGKILL)
        assert waiting.wait(60) == 1
        assert 'error: the robot' in kame.printed('waits')
        assert 'said: one two' in kame.printed('waits')


def test_a_flood_is_answered(kame, light):
    with up(kame, 'flood', '--config', light) as neighbour:
        oracle = neighbour.publisher(msg.OracleChunk, 'oracle', QoSProfile(depth=50))
        stop = threading.Event()

        def flood():
            n = 0
            while not stop.wait(0.001):
                oracle.publish(msg.OracleChunk(source=f'junk{n % 40}', kind=1, text='x '))
                n += 1

        thread = threading.Thread(target=flood)
        thread.start()
        try:
            time.sleep(5.0)
            speaks(kame)
        finally:
            stop.set()
            thread.join()
        speaks(kame)


@pytest.fixture(scope='module')
def tandem(kame, tmp_path_factory):
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), FakeLlm)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    config = tmp_path_factory.mktemp('config') / 'tandem.yaml'
    url = f'http://127.0.0.1:{server.server_port}/v1'
    config.write_text(
        '/**/audio_capture: {ros__parameters: {source: topic}}\n'
        '/**/stt: {ros__parameters: {model: whisper-base, language: en}}\n'
        f'/**/oracle: {{ros__parameters: {{backend: "openai:m@{url}"}}}}\n'
        '/**/s2s: {ros__parameters: {front_end: tts}}\n'
        '/**/audio_playback: {ros__parameters: {sink: "null"}}\n'
    )
    with up(kame, 'tandem', '--config', config) as neighbour:
        heard, said = neighbour.ask()
        assert heard, said
        yield neighbour
    server.shutdown()


@pytest.mark.parametrize('topics', TOGETHER, ids=','.join)
def test_a_question_is_answered_whatever_was_sent(kame, tandem, topics):
    before = kame.processes()
    for topic in topics:
        tandem.attack(topic, seed=len(topic))
    tandem.spin(8.0)  # what was heard of it is thought about, and over
    # They ask again, as one does: an answer may wait behind one text that was being said.
    heard, said = False, ''
    for _ in range(2):
        heard, said = tandem.ask(patience=30.0)
        if heard:
            break
    assert heard, (topics, said)
    assert kame.processes().keys() == before.keys()
