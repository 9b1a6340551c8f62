"""The door for consumers: one from another package hears a graph, and what is none says so."""

import sys

import outside
import pytest

rclpy = pytest.importorskip('rclpy')

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue  # noqa: E402
from rclpy.executors import SingleThreadedExecutor  # noqa: E402

import kame_ros.msg as msg  # noqa: E402
from kame_ros.commands import follow  # noqa: E402
from kame_ros.consumers.consumer import Consumer  # noqa: E402
from kame_ros.consumers.door import CONSUMERS, make_consumer  # noqa: E402
from kame_ros.graph.description import load_graph  # noqa: E402
from kame_ros.graph.names import BadConfig  # noqa: E402
from kame_ros.nodes.common import convert, qos  # noqa: E402
from kame_ros.nodes.visitor.listener import TopicListener  # noqa: E402
from kame_ros.wire.transcript import Transcript  # noqa: E402

MORE = """

class Half:
    def __init__(self, settings):
        pass


class Angry(Consumer):
    def __init__(self, settings):
        raise RuntimeError('not today')
"""


@pytest.fixture
def toys(tmp_path, monkeypatch):
    code = outside.recipe('consumer') + MORE
    outside.install(
        tmp_path, CONSUMERS.group, code, toy='MyConsumer', half='Half', angry='Angry',
        captions='Half',
    )  # fmt: skip
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    sys.modules.pop('toys_of_kame_ros_consumer', None)


@pytest.fixture
def graph():
    return load_graph('cascade', namespace='robot')


def final(text):
    return Transcript(0, 1, text, len(text), True, 1.0, 2.0)


def test_ours_come_first_and_nobody_replaces_them(toys):
    assert CONSUMERS.names() == ('captions', 'angry', 'half', 'toy')
    name, consumer = make_consumer('captions', '', ())
    assert (name, type(consumer).__module__) == ('captions', 'kame_ros.consumers.captions')


def test_an_option_that_a_consumer_has_not_is_refused(toys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where it writes by default
    with pytest.raises(ValueError, match=r"has no option 'fle': it has file$"):
        make_consumer('toy:fle=x', 'robot', ())


def test_the_recipe_is_a_consumer_and_has_its_options(toys, tmp_path):
    file = tmp_path / 'said.txt'
    name, consumer = make_consumer(f'toy: file={file}', 'robot', ('stt',))
    assert (name, consumer.hears) == ('toy', {'on_transcript'})
    consumer.on_transcript(final('Hello there.'))
    consumer.close()
    assert file.read_text() == 'Hello there.\n'


@pytest.mark.parametrize(
    ('text', 'words'),
    [
        ('nobody', "no consumer 'nobody'; there are: captions, angry"),
        ('', "no consumer ''"),
        ('toy:file', "an option of a consumer is written 'key=value', not 'file'"),
        ('half', 'is none: Half does not derive from'),
        ('angry', "not today"),
    ],
)  # fmt: skip
def test_what_cannot_be_attached_is_refused_in_a_sentence(toys, graph, text, words):
    with pytest.raises(BadConfig, match=words):
        follow.consumers([text], graph)


class FakeEar(Consumer):
    """Remembers what it is told."""

    def __init__(self):
        self.told = []

    def on_transcript(self, transcript):
        self.told.append(transcript.text)

    def on_turn(self, event):
        self.told.append(event.kind.name)

    def on_health(self, node, health):
        self.told.append((node, health.state, health.values))


class FakeBroken(Consumer):
    """Fails at everything."""

    def on_transcript(self, transcript):
        raise ZeroDivisionError('oh')


@pytest.fixture
def nodes():
    rclpy.init()
    pair = rclpy.create_node('ear'), rclpy.create_node('mouth')
    executor = SingleThreadedExecutor()
    for node in pair:
        executor.add_node(node)

    def until(condition):
        for _ in range(400):
            if condition():
                return True
            executor.spin_once(timeout_sec=0.05)
        return False

    yield *pair, until
    rclpy.try_shutdown()


def test_a_consumer_hears_what_passes_and_a_broken_one_ends_nothing(nodes, graph):
    node, other, until = nodes
    ear = FakeEar()
    listener = TopicListener(node, graph, [FakeBroken(), ear])
    heard = {s.topic_name for s in node.subscriptions}
    assert heard >= {'/robot/transcript', '/robot/turn', '/diagnostics'}
    assert not heard & {'/robot/audio/mic', '/robot/audio/played', '/robot/oracle'}
    turn = other.create_publisher(msg.TurnEvent, '/robot/turn', qos.TEXT)
    said = other.create_publisher(msg.Transcript, '/robot/transcript', qos.TEXT)
    health = other.create_publisher(DiagnosticArray, '/diagnostics', 10)
    for publisher in (turn, said, health):
        assert until(publisher.get_subscription_count)
    for kind in (99, 99, msg.TurnEvent.BARGE_IN):  # 99 is none
        turn.publish(msg.TurnEvent(kind=kind))
    assert until(lambda: ear.told == ['BARGE_IN'])
    assert listener.failed == 2
    said.publish(convert.transcript_to_message(final('Yes.'), 2.0))
    assert until(lambda: ear.told == ['BARGE_IN', 'Yes.'])
    assert listener.failed == 3  # of the broken one
    values = [KeyValue(key='state', value='active'), KeyValue(key='frames_in', value='7')]
    ours = DiagnosticStatus(name='robot/stt', values=values)
    health.publish(DiagnosticArray(status=[DiagnosticStatus(name='other/stt'), ours]))
    assert until(lambda: len(ear.told) == 3)
    assert ear.told[2] == ('stt', 'active', {'frames_in': '7'})


def test_the_queue_of_a_consumer_is_on_diagnostics(nodes, graph, toys, tmp_path):
    from kame_ros.consumers.queued import Queued

    node, other, until = nodes
    statuses = []
    other.create_subscription(
        DiagnosticArray, '/diagnostics', lambda array: statuses.extend(array.status), 10
    )
    queued = Queued('toy', FakeBroken(), lambda text: None)
    TopicListener(node, graph, [queued])
    queued.on_transcript(final('Yes.'))
    assert until(lambda: any(each.message == 'consumer_failed 1' for each in statuses))
    assert {each.name for each in statuses} == {'robot/consumer/toy'}
    assert {item.key for item in statuses[0].values} == {
        *('consumer_queue', 'consumer_queue_deepest', 'consumer_dropped', 'consumer_failed')
    }
    queued.close()
