import pytest

pytest.importorskip('rclpy')
from rclpy.serialization import serialize_message
from std_msgs.msg import String

from kame_ros.nodes.common.listen import MessageReader, listen_to_anyone


class FakeNode:
    """Makes no topics: keeps the callbacks of subscriptions and timers."""

    def __init__(self):
        self.active, self._entities, self.told = True, [], []
        self.reader = MessageReader(self.told.append, self.survive)
        self.callbacks, self.topic_name = [], '/robot/facts'

    def survive(self, error, where):
        raise AssertionError(f'{where}: {error}')

    def create_subscription(self, kind, topic, callback, *args, **options):
        self.callbacks.append(callback)
        return self

    def create_timer(self, *args, **options):
        return self

    destroy_subscription = destroy_timer = create_timer


def test_what_finds_no_room_while_it_waits_is_counted():
    node, heard = FakeNode(), []
    anyone = listen_to_anyone(node, String, 'facts', lambda message: message.data, heard.append)
    assert node.reader.counters()['texts_lost'] == 0

    def come(way, count, what):
        for k in range(count):
            anyone._on_message(way, serialize_message(String(data=f'{what} {k}')))

    come('best effort', 130, 'maybe')  # each waits whether a sure way brings it, too
    assert node.reader.counters()['texts_lost'] == 30
    node.active = False
    come('latched', 55, 'old')
    assert node.reader.counters('facts')['texts_lost'] == 35
    assert node.reader.counters('r2/')['texts_lost'] == 0
    node.active = True
    come('reliable', 2, 'sure')
    assert heard == ['sure 0', 'sure 1']
    come('reliable', 1_200, 'more')
    assert node.reader.counters()['texts_doubled'] > 0
