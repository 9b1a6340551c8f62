"""The quality of a node's topics can be set from outside, for one topic at a time."""

import pytest
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.parameter import Parameter
from rclpy.qos import ReliabilityPolicy

import kame_ros.msg as msg
from kame_ros.nodes.common import qos
from kame_ros.nodes.common.base import KameNode
from kame_ros.nodes.common.listen import as_it_is

OK, REFUSED = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE


class TwoTopics(KameNode):
    """Publishes two topics of one profile and listens to one of them."""

    def load(self):
        self.first = self.offer(msg.TurnEvent, 'first', qos.TEXT)
        self.second = self.offer(msg.TurnEvent, 'second', qos.TEXT)
        self.listen(msg.TurnEvent, 'first', qos.TEXT, as_it_is, lambda message: None)


def made(ros, **overrides):
    given = [
        Parameter('qos_overrides./first.' + name.replace('__', '.'), value=value)
        for name, value in overrides.items()
    ]
    return ros.add(TwoTopics('two', parameter_overrides=given))


def test_one_topic_changes_and_no_other_of_the_same_profile(ros):
    node = made(ros, publisher__depth=7, subscription__reliability='best_effort')
    for _ in range(2):  # a node that is configured again keeps it
        assert node.trigger_configure() == OK
        [info] = node.get_publishers_info_by_topic('/second')
        assert info.qos_profile.reliability == ReliabilityPolicy.RELIABLE
        [heard] = node.get_subscriptions_info_by_topic('/first')
        assert heard.qos_profile.reliability == ReliabilityPolicy.BEST_EFFORT
        assert node.get_parameter('qos_overrides./first.publisher.depth').value == 7
        assert node.get_parameter('qos_overrides./second.publisher.depth').value == 50
        assert node.trigger_cleanup() == OK
    assert (qos.TEXT.depth, qos.TEXT.reliability) == (50, ReliabilityPolicy.RELIABLE)


@pytest.mark.parametrize(
    'overrides', [{'publisher__reliability': 'perhaps'}, {'publisher__depth': 'deep'}]
)
def test_a_quality_that_cannot_be_refuses_the_transition(ros, overrides):
    node = made(ros, **overrides)
    assert node.trigger_configure() == REFUSED
    assert node.fault.startswith('cannot configure: ')
