"""Messages between two processes, as a robot's own node would exchange them with the graph."""

import subprocess
import sys

import numpy as np
import pytest

from kame_ros import msg
from kame_ros.nodes.common import convert, qos
from kame_ros.wire.frame import FRAME_SAMPLES, Frame

pytestmark = pytest.mark.graph

# Hears each message and sends it back on another topic.
ECHO = """
import rclpy
from kame_ros import msg
from kame_ros.nodes.common import qos
rclpy.init()
node = rclpy.create_node('echo')
for kind, topic, ask in (
    (msg.AudioFrame, 'audio', qos.AUDIO_ASK),
    (msg.Transcript, 'text', qos.TEXT),
    (msg.OracleChunk, 'chunk', qos.TEXT),
    (msg.MonologueToken, 'token', qos.TEXT),
    (msg.TurnEvent, 'turn', qos.TEXT),
):
    back = node.create_publisher(kind, topic + '_back', qos.TEXT)
    node.create_subscription(kind, topic, back.publish, ask)
while rclpy.ok():
    rclpy.spin_once(node, timeout_sec=0.1)
"""
NOISE = np.random.default_rng(0).integers(-32768, 32767, FRAME_SAMPLES).astype(np.int16)
MESSAGES = {
    'audio': convert.frame_to_message(Frame(2**40, 1e9 + 0.5, NOISE, 3), 'mic'),
    'text': msg.Transcript(utterance=3, text='Grüße, Wörld 👋', committed=5, language='de'),
    'chunk': msg.OracleChunk(source='battery', priority=-2, generation=2**40, text=' low', kind=1),
    'token': msg.MonologueToken(seq=2**33, text=' hi', source='llm', generation=7),
    'turn': msg.TurnEvent(kind=msg.TurnEvent.BARGE_IN, generation=-1, text='stop'),
}


@pytest.fixture(scope='module')
def echo():
    process = subprocess.Popen([sys.executable, '-c', ECHO])
    yield process
    process.terminate()
    process.wait(10)


@pytest.mark.parametrize('topic', MESSAGES)
def test_a_message_comes_back_as_it_went(ros, echo, topic):
    import rclpy

    message = MESSAGES[topic]
    node = ros.add(rclpy.create_node('tester'))
    came = []
    node.create_subscription(type(message), f'{topic}_back', came.append, qos.TEXT)
    publisher = node.create_publisher(type(message), topic, qos.AUDIO_OFFER)

    def send_again_and_look():
        publisher.publish(message)  # until both directions are matched
        return came

    assert ros.until(send_again_and_look)
    assert came[0] == message
