"""The mouth as a node: what it refuses, plays and tells."""

from __future__ import annotations

import time

import numpy as np
import pytest
from rosgraph_msgs.msg import Clock
from sound_nodes import OK, REFUSED, heard, make, start
from std_msgs.msg import Bool, Float32

import kame_ros.msg as msg
from kame_ros.nodes.audio_playback_node import AudioPlaybackNode
from kame_ros.nodes.common import convert, qos
from kame_ros.wire.frame import FRAME_SAMPLES, Frame


def test_an_absent_device_is_refused_in_one_sentence(ros, capfd):
    node = make(ros, AudioPlaybackNode, sink='device', device='no such thing')
    assert node.trigger_configure() == REFUSED
    text = node.fault
    assert text.startswith('cannot configure: ')
    assert any(w in text for w in ('there are:', 'this machine has no', 'PyAudio'))
    assert 'Traceback' not in capfd.readouterr().err


def test_a_sink_that_cannot_be_written_is_refused_at_configure(ros, tmp_path):
    node = make(ros, AudioPlaybackNode, sink='wav', wav=str(tmp_path / 'no' / 'a.wav'))
    assert node.trigger_configure() == REFUSED
    assert 'a.wav' in node.fault


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


def test_a_gain_that_is_no_number_is_counted(ros):
    node = start(ros, AudioPlaybackNode, sink='null')
    gain = node.create_publisher(Float32, 'audio/gain', qos.TEXT)
    assert ros.until(gain.get_subscription_count)
    for value in (float('nan'), float('inf'), -1.0):
        gain.publish(Float32(data=value))
    assert ros.until(lambda: node.counters()['stops'] == 1)
    assert node.totals()['bad_messages.audio/gain'] == 1


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
    assert node.end()  # though the time stands still by now


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


def test_diagnostics_name_no_loudspeaker_where_there_is_none(ros):
    node = make(ros, AudioPlaybackNode, sink='null')
    assert ':' not in node.diagnostics._status().hardware_id
