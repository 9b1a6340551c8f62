"""The ear as a node: what it refuses, and where its sound comes from."""

from __future__ import annotations

import array
import ctypes.util

import numpy as np
import pytest
import rclpy
from sound_nodes import REFUSED, heard, make, start
from std_srvs.srv import SetBool

import kame_ros.msg as msg
from kame_ros.graph import memory
from kame_ros.nodes.audio_capture_node import AudioCaptureNode
from kame_ros.nodes.common import convert, qos
from kame_ros.wire.frame import FRAME_SAMPLES, Frame


def test_an_absent_device_is_refused_in_one_sentence(ros, capfd):
    node = make(ros, AudioCaptureNode, source='device', device='no such thing')
    assert node.trigger_configure() == REFUSED
    text = node.fault
    assert text.startswith('cannot configure: ')
    assert any(w in text for w in ('there are:', 'this machine has no', 'PyAudio'))
    assert 'Traceback' not in capfd.readouterr().err


def test_speex_without_its_library_is_refused_and_the_package_named(ros, monkeypatch):
    monkeypatch.setattr(ctypes.util, 'find_library', lambda name: None)
    node = make(ros, AudioCaptureNode, source='silence', echo_cancellation='speex')
    assert node.trigger_configure() == REFUSED
    assert 'apt-get install libspeexdsp1' in node.fault


@pytest.mark.skipif(
    ctypes.util.find_library('speexdsp') is None,
    reason='NOT TESTED: no libspeexdsp1 (requirements/apt-test.txt)',
)
def test_speex_is_a_choice_of_the_ear(ros):
    node = start(ros, AudioCaptureNode, source='silence', echo_cancellation='speex')
    frames = heard(node)
    played = node.create_publisher(msg.AudioFrame, 'audio/played', qos.AUDIO_OFFER)
    assert ros.until(lambda: played.get_subscription_count() and len(frames) > 2)
    played.publish(convert.frame_to_message(Frame(0, 1.0, np.ones(FRAME_SAMPLES, np.int16)), ''))
    assert ros.until(lambda: node.counters()['echo_reference_frames'] == 1)
    assert [f.seq for f in frames] == list(range(frames[0].seq, frames[0].seq + len(frames)))


def test_the_sound_of_another_node_becomes_frames(ros):
    node = start(ros, AudioCaptureNode, source='topic', echo_cancellation='off', channel=1)
    frames = heard(node)
    publisher = node.create_publisher(msg.AudioFrame, 'audio/in', qos.AUDIO_OFFER)
    assert ros.until(publisher.get_subscription_count)
    stereo = np.tile(np.array([1_000, 3_000], np.int16), 4_800)  # 100 ms at 48 kHz
    for seq in range(12):
        publisher.publish(
            msg.AudioFrame(
                header=convert.header(100.0 + 0.1 * seq),
                seq=seq,
                sample_rate=48_000,
                channels=2,
                data=array.array('h', stereo.tobytes()),
            )
        )
        ros.until(lambda: False, patience=0.05)
    assert ros.until(lambda: any(np.mean(f.data) > 2_900 for f in frames))
    assert [f.seq for f in frames] == list(range(frames[0].seq, frames[0].seq + len(frames)))
    assert all(len(f.data) == FRAME_SAMPLES for f in frames)
    loud = next(f for f in frames if np.mean(f.data) > 2_900)
    assert 100.0 <= convert.from_time(loud.header.stamp) < 101.2
    assert ros.until(lambda: not np.any(frames[-1].data))  # the sender is gone: silence
    assert node.counters()['frames_silent'] > 0


def test_who_asked_not_to_be_heard_is_not_heard_by_the_next_life(ros, monkeypatch, tmp_path):
    monkeypatch.setenv(memory.FOLDER, str(tmp_path))

    def muted(node):
        return {item.key: item.value for item in node.diagnostics._status().values}['muted']

    def ear():
        return start(ros, AudioCaptureNode, source='silence')

    first = ear()
    assert muted(first) == 'false'
    first._on_mute(SetBool.Request(data=True), SetBool.Response())
    second = ear()  # the first one was killed: it could do nothing more
    assert muted(second) == 'true'
    second._on_mute(SetBool.Request(data=False), SetBool.Response())
    assert muted(ear()) == 'false'


def test_diagnostics_name_the_microphone(ros):
    node = make(ros, AudioCaptureNode, source='device', device='ReSpeaker')
    assert node.diagnostics._status().hardware_id.endswith(': ReSpeaker')


def test_it_waits_for_those_it_is_told_and_for_nobody_else(ros):
    node = start(ros, AudioCaptureNode, source='silence', wait_for_listeners='stt')
    stranger, stt = (ros.add(rclpy.create_node(name)) for name in ('stranger', 'stt'))
    heard(stranger)
    assert ros.until(lambda: node.count_subscribers('audio/mic') == 1)
    assert node._missing() == ['/stt']
    assert node.counters()['frames_sent'] == 0
    frames = heard(stt)
    assert ros.until(lambda: frames)
    assert node._missing() == []


@pytest.mark.parametrize('value', ['2', 'my-node', 's2s, stt/'])
def test_listeners_that_can_be_no_nodes_are_refused(ros, value):
    node = make(ros, AudioCaptureNode, source='silence', wait_for_listeners=value)
    assert node.trigger_configure() == REFUSED
    assert 'is no name of a node' in node.fault
