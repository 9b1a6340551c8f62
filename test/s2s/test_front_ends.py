"""The door for front-ends: one from another package, and what is none."""

import sys

import numpy as np
import outside
import pytest

from kame_ros.nodes.robot import front_ends as parameters
from kame_ros.s2s.front_end import FrontEnd
from kame_ros.s2s.front_ends import FRONT_ENDS, FrontEndSettings
from kame_ros.wire.oracle import Oracle

MORE = """

class Half:
    def __init__(self, settings):
        pass


class Abstract(FrontEnd):
    def __init__(self, settings):
        pass
"""


@pytest.fixture
def toys(tmp_path, monkeypatch):
    code = outside.recipe('front_end') + MORE
    outside.install(
        tmp_path, FRONT_ENDS.group, code, toy='MyFrontEnd', half='Half', abstract='Abstract',
        lost='NotThere', tts='Half',
    )  # fmt: skip
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    sys.modules.pop('toys_of_kame_ros_front_end', None)


def test_ours_come_first_and_nobody_replaces_them(toys):
    assert FRONT_ENDS.names() == ('tts', 'small', 'moshi', 'abstract', 'half', 'lost', 'toy')


def test_the_recipe_is_a_front_end(toys):
    made = FRONT_ENDS.make('toy', FrontEndSettings(options={'greeting': 'Good day.'}))
    assert isinstance(made, FrontEnd)
    made.warm_up()
    made.hear_words(1, 'hello', -1.0, 0.0)
    made.excuse()
    first = made.step(np.zeros(1920, np.int16), Oracle('llm', 1, 'Yes.'))
    assert [piece.text for piece in first.pieces] == ['Good day.']
    assert first.speech.shape == (1920,)
    assert made.step(np.zeros(1920, np.int16), None).pieces == ()
    made.interrupt()
    made.reset()
    assert made.step(np.zeros(1920, np.int16), None).pieces
    assert (made.complaint(), made.judges_barge_in, made.hears_oracle) == ('', False, True)


@pytest.mark.parametrize(
    ('name', 'error', 'words'),
    [
        ('half', ImportError, 'toys_of_kame_ros_front_end is none: Half does not derive from'),
        ('lost', ImportError, 'cannot be loaded: AttributeError'),
        ('nobody', ValueError, "no front-end 'nobody'; there are: tts, small, moshi, abstract"),
        ('abstract', ValueError, 'cannot be made: TypeError: .*abstract'),
    ],
)
def test_what_is_no_front_end_says_so(toys, name, error, words):
    with pytest.raises(error, match=words):
        FRONT_ENDS.make(name, FrontEndSettings())


def test_options_reach_it_as_they_are_typed(toys):
    values = {row.name: row.default for row in parameters.PARAMETERS}
    values |= {'front_end': 'toy', 'front_end_options': 'greeting = Hi = you; '}
    assert parameters.model_name(values.get) == 'toy'
    made = parameters.make_front_end(values.get)
    assert made.step(np.zeros(1920, np.int16), None).pieces[0].text == 'Hi = you'
    values['front_end_options'] = 'greting=Hi'
    with pytest.raises(ValueError, match=r"has no option 'greting': it has greeting$"):
        parameters.make_front_end(values.get)
    values['front_end_options'] = 'greeting'
    with pytest.raises(ValueError, match="an option of a front-end is written 'key=value'"):
        parameters.make_front_end(values.get)


SPEAKS = """
import time

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.parameter import Parameter

import kame_ros.msg as msg
from kame_ros.nodes.common import convert, qos
from kame_ros.nodes.s2s_node import S2SNode
from kame_ros.wire.frame import Frame

rclpy.init()
told = {'front_end': 'toy', 'front_end_options': 'greeting=Good day.'}
node = S2SNode(parameter_overrides=[Parameter(k, value=v) for k, v in told.items()])
other = rclpy.create_node('other')
heard, words = [], []
other.create_subscription(msg.AudioFrame, 'audio/speech', heard.append, qos.RECORD)
other.create_subscription(msg.MonologueToken, 'monologue', words.append, qos.TEXT)
microphone = other.create_publisher(msg.AudioFrame, 'audio/mic', qos.AUDIO_OFFER)
executor = SingleThreadedExecutor()
executor.add_node(node)
executor.add_node(other)


def until(condition):
    end = time.monotonic() + 20
    while not condition() and time.monotonic() < end:
        executor.spin_once(timeout_sec=0.05)


node.trigger_configure()
node.trigger_activate()
until(lambda: microphone.get_subscription_count() and other.count_publishers('audio/speech'))
until(lambda: other.count_publishers('monologue'))
for seq in range(3):
    microphone.publish(convert.frame_to_message(Frame(seq, 5.0 + seq * 0.08)))
until(lambda: len(heard) >= 3 and words)
print(node.fault or node.counters()['model'], len(heard), *[word.text for word in words])
node.end()
node.diagnostics.close()
rclpy.try_shutdown()
"""


def test_the_node_speaks_with_one_of_another_package(toys):
    """In a process of its own: what is installed is known when it starts."""
    pytest.importorskip('rclpy')
    done = outside.run(toys, SPEAKS)
    assert done.stdout.split('\n')[-2] == 'toy 3 Good day.', done.stderr
