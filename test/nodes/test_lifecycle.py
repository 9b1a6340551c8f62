"""Each transition of a managed node, and what happens when one is refused."""

import threading

import pytest
from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import State
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.parameter import Parameter

from kame_ros import msg
from kame_ros.nodes import qos
from kame_ros.nodes.audio_capture_node import AudioCaptureNode
from kame_ros.nodes.base import KameNode
from kame_ros.nodes.oracle_node import OracleNode
from kame_ros.nodes.parameters import Param
from kame_ros.nodes.s2s_node import S2SNode
from kame_ros.nodes.stt_node import SttNode
from kame_ros.owner import OwnerThread

OK, REFUSED = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE


class FakeModelNode(KameNode):
    """Notes what is asked of it; fails where it is told to."""

    PARAMETERS = (
        Param('fail_in', '', 'The step that fails.'),
        Param('volume', 1.0, 'Can change at any time.', low=0.0, high=2.0, live=True),
        Param('voice', 'low', 'Can change at any time; the node knows which there are.', live=True),
    )

    def __init__(self, **options):
        self.steps = []
        self.volume = None
        super().__init__('fake', **options)

    def load(self):
        self.listen(msg.TurnEvent, 'turn', qos.TEXT, lambda message: self.steps.append('heard'))
        self._step('load')

    def start(self):
        self._step('start')

    def stop(self):
        self._step('stop')

    def unload(self):
        self._step('unload')

    def complaint(self):
        return 'too slow: use a smaller model' if self.volume == 2.0 else ''

    def on_parameters(self, values):
        if values.get('voice') == 'absent':
            raise OSError('there is no such voice')
        self.volume = values.get('volume', self.volume)

    def _step(self, name):
        self.steps.append(name)
        if self.param('fail_in') == name:
            raise ValueError('the model is not there; get it with: pip install it')


def state(node):
    return node._state_machine.current_state[0]


def test_a_whole_life(ros):
    node = ros.add(FakeModelNode())
    for trigger, reached in (
        (node.trigger_configure, State.PRIMARY_STATE_INACTIVE),
        (node.trigger_activate, State.PRIMARY_STATE_ACTIVE),
        (node.trigger_deactivate, State.PRIMARY_STATE_INACTIVE),
        (node.trigger_activate, State.PRIMARY_STATE_ACTIVE),
        (node.trigger_deactivate, State.PRIMARY_STATE_INACTIVE),
        (node.trigger_cleanup, State.PRIMARY_STATE_UNCONFIGURED),
        (node.trigger_configure, State.PRIMARY_STATE_INACTIVE),
        (node.trigger_shutdown, State.PRIMARY_STATE_FINALIZED),
    ):
        assert trigger() == OK
        assert state(node) == reached
    assert node.steps == ['load', 'start', 'stop', 'start', 'stop', 'unload', 'load', 'unload']


def test_shutdown_of_an_active_node_stops_it_first(ros):
    node = ros.add(FakeModelNode())
    node.trigger_configure()
    node.trigger_activate()
    node.trigger_shutdown()
    assert node.steps == ['load', 'start', 'stop', 'unload']


def test_a_node_that_cannot_be_configured_says_why_and_can_be_tried_again(ros):
    node = ros.add(FakeModelNode(parameter_overrides=[Parameter('fail_in', value='load')]))
    told = []
    ros.executor.get_nodes()[0].create_subscription(
        DiagnosticArray, '/diagnostics', lambda array: told.extend(array.status), 10
    )
    assert node.trigger_configure() == REFUSED
    assert state(node) == State.PRIMARY_STATE_UNCONFIGURED
    assert node.steps == ['load', 'unload']
    assert ros.until(lambda: any(status.level == b'\x02' for status in told))
    reason = next(status.message for status in told if status.level == b'\x02')
    assert reason == 'cannot configure: the model is not there; get it with: pip install it'
    node.set_parameters([Parameter('fail_in', value='')])
    assert node.trigger_configure() == OK
    assert node.fault == ''


def test_a_node_that_cannot_be_activated_stays_inactive(ros):
    node = ros.add(FakeModelNode(parameter_overrides=[Parameter('fail_in', value='start')]))
    node.trigger_configure()
    assert node.trigger_activate() == REFUSED
    assert state(node) == State.PRIMARY_STATE_INACTIVE
    assert not node.active
    assert node.steps == ['load', 'start', 'stop']


def test_an_inactive_node_hears_nothing(ros):
    node = ros.add(FakeModelNode())
    node.trigger_configure()
    publisher = node.create_publisher(msg.TurnEvent, 'turn', qos.TEXT)
    assert ros.until(publisher.get_subscription_count)
    publisher.publish(msg.TurnEvent())
    assert not ros.until(lambda: 'heard' in node.steps, patience=0.3)
    node.trigger_activate()
    publisher.publish(msg.TurnEvent())
    assert ros.until(lambda: 'heard' in node.steps)


def test_a_live_parameter_changes_an_active_node(ros):
    node = ros.add(FakeModelNode())
    node.trigger_configure()
    node.trigger_activate()
    (result,) = node.set_parameters([Parameter('volume', value=1.5)])
    assert result.successful
    assert node.volume == 1.5
    (result,) = node.set_parameters([Parameter('volume', value=3.0)])
    assert not result.successful


@pytest.mark.parametrize(
    ('name', 'value', 'why'),
    [
        ('volume', 3.0, 'range'),  # beyond its limits
        ('voice', 'absent', 'no such voice'),  # refused by the node
        ('fail_in', 'stop', 'clean it up first'),  # not live
        ('niceness', 1, 'clean it up first'),
    ],
)
def test_a_set_of_parameters_is_all_or_nothing(ros, name, value, why):
    node = ros.add(FakeModelNode(parameter_overrides=[Parameter('volume', value=1.0)]))
    node.trigger_configure()
    good, bad = Parameter('volume', value=1.5), Parameter(name, value=value)
    for parameters in ([good, bad], [bad, good]):
        if name == 'volume':
            parameters = [Parameter('voice', value='high'), bad]
        result = node.set_parameters_atomically(parameters)
        assert not result.successful
        assert why in result.reason
        assert (node.volume, node.param('volume'), node.param('voice')) == (None, 1.0, 'low')
    both = [good, Parameter('voice', value='high')]
    assert node.set_parameters_atomically(both).successful
    assert (node.volume, node.param('volume'), node.param('voice')) == (1.5, 1.5, 'high')


def test_what_is_wrong_now_is_an_error_on_diagnostics(ros):
    node = ros.add(FakeModelNode())
    told = []
    node.create_subscription(
        DiagnosticArray, '/diagnostics', lambda array: told.extend(array.status), 10
    )
    node.trigger_configure()
    node.set_parameters([Parameter('volume', value=2.0)])
    assert ros.until(lambda: told and told[-1].level == b'\x02')
    assert told[-1].message == 'too slow: use a smaller model'
    node.set_parameters([Parameter('volume', value=1.0)])
    assert ros.until(lambda: told[-1].level == b'\x00')


def test_a_fault_in_an_owner_thread_ends_the_context(ros):
    node = ros.add(FakeModelNode())

    def body(stop):
        raise RuntimeError('the model broke')

    owner = OwnerThread('model', body, node.fail)
    owner.start()
    owner.stop()
    assert node.fault == 'RuntimeError: the model broke'
    assert not node.context.ok()


@pytest.mark.parametrize(
    ('make', 'parameters', 'says'),
    [
        (AudioCaptureNode, {'source': 'wav'}, 'needs the parameter wav'),
        (AudioCaptureNode, {'source': 'wav', 'wav': '/nowhere.wav'}, '/nowhere.wav'),
        (SttNode, {'model': '/no/such/model'}, '/no/such/model'),
        (S2SNode, {'tts.voice': 'nobody'}, 'nobody'),
        (S2SNode, {'tts.end_of_turn_s': -1.0}, 'end_of_turn_s'),
        (OracleNode, {'backend': 'telepathy:strong'}, 'telepathy'),
        (OracleNode, {'backend': 'embedded:/no/such.gguf'}, '/no/such.gguf'),
    ],
)
def test_what_is_missing_is_named(ros, make, parameters, says):
    node = ros.add(make(parameter_overrides=[Parameter(k, value=v) for k, v in parameters.items()]))
    assert node.trigger_configure() == REFUSED
    assert says in node.fault
    assert threading.active_count() < 8  # what was begun was ended
