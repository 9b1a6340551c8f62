"""The ear, the mouth and the bridge as nodes: what they refuse, hear, play and convert."""

from __future__ import annotations

import array
import ctypes.util
import sys
import time
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.parameter import Parameter
from rosgraph_msgs.msg import Clock
from std_msgs.msg import Bool, Float32
from std_srvs.srv import SetBool

import kame_ros.msg as msg
from kame_ros import memory
from kame_ros.audio.frame import FRAME_SAMPLES, Frame
from kame_ros.nodes import convert, foreign_audio, qos
from kame_ros.nodes.audio_capture_node import AudioCaptureNode
from kame_ros.nodes.audio_playback_node import AudioPlaybackNode
from kame_ros.nodes.bridge_node import BridgeNode

OK, REFUSED = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE


def make(ros, node, **parameters):
    overrides = [Parameter(name, value=value) for name, value in parameters.items()]
    return ros.add(node(parameter_overrides=overrides))


def start(ros, node, **parameters):
    node = make(ros, node, **parameters)
    assert node.trigger_configure() == OK, node.fault
    assert node.trigger_activate() == OK, node.fault
    return node


def heard(node, topic='audio/mic'):
    frames = []
    node.create_subscription(msg.AudioFrame, topic, frames.append, qos.AUDIO_ASK)
    return frames


@pytest.mark.parametrize(
    ('node', 'parameters'),
    [
        (AudioCaptureNode, {'source': 'device', 'device': 'no such thing'}),
        (AudioPlaybackNode, {'sink': 'device', 'device': 'no such thing'}),
    ],
)
def test_an_absent_device_is_refused_in_one_sentence(ros, capfd, node, parameters):
    node = make(ros, node, **parameters)
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


def test_a_sink_that_cannot_be_written_is_refused_at_configure(ros, tmp_path):
    node = make(ros, AudioPlaybackNode, sink='wav', wav=str(tmp_path / 'no' / 'a.wav'))
    assert node.trigger_configure() == REFUSED
    assert 'a.wav' in node.fault


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


def test_gain_zero_silences_the_mouth_and_what_is_flushed_was_not_played(ros):
    node = start(ros, AudioPlaybackNode, sink='null', target_ms=400.0)
    played = heard(node, 'audio/played')
    speech = node.create_publisher(msg.AudioFrame, 'audio/speech', qos.AUDIO_OFFER)
    gain = node.create_publisher(Float32, 'audio/gain', qos.TEXT)
    assert ros.until(lambda: speech.get_subscription_count() and gain.get_subscription_count())
    loud = np.full(FRAME_SAMPLES, 8_000, np.int16)
    for seq in range(12):
        speech.publish(convert.frame_to_message(Frame(seq, 0.0, loud)))
        ros.until(lambda: False, patience=0.02)
    assert ros.until(lambda: any(f.source_seq >= 0 for f in played))
    gain.publish(Float32(data=0.25))
    assert ros.until(lambda: played[-1].data[900] == 2_000)
    gain.publish(Float32(data=0.0))
    gain.publish(Float32(data=1.0))
    assert ros.until(lambda: node.counters()['stops'] == 1)
    count = len(played)
    assert ros.until(lambda: len(played) > count + 3)
    assert not np.any(played[-1].data)
    told = {f.source_seq for f in played} - {-1}
    assert len(told) + node.counters()['flushed'] == 12
    assert [f.seq for f in played] == list(range(played[0].seq, played[0].seq + len(played)))


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
    assert bridge.counters()['bad_messages'] == mouth.counters()['bad_frames'] == 1
    assert len(spoken) == 1
    assert bridge.active
    assert mouth.active


def test_a_gain_that_is_no_number_is_counted(ros):
    node = start(ros, AudioPlaybackNode, sink='null')
    gain = node.create_publisher(Float32, 'audio/gain', qos.TEXT)
    assert ros.until(gain.get_subscription_count)
    for value in (float('nan'), float('inf'), -1.0):
        gain.publish(Float32(data=value))
    assert ros.until(lambda: node.counters()['stops'] == 1)
    assert node.counters()['bad_frames'] == 1


@pytest.mark.parametrize('jump', [-500.0, 1_000.0])
def test_playback_outlives_a_simulation_that_begins_anew(ros, jump):
    node = make(ros, AudioPlaybackNode, sink='null', use_sim_time=True)
    clock = node.create_publisher(Clock, '/clock', 10)
    now = [1_000.0]

    def passes(frames, most=3_000):
        want = len(played) + frames
        for _ in range(most):
            now[0] += 0.01
            clock.publish(Clock(clock=convert.to_time(now[0])))
            ros.executor.spin_once(timeout_sec=0.005)
            time.sleep(0.004)  # simulated time at twice real time: playback has to keep up
            if len(played) >= want:
                return True
        return False

    played = heard(node, 'audio/played')
    assert ros.until(clock.get_subscription_count)
    assert node.trigger_configure() == OK
    assert passes(0)
    assert node.trigger_activate() == OK
    assert passes(12)
    now[0] += jump
    assert passes(25)
    assert node.counters()['clock_jumps'] >= 1  # more where the machine stalls in between
    assert abs(convert.from_time(played[-1].header.stamp) - now[0]) < 5.0
    assert len(played) < 12 + 25 + 20  # and no burst


def test_the_bridge_says_what_it_needs(ros):
    node = make(ros, BridgeNode, package='no_such_msgs')
    assert node.trigger_configure() == REFUSED
    assert 'no_such_msgs' in node.fault
    assert 'apt-get install' in node.fault


class FakeInfo:
    format, channels, rate, chunk = 8, 1, 16_000, 0


class FakeAudioStamped:
    """The fields of mgonzs13's audio_common_msgs/AudioStamped."""

    def __init__(self) -> None:
        self.header = SimpleNamespace(stamp=convert.to_time(3.0))
        data = SimpleNamespace(int16_data=[], float32_data=[], int32_data=[], uint8_data=[])
        self.audio = SimpleNamespace(audio_data=data, info=FakeInfo())


def test_samples_of_any_width_are_read():
    for form, field, values in (
        (8, 'int16_data', [0, 16_384, -16_384]),
        (1, 'float32_data', [0.0, 0.5, -0.5]),
        (2, 'int32_data', [0, 2**30, -(2**30)]),
        (32, 'uint8_data', [128, 192, 64]),
    ):
        message = FakeAudioStamped()
        message.audio.info.format = form
        setattr(message.audio.audio_data, field, values)
        sound = foreign_audio.read(message, 8_000, 1)
        assert sound.samples.tolist() == [0, 16_384, -16_384]
        assert (sound.rate, sound.t) == (16_000, 3.0)
    message.audio.info.format = 99
    with pytest.raises(ValueError, match='format 99'):
        foreign_audio.read(message, 8_000, 1)


def test_samples_with_their_format_are_written():
    message = foreign_audio.write(FakeAudioStamped, np.array([1, -2], np.int16), 24_000, 3.0)
    assert message.audio.audio_data.int16_data == [1, -2]
    assert (message.audio.info.rate, message.audio.info.chunk) == (24_000, 2)


@pytest.mark.parametrize('data', [b'123', b'1'])
def test_half_a_sample_is_refused(data):
    with pytest.raises(ValueError, match='whole samples'):
        foreign_audio.read(SimpleNamespace(data=data), 16_000, 1)
    with pytest.raises(ValueError, match='no sound'):
        foreign_audio.read(SimpleNamespace(text='hello'), 16_000, 1)


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


def test_a_mouth_that_is_deactivated_does_not_speak(ros):
    node = start(ros, AudioPlaybackNode, sink='null')
    told = []
    node.create_subscription(Bool, 'speaking', lambda message: told.append(message.data), qos.STATE)
    assert ros.until(lambda: told == [False])
    loud = Frame(0, node.clock.now(), np.full(FRAME_SAMPLES, 9000, np.int16))
    node._tell_speaking(loud)
    assert ros.until(lambda: told == [False, True])
    assert node.trigger_deactivate() == OK
    assert ros.until(lambda: told[2:] and not told[-1])
    assert node.trigger_activate() == OK
    node._tell_speaking(loud)
    assert ros.until(lambda: told[-1])


def test_diagnostics_name_the_sound_device(ros):
    node = make(ros, AudioCaptureNode, source='device', device='ReSpeaker')
    assert node.diagnostics._status().hardware_id.endswith(': ReSpeaker')
    node = make(ros, AudioPlaybackNode, sink='null')
    assert ':' not in node.diagnostics._status().hardware_id
