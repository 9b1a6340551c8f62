"""Many robots, each in its namespace, on one small random model."""

from __future__ import annotations

import numpy as np
import pytest
from rclpy.action import ActionClient
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.parameter import Parameter
from std_srvs.srv import Trigger

pytest.importorskip('torch', reason='needs torch (the extra "moshi")')
pytest.importorskip('moshi', reason='needs moshi (the extra "moshi")')

from kame_ros import msg
from kame_ros.action import Say
from kame_ros.nodes.common import convert, qos
from kame_ros.nodes.s2s_slots_node import S2SSlotsNode
from kame_ros.s2s.moshi.build import build_slots
from kame_ros.s2s.moshi.config import MoshiConfig
from kame_ros.wire.frame import FRAME_S, Frame
from kame_ros.wire.oracle import ChunkKind, OracleChunk

pytestmark = pytest.mark.models

OK, REFUSED = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE
GREEDY = {'temperature': 0.0, 'temperature_text': 0.0, 'seed': 0}
MODEL = {'weights': 'random', 'device': 'cpu', **GREEDY}
ANSWER = 'The elephant is an unbelievable animal that lives on land.'


class FakeRobot:
    """A robot without ears and mouth: the test says what it hears, and reads what it would say."""

    def __init__(self, ros, name: str, seed: int = 0) -> None:
        self._ros = ros
        self.name = name
        self.sent = 0
        self.speech: list = []
        self.turns: list = []
        node = self.node = ros.add(ros_node(f'fake_{name}', f'/{name}'))
        self._mic = node.create_publisher(msg.AudioFrame, 'audio/mic', qos.AUDIO_OFFER)
        self._oracle = node.create_publisher(msg.OracleChunk, 'oracle', qos.TEXT)
        node.create_subscription(msg.AudioFrame, 'audio/speech', self.speech.append, qos.RECORD)
        node.create_subscription(msg.TurnEvent, 'turn', self.turns.append, qos.TEXT)
        self._noise = np.random.default_rng(seed).standard_normal((40, 1920)) * 3000
        assert ros.until(lambda: self._mic.get_subscription_count() > 0)
        assert ros.until(lambda: self._oracle.get_subscription_count() > 0)
        assert ros.until(lambda: node.count_publishers(f'/{name}/audio/speech') > 0)

    def sound(self, at: int) -> np.ndarray:
        return self._noise[at].astype(np.int16)

    def hear(self, at: int | None = None) -> None:
        """One frame for the microphone: the noise number `at`."""
        sound = self.sound(self.sent if at is None else at)
        self._mic.publish(convert.frame_to_message(Frame(self.sent, self.sent * FRAME_S, sound)))
        self.sent += 1

    def think(self, kind: ChunkKind, text: str = '') -> None:
        chunk = OracleChunk('llm', 1, kind, text)
        self._oracle.publish(convert.chunk_to_message(chunk, 0.0))

    def call(self, service: str) -> Trigger.Response:
        client = self.node.create_client(Trigger, service)
        assert client.wait_for_service(5.0)
        future = client.call_async(Trigger.Request())
        assert self._ros.until(future.done)
        return future.result()

    def samples(self, begin: int, end: int) -> np.ndarray:
        return np.array([frame.data for frame in self.speech[begin:end]]).astype(int)


def ros_node(name, namespace):
    import rclpy

    return rclpy.create_node(name, namespace=namespace)


def make(ros, robots, **changes):
    values = {'robots': robots, 'moshi.barge_in': False, **changes}
    values |= {f'moshi.{name}': value for name, value in MODEL.items()}
    overrides = [Parameter(name, value=value) for name, value in values.items()]
    return ros.add(S2SSlotsNode(parameter_overrides=overrides))


def start(ros, robots, **changes):
    node = make(ros, robots, **changes)
    assert node.trigger_configure() == OK, node.fault
    assert node.trigger_activate() == OK, node.fault
    return node


def talk(ros, robots, frames: int, at: int | None = None) -> None:
    """The robots hear so many frames each, one after the other, and each is answered."""
    for n in range(frames):
        want = {robot: len(robot.speech) + 1 for robot in robots}
        for robot in robots:
            robot.hear(None if at is None else at + n)
        assert ros.until(lambda want=want: all(len(r.speech) >= n for r, n in want.items()))


def alone(sounds) -> np.ndarray:
    slots = build_slots(MoshiConfig(**MODEL))
    slots.warm_up()
    slot = slots.join()
    return np.array([slots.step({slot: s}, {})[slot].speech for s in sounds]).astype(int)


def test_each_robot_has_an_answer_for_each_frame_and_its_own_oracle(ros):
    node = start(ros, ['/r1', '/r2'], **{'moshi.slots': 2})
    one, two = FakeRobot(ros, 'r1', 1), FakeRobot(ros, 'r2', 2)
    talk(ros, [one, two], 2)
    one.think(ChunkKind.TEXT, ANSWER)
    one.think(ChunkKind.END)
    assert ros.until(lambda: node._links[0]._chunks.received == 2)
    talk(ros, [one, two], 10)
    for robot in (one, two):
        assert [frame.source_seq for frame in robot.speech] == list(range(12))
        assert [frame.seq for frame in robot.speech] == list(range(12))
    applied = [t.kind for t in one.turns].count(msg.TurnEvent.ORACLE_APPLIED)
    assert applied == 1
    assert msg.TurnEvent.ORACLE_APPLIED not in [turn.kind for turn in two.turns]
    counters = node.counters()
    assert counters['r1.oracle_fed'] > 0
    assert counters['r2.oracle_fed'] == counters['r2.chunks'] == 0
    assert counters['frames_in'] == counters['frames_out'] == 24
    assert counters['frames_dropped'] == counters['frames_unanswered'] == 0
    assert 12 <= counters['steps'] <= 24
    # What robot two says is what it says alone.
    want = alone([two.sound(n) for n in range(12)])
    assert np.abs(two.samples(0, 12) - want).max() <= 2
    assert np.abs(want).max() > 100


def test_a_reset_begins_anew_for_one_robot_only(ros):
    node = start(ros, ['/r1', '/r2'], **{'moshi.slots': 2, 'leave_after_s': 600.0})
    one, two = FakeRobot(ros, 'r1', 1), FakeRobot(ros, 'r2', 2)
    talk(ros, [one, two], 6)
    answer = one.call('reset')
    assert (answer.success, answer.message) == (True, 'a new dialogue')
    for n in range(6):
        talk(ros, [one], 1, at=n)
        talk(ros, [two], 1)
    assert np.abs(one.samples(0, 6) - one.samples(6, 12)).max() <= 2
    want = alone([two.sound(n) for n in range(12)])
    assert np.abs(two.samples(0, 12) - want).max() <= 2
    assert [turn.kind for turn in one.turns].count(msg.TurnEvent.RESET) == 1
    assert msg.TurnEvent.RESET not in [turn.kind for turn in two.turns]
    answer = two.call('interrupt')
    assert answer.success
    talk(ros, [one, two], 2)
    assert not two.samples(12, 14).any()
    assert one.samples(12, 14).any()
    assert node.counters()['slots_taken'] == 2


def test_one_leaves_and_another_takes_its_slot(ros):
    node = start(ros, ['/r1', '/r2', '/r3'], **{'moshi.slots': 2, 'leave_after_s': 1.0})
    one, two, three = (FakeRobot(ros, f'r{n}', n) for n in (1, 2, 3))
    talk(ros, [one, two], 3)
    one.think(ChunkKind.TEXT, ANSWER)
    three.hear()
    assert ros.until(lambda: node.counters()['r3.frames_unanswered'] == 1)
    assert '/r3 finds no free slot: raise moshi.slots (there are 2)' in node.complaint()
    assert three.speech == []

    def one_has_left():
        talk(ros, [two], 1, at=0)
        return node.counters()['slots_taken'] == 1

    assert ros.until(one_has_left)
    answer = one.call('reset')
    assert (answer.success, answer.message) == (False, 'no sound comes from the robot')
    one.think(ChunkKind.TEXT, ANSWER)
    assert ros.until(lambda: node.counters()['r1.oracle_unanswered'] == 2)
    talk(ros, [two, three], 6, at=1)
    assert [frame.source_seq for frame in three.speech] == list(range(1, 7))
    assert len(one.speech) == 3
    assert len(two.speech) == two.sent
    counters = node.counters()
    assert (counters['r3.slot'], counters['r3.oracle_fed']) == (0, 0)
    assert np.abs(three.samples(0, 6) - alone([three.sound(n) for n in range(1, 7)])).max() <= 2


def test_each_robot_has_its_own_say(ros):
    start(ros, ['/r1', '/r2'], **{'moshi.slots': 2})
    one, two = FakeRobot(ros, 'r1', 1), FakeRobot(ros, 'r2', 2)
    talk(ros, [one], 2)

    def send(robot):
        client = ActionClient(robot.node, Say, 'say')
        assert ros.until(client.server_is_ready)
        future = client.send_goal_async(Say.Goal(text=ANSWER))
        assert ros.until(future.done)
        return future.result()

    assert not send(two).accepted  # it is not there
    goal = send(one)
    assert goal.accepted
    talk(ros, [one, two], 4)
    sources = {t.source for t in one.turns if t.kind == msg.TurnEvent.ORACLE_APPLIED}
    assert sources == {'say/1'}
    assert msg.TurnEvent.ORACLE_APPLIED not in [turn.kind for turn in two.turns]
    assert one.call('interrupt').success
    talk(ros, [one], 1)
    result = goal.get_result_async()
    assert ros.until(result.done)
    assert result.result().result.message == 'interrupted'


def test_a_node_that_is_stopped_lets_all_robots_go(ros):
    node = start(ros, ['/r1'], **{'moshi.slots': 1})
    one = FakeRobot(ros, 'r1', 1)
    talk(ros, [one], 2)
    assert node.trigger_deactivate() == OK
    assert node.counters()['slots_taken'] == 0
    assert node.trigger_activate() == OK
    talk(ros, [one], 2, at=0)
    assert np.abs(one.samples(0, 2) - one.samples(2, 4)).max() <= 2
    assert node.counters()['r1.visits'] == 2


@pytest.mark.parametrize(
    ('robots', 'says'),
    [
        (['/r1', 'two words'], 'robots is a list of namespaces'),
        ([''], 'robots is a list of namespaces'),
        (['/r1', 'r2', '/r2/'], 'robots names /r2 more than once'),
    ],
)
def test_robots_that_cannot_be_are_refused(ros, robots, says):
    node = make(ros, robots)
    assert node.trigger_configure() == REFUSED
    assert says in node.fault
