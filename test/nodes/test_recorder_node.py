from rclpy.serialization import deserialize_message
from sound_nodes import REFUSED, make, start
from std_msgs.msg import String

import kame_ros.msg as msg
from kame_ros.bag.bag import Bag
from kame_ros.nodes.common import convert, qos
from kame_ros.nodes.recorder_node import RecorderNode
from kame_ros.wire.frame import Frame


def recorder(ros, folder, **parameters):
    return start(ros, RecorderNode, folder=str(folder), free_mb=0.0, **parameters)


def bag_of(node):
    return Bag(node._writer.folder)


def topics(node):
    """Those that are flushed."""
    return {topic.name for topic in node._writer._counts}


def test_it_records_topics_of_the_graph_and_those_that_come_later(ros, tmp_path, monkeypatch):
    monkeypatch.setenv('SOME_API_KEY', 'sk-very-secret-key')
    node = recorder(ros, tmp_path)
    mic = node.create_publisher(msg.AudioFrame, 'audio/mic', qos.AUDIO_OFFER)
    facts = node.create_publisher(String, 'facts', qos.TEXT)
    assert ros.until(lambda: mic.get_subscription_count() and facts.get_subscription_count())
    mic.publish(convert.frame_to_message(Frame(7, 5.0)))
    facts.publish(String(data='key: sk-very-secret-key!'))
    mine = node.create_publisher(String, 'my_own', qos.TEXT)
    assert ros.until(mine.get_subscription_count)
    mine.publish(String(data='mine'))
    assert ros.until(lambda: {'/audio/mic', '/facts', '/my_own'} <= topics(node))
    assert node.counters()['secrets_hidden'] == 1
    # It is not closed, as after kill -9.
    messages = {message.topic: message for message in bag_of(node).messages()}
    frame = deserialize_message(messages['/audio/mic'].data, msg.AudioFrame)
    assert (frame.seq, len(frame.data)) == (7, 1_920)
    assert deserialize_message(messages['/facts'].data, String).data == 'key: ******************!'
    assert deserialize_message(messages['/my_own'].data, String).data == 'mine'
    assert '/diagnostics' in messages
    (path,) = node._writer.folder.glob('*.mcap')
    assert b'very-secret' not in path.read_bytes()


def test_it_records_with_the_executor_of_a_real_process(ros, tmp_path):
    from kame_ros.nodes.common.run import _executor

    node = recorder(ros, tmp_path)
    ros.executor.remove_node(node)
    ros.executor = _executor()
    ros.add(node)
    assert ros.until(lambda: '/diagnostics' in topics(node))
    assert node.counters()['written']
    assert node.faults.count == 0


def test_each_activation_is_a_bag(ros, tmp_path):
    node = recorder(ros, tmp_path)
    assert ros.until(lambda: '/diagnostics' in topics(node))
    first = bag_of(node)
    node.trigger_deactivate()
    node.trigger_activate()
    assert ros.until(lambda: '/diagnostics' in topics(node))
    assert len(list(tmp_path.iterdir())) == 2
    assert list(first.messages())
    assert first.problems == []  # it was ended


def test_a_disk_that_fails_is_an_error_on_diagnostics_and_the_end_of_nothing(ros, tmp_path):
    node = start(ros, RecorderNode, folder=str(tmp_path), free_mb=1e7)
    facts = node.create_publisher(String, 'facts', qos.TEXT)
    assert ros.until(facts.get_subscription_count)
    facts.publish(String(data='hello'))
    assert ros.until(lambda: node.counters()['lost'])
    assert 'less than 1e+07 MB of room' in node.complaint()
    assert node.active


def test_a_folder_that_cannot_be_is_refused(ros, tmp_path):
    (tmp_path / 'file').write_text('')
    node = make(ros, RecorderNode, folder=str(tmp_path / 'file'))
    assert node.trigger_configure() == REFUSED
    assert 'file' in node.fault


def test_what_is_not_installed_is_a_sentence(ros, tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, 'mcap.writer', None)
    node = make(ros, RecorderNode, folder=str(tmp_path))
    assert node.trigger_configure() == REFUSED
    assert 'mcap.writer' in node.fault
    assert 'kame doctor' in node.fault


def test_every_topic_of_the_graph_is_heard_from_the_start():
    import re
    from pathlib import Path

    from kame_ros.nodes.recorder_node import _TOPICS

    page = (Path(__file__).parents[2] / 'docs/topics.md').read_text().split('## Services')[0]
    rows = re.findall(r'^\| (`.+?`) \| `', page, flags=re.MULTILINE)
    topics = {name for row in rows for name in re.findall(r'`([^`]+)`', row)}
    assert 'audio/mic' in topics
    assert topics <= set(_TOPICS)
