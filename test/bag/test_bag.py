from pathlib import Path

import pytest
from recorded_bag import IntoBag, Told, record
from rosbags.highlevel import AnyReader
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from scripted_conversation import QUESTION, play

from kame_ros.bag.bag import Bag
from kame_ros.bag.definitions import definition
from kame_ros.bag.stored import BadBag
from kame_ros.wire.health import Health


def question(consumer):
    consumer.on_health('s2s', Health('active', 1, 'frames_dropped 3', {'frames_dropped': '3'}))
    play(consumer, QUESTION, user=[(1.0, 3.0)], robot=[(3.84, 5.1)])


def read(path, namespace=None):
    bag, told = Bag(path), Told()
    bag.tell(bag.namespace(namespace), told)
    return told.log, bag.problems


def expected():
    told = Told()
    question(told)
    return told.log


def foreign(folder, plugin, version=9):
    """A bag as another program writes it: with rosbags, an implementation of its own."""
    types = get_typestore(Stores.ROS2_HUMBLE)
    with Writer(folder, version=version, storage_plugin=plugin) as writer:
        connections = {}

        def write(topic, kind, data, t):
            if topic not in connections:
                types.register(get_types_from_msg(definition(kind), kind))
                connections[topic] = writer.add_connection(topic, kind, typestore=types)
            writer.write(connections[topic], round(t * 1e9), data)

        question(IntoBag(write))
    return folder


@pytest.mark.parametrize('plugin', [StoragePlugin.MCAP, StoragePlugin.SQLITE3])
@pytest.mark.parametrize('version', [8, 9])
def test_bags_of_others_are_read(tmp_path, plugin, version):
    assert read(foreign(tmp_path / 'bag', plugin, version)) == (expected(), [])


def test_others_read_our_bags(tmp_path):
    folder = record(tmp_path, question).folder
    with AnyReader([folder]) as reader:
        messages = [
            (c.topic, reader.deserialize(data, c.msgtype)) for c, _, data in reader.messages()
        ]
        profiles = {c.topic: c.ext.offered_qos_profiles for c in reader.connections}
    assert len(messages) == len(expected())
    (final,) = [m for topic, m in messages if topic == '/robot/transcript' and m.final]
    assert final.text == 'What is the capital of France?'
    assert profiles['/robot/turn'][0].depth == 50


def test_a_bag_without_definitions_is_read_with_those_of_this_machine(tmp_path):
    import sqlite3

    folder = foreign(tmp_path / 'bag', StoragePlugin.SQLITE3)
    (path,) = folder.glob('*.db3')
    with sqlite3.connect(path) as data:
        data.execute('DROP TABLE message_definitions')
    assert read(folder) == (expected(), [])


def test_a_robot_is_chosen_where_there_are_several(tmp_path):
    folder = record(tmp_path, question, namespaces=('left', 'house/right')).folder
    bag = Bag(folder)
    with pytest.raises(BadBag, match='choose one with --namespace: /house/right, /left'):
        bag.namespace()
    with pytest.raises(BadBag, match='has no robot /middle'):
        bag.namespace('middle')
    assert read(folder, '/left/')[0] == expected()


def test_of_a_folder_of_bags_the_newest_is_read(tmp_path):
    import os

    folder = record(tmp_path, question).folder
    empty = tmp_path / 'older'
    empty.mkdir()
    (empty / 'x.mcap').write_bytes(b'')
    os.utime(empty, (1, 1))
    assert read(tmp_path)[0] == expected()
    assert read(folder / 'metadata.yaml')[0] == expected()


@pytest.mark.parametrize(
    ('name', 'content', 'why'),
    [
        ('a.mcap', b'', 'no MCAP file'),
        ('a.mcap', b'garbage' * 100, 'no MCAP file'),
        ('a.mcap', b'\x89MCAP0\r\n' + b'\xff' * 100, 'no MCAP file'),
        ('a.mcap', b'\x89MCAP0\r\n', 'was cut off before its first message'),
        ('a.mcap', b'\x89MCAP0\r\n\x01\x20', 'was cut off before its first message'),
        ('a.db3', b'garbage' * 100, 'no bag of ROS 2'),
        ('a.db3', b'', 'no bag of ROS 2'),
        ('a.txt', b'hello', 'ends with neither'),
        ('a.mcap.zstd', b'hello', 'zstd -d'),
        ('folder', None, 'holds no bag'),
        ('missing', ..., 'there is no bag'),
    ],
)
def test_what_is_no_bag_is_refused_in_words(tmp_path, name, content, why):
    path: Path = tmp_path / name
    if content is None:
        path.mkdir()
    elif content is not ...:
        path.write_bytes(content)
    with pytest.raises(BadBag, match=why):
        Bag(path).namespace()


@pytest.mark.parametrize(
    ('content', 'why'), [(b'\x89MCAP0\r\n\x01', 'was cut off before'), (b'', 'is no MCAP file')]
)
def test_a_file_of_several_that_holds_nothing_is_told_once_and_the_others_are_read(
    tmp_path, content, why
):
    folder = record(tmp_path, question).folder
    (folder / 'bag_1.mcap').write_bytes(content)
    log, (problem,) = read(folder)
    assert log == expected()
    assert problem.startswith(f'{folder / "bag_1.mcap"} {why}')
    assert 'as far as it goes' not in problem


def test_messages_that_are_none_are_counted(tmp_path):
    def tell(consumer):
        consumer._write('/robot/turn', 'kame_ros/msg/TurnEvent', b'\0\1\0\0\xff\xff', 1.0)
        consumer._write('/robot/turn', 'std_msgs/msg/String', b'\0\1\0\0\1\0\0\0\0', 1.0)
        consumer._write('/robot/audio/mic', 'kame_ros/msg/AudioFrame', b'', 1.0)
        question(consumer)

    log, problems = read(record(tmp_path, tell).folder)
    assert log == expected()
    assert problems == [
        '1 messages on /robot/turn are none',
        '1 messages on /robot/audio/mic are none',
    ]
