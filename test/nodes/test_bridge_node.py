"""The bridge to packages named audio_common_msgs."""

from __future__ import annotations

import array
import sys
from types import ModuleType

import numpy as np
import pytest
from sound_nodes import REFUSED, heard, make, start

import kame_ros.msg as msg
from kame_ros.nodes.audio_playback_node import AudioPlaybackNode
from kame_ros.nodes.bridge_node import BridgeNode
from kame_ros.nodes.common import convert, qos
from kame_ros.wire.frame import Frame


@pytest.fixture
def package(monkeypatch):
    """An audio_common_msgs whose AudioDataStamped is a message that this machine can send."""
    module = ModuleType('audio_common_msgs.msg')
    module.AudioDataStamped = msg.AudioFrame
    monkeypatch.setitem(sys.modules, 'audio_common_msgs', ModuleType('audio_common_msgs'))
    monkeypatch.setitem(sys.modules, 'audio_common_msgs.msg', module)


def test_the_bridge_carries_sound_both_ways(ros, package):
    node = start(ros, BridgeNode, rate=8_000, loudspeaker_topic='foreign/speaker')
    frames, spoken = heard(node, 'audio/in'), heard(node, 'foreign/speaker')
    mic = node.create_publisher(msg.AudioFrame, 'audio', qos.AUDIO_OFFER)
    speech = node.create_publisher(msg.AudioFrame, 'audio/speech', qos.AUDIO_OFFER)
    assert ros.until(lambda: mic.get_subscription_count() and speech.get_subscription_count())
    sound = np.arange(-400, 400, dtype=np.int16)
    mic.publish(msg.AudioFrame(header=convert.header(5.0), data=array.array('h', sound.tobytes())))
    speech.publish(convert.frame_to_message(Frame(0, 7.0, np.arange(1_920, dtype=np.int16))))
    assert ros.until(lambda: frames and spoken)
    (frame,) = frames
    assert (frame.sample_rate, frame.channels, list(frame.data)) == (8_000, 1, sound.tolist())
    assert convert.from_time(frame.header.stamp) == 5.0
    (out,) = spoken
    assert bytes(out.data.tolist()) == np.arange(1_920, dtype='<i2').tobytes()
    assert node.counters()['messages_in'] == node.counters()['messages_out'] == 1


@pytest.mark.graph  # two nodes that must find each other: not beside other processes' nodes
@pytest.mark.parametrize(
    'change',
    [
        {'sample_rate': 16_000},
        {'channels': 2},
        {'data': array.array('h', [1, 2, 3])},
        {'data': array.array('h', [0]) * 100_000},
        {'seq': 2**64 - 1},
    ],
)
def test_a_frame_that_cannot_be_used_ends_no_node(ros, package, change):
    bridge = start(ros, BridgeNode, loudspeaker_topic='foreign/speaker')
    mouth = start(ros, AudioPlaybackNode, sink='null')
    spoken, played = heard(bridge, 'foreign/speaker'), heard(mouth, 'audio/played')
    speech = bridge.create_publisher(msg.AudioFrame, 'audio/speech', qos.AUDIO_OFFER)
    assert ros.until(lambda: speech.get_subscription_count() == 2)
    for kind in (change, {}):
        message = convert.frame_to_message(Frame(0, 7.0, np.full(1_920, 9_000, np.int16)))
        for name, value in kind.items():
            setattr(message, name, value)
        speech.publish(message)
    assert ros.until(lambda: spoken and any(np.any(f.data) for f in played))
    assert bridge.totals()['bad_messages'] == mouth.totals()['bad_frames'] == 1
    assert len(spoken) == 1
    assert bridge.active
    assert mouth.active


def test_the_bridge_says_what_it_needs(ros):
    node = make(ros, BridgeNode, package='no_such_msgs')
    assert node.trigger_configure() == REFUSED
    assert 'no_such_msgs' in node.fault
    assert 'apt-get install' in node.fault
