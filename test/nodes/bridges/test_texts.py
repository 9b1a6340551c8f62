import pytest
from sound_nodes import REFUSED, make, start
from std_msgs.msg import String

import kame_ros.msg as msg
from kame_ros.nodes.bridge_node import BridgeNode
from kame_ros.nodes.common import convert, qos
from kame_ros.wire.turn import TurnKind


def bridge(ros, **parameters):
    return start(ros, BridgeNode, microphone_topic='', **parameters)


def listened(node, kind, topic):
    heard = []
    node.create_subscription(kind, topic, heard.append, qos.TEXT)
    return heard


def test_text_goes_in_and_out(ros):
    node = bridge(ros, say_topic='tts', heard_topic='asr', said_topic='robot_said', say_priority=7)
    chunks = listened(node, msg.OracleChunk, 'oracle')
    heard, said = listened(node, String, 'asr'), listened(node, String, 'robot_said')
    say = node.create_publisher(String, 'tts', qos.TEXT)
    words = node.create_publisher(msg.Transcript, 'transcript', qos.TEXT)
    monologue = node.create_publisher(msg.MonologueToken, 'monologue', qos.TEXT)
    turn = node.create_publisher(msg.TurnEvent, 'turn', qos.TEXT)
    everyone = (say, words, monologue, turn)
    assert ros.until(lambda: all(p.get_subscription_count() for p in everyone))
    for text in ('  Hello \n there. ', '', 'x' * 5_000, 'Again.'):
        say.publish(String(data=text))
    for text, final in (('what', False), ('what time', True)):
        count = len(text) if final else 0
        words.publish(msg.Transcript(text=text, committed=count, final=final))
    for text in ('It is', ' late.'):
        monologue.publish(msg.MonologueToken(text=text))
    assert ros.until(lambda: len(chunks) == 6 and heard)
    turn.publish(msg.TurnEvent(kind=int(TurnKind.ROBOT_SPEECH_END)))
    assert ros.until(lambda: said)
    texts = [(c.generation, c.text) for c in chunks if c.kind == msg.OracleChunk.TEXT]
    assert texts == [(1, 'Hello there.'), (2, 'Again.')]
    assert {(c.source, c.priority) for c in chunks} == {('text', 7)}
    assert [m.data for m in heard] == ['what time']
    assert [m.data for m in said] == ['It is late.']
    totals = node.totals()  # one sentence of each kind in the log, and no traceback
    assert (totals['bad_messages.tts'], totals['callbacks_failed']) == (2, 0)


def test_a_robot_that_would_say_what_it_says_is_refused(ros):
    node = make(ros, BridgeNode, microphone_topic='', say_topic='a', said_topic='a')
    assert node.trigger_configure() == REFUSED
    assert 'give another topic' in node.fault


@pytest.mark.parametrize(
    ('asked', 'needs'),
    [({'humans': '/humans/voices'}, 'hri-msgs'), ({'raw_audio': True}, 'foxglove-msgs')],
)
def test_a_package_that_is_not_here_is_named(ros, asked, needs):
    node = make(ros, BridgeNode, microphone_topic='', **asked)
    assert node.trigger_configure() == REFUSED
    assert f'apt-get install ros-$ROS_DISTRO-{needs}' in node.fault


def test_without_sound_its_package_is_not_needed(ros):
    assert bridge(ros).active
    assert convert.header(1.0).stamp.sec == 1
