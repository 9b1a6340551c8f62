"""One robot as others on the graph find it: goals, sources, numbers, and whatever is sent to it."""

from __future__ import annotations

import itertools
import time

import pytest
from action_msgs.msg import GoalStatus
from rclpy.action import ActionClient
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from std_srvs.srv import Trigger

import kame_ros.msg as msg
from kame_ros.action import Say
from kame_ros.graph import memory
from kame_ros.nodes import s2s_node
from kame_ros.nodes.common import convert, qos
from kame_ros.nodes.robot import link as robot_link
from kame_ros.nodes.robot.say_server import cannot_be_said
from kame_ros.runtime.owner import OutOfMemory
from kame_ros.s2s.front_end import Event, FrontEnd, Piece, Step
from kame_ros.s2s.mux.mux import MuxConfig
from kame_ros.wire.frame import FRAME_S, Frame, silence
from kame_ros.wire.oracle import ChunkKind
from kame_ros.wire.turn import TurnKind

OK = TransitionCallbackReturn.SUCCESS
BEGIN, TEXT, END, CLEAR = ChunkKind


class FakeFrontEnd(FrontEnd):
    """Says a word in each frame, and has no ear of its own."""

    def __init__(self) -> None:
        self.oracles: list = []  # what it was given in each frame
        self.said = ''
        self._words: list = []
        self._key = None

    def step(self, user, oracle):
        self.oracles.append(oracle)
        if oracle is None:
            self._key = None
            return Step(silence())
        if oracle.key != self._key:
            self._key, self._count, self._told = oracle.key, 0, False
        words = oracle.text.split()
        if self._count < len(words):
            word = f' {words[self._count]}'
            self._count += 1
            self.said += word
            return Step(silence(), (Piece(word, *oracle.key),))
        if oracle.ended and not self._told:
            self._told = True
            return Step(silence(), (), (Event(TurnKind.ORACLE_SPOKEN, *oracle.key),))
        return Step(silence())

    def interrupt(self):
        self._key = None

    def reset(self):
        self._key = None


class Robot:
    """The node, somebody beside it, and a microphone whose frames the test sends."""

    def __init__(self, ros, monkeypatch, front_end=None):
        self.ros = ros
        self.mouth = front_end or FakeFrontEnd()
        self.shortfalls: list = []  # what the front-end was told of earlier lives
        monkeypatch.setattr(
            s2s_node, 'make_front_end', lambda _, n: self.shortfalls.append(n) or self.mouth
        )
        self.node = ros.add(s2s_node.S2SNode())
        self.other = ros.add(other_node())
        self.speech: list = []
        self.turns: list = []
        offer, listen = self.other.create_publisher, self.other.create_subscription
        self.mic = offer(msg.AudioFrame, 'audio/mic', qos.AUDIO_OFFER)
        self.oracle = offer(msg.OracleChunk, 'oracle', 50)
        self.turn = offer(msg.TurnEvent, 'turn', qos.TEXT)
        self.transcript = offer(msg.Transcript, 'transcript', qos.TEXT)
        listen(msg.AudioFrame, 'audio/speech', self.speech.append, qos.RECORD)
        listen(msg.TurnEvent, 'turn', self.turns.append, qos.TEXT)
        self.client = ActionClient(self.other, Say, 'say')
        self._seq = itertools.count()

    def start(self):
        assert self.node.trigger_configure() == OK, self.node.fault
        assert self.node.trigger_activate() == OK, self.node.fault
        for publisher in (self.mic, self.oracle, self.turn, self.transcript):
            assert self.ros.until(publisher.get_subscription_count)
        assert self.ros.until(self.client.server_is_ready)
        assert self.ros.until(lambda: self.other.count_publishers('audio/speech'))
        self.hear(1)
        return self

    @property
    def now(self):
        return self._sent * FRAME_S

    def hear(self, frames):
        for _ in range(frames):
            self._sent = next(self._seq)
            want = len(self.mouth.oracles) + 1
            self.mic.publish(convert.frame_to_message(Frame(self._sent, self.now)))
            assert self.ros.until(lambda want=want: len(self.mouth.oracles) >= want, 5.0)

    def send(self, text, priority=0):
        return self.client.send_goal_async(Say.Goal(text=text, priority=priority))

    def say(self, text, priority=0):
        future = self.send(text, priority)
        assert self.ros.until(future.done)
        return future.result()

    def end_of(self, handle):
        future = handle.get_result_async()
        assert self.ros.until(future.done, 10.0)
        return future.result().result

    def publish(self, kind, text='', source='battery', number=1, publisher=None):
        message = msg.OracleChunk(
            source=source, priority=20, generation=number, kind=int(kind), text=text
        )
        before = self.node._link._chunks.received
        (publisher or self.oracle).publish(message)
        return before

    def example(self, **more):
        """What the example of the README sends."""
        for kind, text in ((BEGIN, ''), (TEXT, 'My battery is low.'), (END, '')):
            before = self.publish(kind, text, **more)
            assert self.ros.until(lambda n=before: self.node._link._chunks.received > n)

    def speaks(self, begins, utterance=7):
        kind = msg.TurnEvent.USER_SPEECH_START if begins else msg.TurnEvent.USER_SPEECH_END
        told = self.node._link._prompter._told
        before = told.received
        self.turn.publish(
            msg.TurnEvent(header=convert.header(self.now), kind=kind, utterance=utterance)
        )
        assert self.ros.until(lambda: told.received > before)


def other_node():
    import rclpy

    return rclpy.create_node('other')


@pytest.fixture
def robot(ros, monkeypatch):
    return Robot(ros, monkeypatch).start()


def count(robot, name):
    return robot.node.totals()[name]


# -- goals ---------------------------------------------------------------------------------------


def test_a_goal_is_said_and_ends(robot):
    goal = robot.say('one two three')
    robot.hear(6)
    end = robot.end_of(goal)
    assert (end.spoken, end.said, end.message) == (True, 'one two three', '')
    assert robot.node._link._say.open == 0


def test_a_goal_tells_what_of_it_no_voice_can_say(robot):
    goal = robot.say('one two Привет')
    robot.hear(6)
    end = robot.end_of(goal)
    assert (end.spoken, end.message) == (True, '1 word in Cyrillic left out')


def test_a_goal_that_is_spoken_over_ends(robot):
    goal = robot.say('word ' * 200)
    robot.hear(3)
    robot.speaks(True)
    robot.hear(30)
    end = robot.end_of(goal)
    assert (end.spoken, end.message) == (False, 'the user spoke')
    assert 3 <= len(end.said.split()) < 15
    assert [t.kind for t in robot.turns].count(msg.TurnEvent.BARGE_IN) == 1


def test_a_goal_ends_with_the_node_and_is_not_said_later(robot):
    goals = [robot.say('A second sentence that is long.', 10), robot.say('A third one.')]
    robot.hear(2)
    assert robot.node.trigger_deactivate() == OK
    assert {robot.end_of(goal).message for goal in goals} == {'the node is not active'}
    assert not robot.say('No.').accepted
    assert robot.node.trigger_activate() == OK
    said = robot.mouth.said
    robot.hear(5)
    assert robot.mouth.said == said
    assert robot.mouth.oracles[-1] is None
    goal = robot.say('Yes.')
    robot.hear(3)
    assert robot.end_of(goal).spoken


def test_a_goal_is_cancelled_before_anything_is_said(robot):
    goal = robot.say('one two three')
    future = goal.cancel_goal_async()
    assert robot.ros.until(future.done)
    assert len(future.result().goals_canceling) == 1
    end = robot.end_of(goal)
    assert goal.status == GoalStatus.STATUS_CANCELED
    assert (end.spoken, end.said, end.message) == (False, '', 'cancelled')
    robot.hear(4)
    assert robot.mouth.said == ''


@pytest.mark.parametrize('service', ['interrupt', 'reset'])
def test_a_goal_ends_with_an_order(robot, service):
    goals = [robot.say('word ' * 20), robot.say('word ' * 20)]
    robot.hear(2)
    client = robot.other.create_client(Trigger, service)
    assert robot.ros.until(client.service_is_ready)
    future = client.call_async(Trigger.Request())
    assert robot.ros.until(future.done)
    assert future.result().success
    robot.hear(1)
    assert all(not robot.end_of(goal).spoken for goal in goals)


def test_fifty_goals_at_once_all_get_an_answer(robot):
    futures = [robot.send(f'word {n}') for n in range(50)]
    assert robot.ros.until(lambda: all(future.done() for future in futures), 10.0)
    handles = [future.result() for future in futures]
    taken = [handle for handle in handles if handle.accepted]
    assert 1 <= len(taken) <= 16
    results = [handle.get_result_async() for handle in taken]
    for _ in range(200):
        robot.hear(1)
        if all(result.done() for result in results):
            break
    assert all(result.result().result.spoken for result in results)
    assert robot.mouth.said.count('word') == len(taken)


def test_goals_are_said_whatever_floods_the_topic(robot):
    for n in range(700):
        robot.publish(TEXT, 'x', source=f'junk{n}')
    assert robot.ros.until(lambda: robot.node._link._chunks.received >= 50)
    goal = robot.say('one two three', 30)
    for _ in range(20):
        robot.hear(1)
    assert robot.end_of(goal).spoken


def test_nobody_speaks_for_a_goal(robot):
    goal = robot.say('one two three')
    robot.publish(CLEAR, source='say/1')
    robot.publish(TEXT, ' four', source='say/1', number=0)
    robot.hear(6)
    assert robot.end_of(goal).said == 'one two three'


def test_a_goal_does_not_wait_for_ever_for_a_microphone(robot, monkeypatch):
    monkeypatch.setattr(robot_link, '_DEAF_S', 0.5)
    goal = robot.say('one two three')
    end = robot.end_of(goal)
    assert not end.spoken
    assert 'no sound' in end.message


def test_a_goal_of_which_nothing_can_be_said_is_not_spoken(ros, monkeypatch):
    class Mute(FakeFrontEnd):
        def step(self, user, oracle):
            step = super().step(user, oracle)
            return Step(step.speech, (), step.events)

    robot = Robot(ros, monkeypatch, Mute()).start()
    goal = robot.say('one two')
    robot.hear(4)
    end = robot.end_of(goal)
    assert (end.spoken, end.message) == (False, 'the voice cannot say any of it')


def test_a_goal_that_the_front_end_never_says_ends(ros, monkeypatch):
    class Stuck(FakeFrontEnd):
        def step(self, user, oracle):
            self.oracles.append(oracle)
            return Step(silence())

    robot = Robot(ros, monkeypatch, Stuck()).start()
    robot.node._link._prompter.mux.config = MuxConfig(patience_s=0.5)
    goal = robot.say('one')
    robot.hear(10)
    assert not robot.end_of(goal).spoken


@pytest.mark.parametrize('text', ['', ' ', '\n\t', '\u200b', '\u2066\u2069', '\x00\x01', '\ufeff '])
def test_a_blank_text_is_no_goal(robot, text):
    assert cannot_be_said(text)
    assert not robot.say(text).accepted


def test_a_goal_that_waits_costs_no_core(robot):
    robot.say('word ' * 100)
    rounds = 0
    end = time.monotonic() + 1.0
    while time.monotonic() < end:
        robot.ros.executor.spin_once(timeout_sec=0.05)
        rounds += 1
    assert rounds < 200  # it waits in each: a goal that is polled leaves it no time to


# -- the topic ---------------------------------------------------------------------------------


@pytest.mark.parametrize('numbers', [(1, 1, 1), (1, 2, 3), (9, 1, 0)])
def test_the_example_speaks_every_time(robot, numbers):
    for times, number in enumerate(numbers, 1):
        robot.example(number=number)
        robot.hear(7)
        assert robot.mouth.said == ' My battery is low.' * times
    assert count(robot, 'ignored_old') == 0


def test_a_text_without_an_end_lets_others_speak(robot):
    robot.publish(TEXT, 'Hello there.')
    robot.hear(1)
    robot.example(source='llm', number=3)
    robot.hear(round(5.0 / FRAME_S) + 10)
    assert robot.mouth.said == ' Hello there. My battery is low.'
    assert count(robot, 'aged') == 1


QUALITIES = {
    'best effort': QoSProfile(depth=10, reliability=ReliabilityPolicy.BEST_EFFORT),
    'latched': QoSProfile(depth=10, durability=DurabilityPolicy.TRANSIENT_LOCAL),
    'latched best effort': QoSProfile(
        depth=10,
        reliability=ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL,
    ),
    'reliable': QoSProfile(depth=10),
}


@pytest.mark.parametrize('quality', QUALITIES)
def test_whatever_quality_is_offered_it_is_heard_once(robot, quality):
    publisher = robot.other.create_publisher(msg.OracleChunk, 'oracle', QUALITIES[quality])
    assert robot.ros.until(publisher.get_subscription_count)
    robot.ros.until(lambda: False, 0.7)  # all ways to it are found
    for kind, text in ((BEGIN, ''), (TEXT, 'the the '), (TEXT, 'the '), (TEXT, 'the '), (END, '')):
        robot.publish(kind, text, publisher=publisher)
    assert robot.ros.until(lambda: robot.node._link._chunks.received >= 5)
    robot.ros.until(lambda: False, 0.5)
    robot.hear(6)
    assert robot.mouth.said == ' the the the the'
    assert robot.node._link._chunks.received == 5


def test_what_was_latched_before_the_robot_came_is_said_when_it_is_active(ros, monkeypatch):
    robot = Robot(ros, monkeypatch)
    publisher = robot.other.create_publisher(msg.OracleChunk, 'oracle', QUALITIES['latched'])
    assert robot.node.trigger_configure() == OK
    for kind, text in ((BEGIN, ''), (TEXT, 'I am awake.'), (END, '')):
        publisher.publish(msg.OracleChunk(source='boot', kind=int(kind), text=text))
    robot.ros.until(lambda: False, 1.0)
    robot.node.trigger_cleanup()
    robot.start()
    assert ros.until(lambda: robot.node._link._chunks.received == 3)
    robot.hear(5)
    assert robot.mouth.said == ' I am awake.'


# -- what cannot be used -----------------------------------------------------------------------


@pytest.mark.parametrize(
    'change',
    [
        {'seq': 2**63},
        {'seq': 2**64 - 1},
        {'sample_rate': 16_000},
        {'sample_rate': 0},
        {'channels': 2},
        {'data': []},
        {'data': [0] * 100_000},
    ],
)
def test_a_frame_that_cannot_be_used_is_counted(robot, change):
    message = convert.frame_to_message(Frame(1, 0.0))
    for name, value in change.items():
        setattr(message, name, value)
    robot.mic.publish(message)
    assert robot.ros.until(lambda: count(robot, 'bad_frames') == 1)
    assert count(robot, 'bad_messages.audio/mic') == 1
    robot.hear(2)
    assert robot.node.active


@pytest.mark.parametrize(
    'chunk',
    [
        {'kind': 99},
        {'kind': 255, 'text': 'x' * 10},
        {'text': 'x' * 1_000_000, 'kind': 1},
        {'source': 's' * 200_000, 'kind': 1},
    ],
)
def test_a_chunk_that_cannot_be_used_is_counted(robot, chunk):
    robot.oracle.publish(msg.OracleChunk(**{'source': 'a', **chunk}))
    assert robot.ros.until(lambda: count(robot, 'bad_messages') == 1)
    robot.example()
    robot.hear(6)
    assert robot.mouth.said == ' My battery is low.'


@pytest.mark.parametrize('seconds', [-1.0, 0.0, 2**31 - 1.0, 1e12, float('inf'), float('nan')])
def test_times_that_no_message_can_tell_become_the_nearest(seconds):
    time_ = convert.to_time(seconds)
    assert 0 <= time_.sec <= 2**31 - 1


def test_stamps_of_any_time_are_answered(robot):
    for t in (0.0, 2**31 - 1.0, 5.0, 2**31 - 0.01):
        want = len(robot.mouth.oracles) + 1
        robot.mic.publish(convert.frame_to_message(Frame(10_000 + int(t), t)))
        assert robot.ros.until(lambda want=want: len(robot.mouth.oracles) >= want)
    assert robot.node.active


def test_the_node_of_one_robot_builds_one_slot(monkeypatch):
    from kame_ros.nodes.robot import front_ends
    from kame_ros.s2s.moshi import build

    asked = []
    monkeypatch.setattr(build, 'build', lambda config, vad: asked.append(config) or FakeFrontEnd())
    values = {row.name: row.default for row in front_ends.PARAMETERS}
    values |= {
        'front_end': 'moshi',
        'front_end_options': '',
        'moshi.slots': 4,
        'moshi.barge_in': False,
    }
    front_ends.make_front_end(values.get)
    assert [config.slots for config in asked] == [1]
    assert front_ends.moshi_config(values.get).slots == 4


# -- memory --------------------------------------------------------------------------------------


class FakeOutOfMemory(FakeFrontEnd):
    """Speaks until `ends`, and then has no memory left."""

    ends = False
    closed = 0

    def step(self, user, oracle):
        if self.ends:
            raise OutOfMemory('no memory left while it talked: s2s.moshi.context=750 saves 1.2 GB')
        return super().step(user, oracle)

    def close(self):
        self.closed += 1


def test_a_session_that_runs_out_of_memory_ends_with_a_sentence(ros, monkeypatch, tmp_path):
    """Whoever waits for a goal is told, nobody sees a traceback, and the next life knows."""
    monkeypatch.setenv(memory.FOLDER, str(tmp_path))
    robot = Robot(ros, monkeypatch, FakeOutOfMemory()).start()
    logged: list = []
    logger = robot.node.get_logger()
    monkeypatch.setattr(robot.node, 'get_logger', lambda: logger)
    monkeypatch.setattr(logger, 'fatal', logged.append)
    monkeypatch.setattr(robot.node.context, 'try_shutdown', lambda: None)
    goal = robot.say('one two three four five')
    robot.hear(2)
    robot.mouth.ends = True
    robot.mic.publish(convert.frame_to_message(Frame(next(robot._seq), robot.now + FRAME_S)))
    assert robot.end_of(goal).message == 'the speech model has no memory left'
    assert ros.until(lambda: logged)
    assert logged == [f'{robot.node.get_name()} ends: {robot.node.fault}']
    assert robot.node.fault.endswith('s2s.moshi.context=750 saves 1.2 GB')
    assert 'Traceback' not in logged[0]
    assert robot.shortfalls == [0]
    assert memory.shortfalls(memory.Memory(robot.node.get_fully_qualified_name())) == 1
    assert robot.node.trigger_deactivate() == OK
    assert robot.node.trigger_cleanup() == OK
    assert robot.mouth.closed == 1
    assert robot.node.trigger_configure() == OK
    assert robot.shortfalls == [0, 1]
