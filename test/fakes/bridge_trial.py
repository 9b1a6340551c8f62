"""Run in an environment with messages of other packages: the bridge between real types, as JSON.

python bridge_trial.py humans | AudioData | AudioDataStamped | AudioStamped
"""

import array
import importlib
import json
import sys
import time

import numpy as np
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.parameter import Parameter

import kame_ros.msg as msg
from kame_ros.nodes.bridge_node import BridgeNode
from kame_ros.nodes.common import convert, qos
from kame_ros.wire.frame import Frame
from kame_ros.wire.turn import TurnKind

SOUND = np.arange(-960, 960, dtype=np.int16)


def trial(parameters, types, publish, enough):
    """What comes on topics, as told: {topic: [message]}."""
    rclpy.init()
    overrides = [Parameter(name, value=value) for name, value in parameters.items()]
    node = BridgeNode(parameter_overrides=overrides)
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    node.trigger_configure()
    assert not node.fault, node.fault
    node.trigger_activate()
    heard = {topic: [] for topic in types}
    for topic, (kind, profile) in types.items():
        node.create_subscription(kind, topic, heard[topic].append, profile)
    publishers = [
        (node.create_publisher(kind, topic, qos.TEXT), message) for topic, kind, message in publish
    ]
    end = time.monotonic() + 20.0
    sent = False
    while time.monotonic() < end and not (sent and enough(heard)):
        executor.spin_once(timeout_sec=0.05)
        if not sent and all(p.get_subscription_count() for p, _ in publishers):
            for publisher, message in publishers:
                publisher.publish(message)
            sent = True
    node.end()
    node.diagnostics.close()
    return heard


def humans():
    hri, fox = importlib.import_module('hri_msgs.msg'), importlib.import_module('foxglove_msgs.msg')
    drivers = importlib.import_module('audio_common_msgs.msg')
    bool_kind = importlib.import_module('std_msgs.msg').Bool
    mine = '/humans/voices/user'
    heard = trial(
        {'microphone_topic': '', 'humans': '/humans/voices', 'raw_audio': True},
        {
            '/humans/voices/tracked': (hri.IdsList, qos.STATE),
            f'{mine}/speech': (hri.LiveSpeech, qos.TEXT),
            f'{mine}/is_speaking': (bool_kind, qos.STATE),
            f'{mine}/audio': (drivers.AudioData, qos.AUDIO_ASK),
            'audio/mic/raw': (fox.RawAudio, qos.AUDIO_ASK),
        },
        [
            ('turn', msg.TurnEvent, msg.TurnEvent(kind=int(TurnKind.USER_SPEECH_START))),
            ('transcript', msg.Transcript, msg.Transcript(text='what', language='en')),
            (
                'transcript',
                msg.Transcript,
                msg.Transcript(text='what time', committed=9, final=True, language='en'),
            ),
            ('audio/mic', msg.AudioFrame, convert.frame_to_message(Frame(0, 5.0, SOUND))),
        ],
        lambda heard: all(heard.values()) and len(heard[f'{mine}/speech']) == 2,
    )
    first, last = heard[f'{mine}/speech']
    raw, sound = heard['audio/mic/raw'][0], heard[f'{mine}/audio'][0]
    return {
        'tracked': list(heard['/humans/voices/tracked'][-1].ids),
        'speech': [[m.incremental, m.final, m.confidence, m.locale] for m in (first, last)],
        'is_speaking': [m.data for m in heard[f'{mine}/is_speaking']],
        'audio': bytes(sound.data) == SOUND.tobytes(),
        'raw': [raw.format, raw.sample_rate, raw.number_of_channels, raw.timestamp.sec],
        'raw_data': bytes(raw.data) == SOUND.tobytes(),
    }


def sound(name):
    foreign = importlib.import_module('audio_common_msgs.msg')
    kind = getattr(foreign, name)
    message = kind()
    body = getattr(message, 'audio', message)
    if name == 'AudioStamped':
        body.audio_data.int16_data = array.array('h', SOUND.tobytes())
        body.info.format, body.info.channels, body.info.rate = 8, 1, 16_000
    else:
        body.data = list(SOUND.tobytes())
    heard = trial(
        {'kind': name, 'loudspeaker_topic': 'speaker'},
        {'audio/in': (msg.AudioFrame, qos.AUDIO_ASK), 'speaker': (kind, qos.AUDIO_ASK)},
        [
            ('audio', kind, message),
            ('audio/speech', msg.AudioFrame, convert.frame_to_message(Frame(0, 5.0, SOUND))),
        ],
        lambda heard: all(heard.values()),
    )
    frame, out = heard['audio/in'][0], heard['speaker'][0]
    body = getattr(out, 'audio', out)
    data = body.audio_data.int16_data if name == 'AudioStamped' else body.data
    return {
        'in': list(frame.data) == SOUND.tolist(),
        'rate': frame.sample_rate,
        'out': bytes(data) == SOUND.tobytes() or list(data) == SOUND.tolist(),
    }


if __name__ == '__main__':
    what = sys.argv[1]
    print(json.dumps(humans() if what == 'humans' else sound(what)))
