"""Each transition of a managed node, and what happens when one is refused."""

import os
import socket
import threading

import pytest
from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rcl_interfaces.msg import Parameter as ParameterMessage
from rcl_interfaces.msg import ParameterValue
from rcl_interfaces.srv import SetParameters, SetParametersAtomically
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.parameter import Parameter
from std_srvs.srv import Trigger

from kame_ros import msg
from kame_ros.nodes.audio_capture_node import AudioCaptureNode
from kame_ros.nodes.common import qos
from kame_ros.nodes.common.base import KameNode
from kame_ros.nodes.oracle_node import OracleNode
from kame_ros.nodes.page_node import PageNode
from kame_ros.nodes.s2s_node import S2SNode
from kame_ros.nodes.stt_node import SttNode
from kame_ros.runtime.owner import OwnerThread
from kame_ros.settings.param import Param

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
        self.listen(
            msg.TurnEvent,
            'turn',
            qos.TEXT,
            lambda message: message,
            lambda message: self.steps.append('heard'),
        )
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
        (S2SNode, {'front_end': 'moshi', 'moshi.device': 'tpu'}, "cuda:N, not 'tpu'"),
        (S2SNode, {'front_end': 'moshi', 'moshi.slots': 4}, 'kame-slots'),
        (OracleNode, {'backend': 'telepathy:strong'}, 'telepathy'),
        (OracleNode, {'backend': 'embedded:/no/such.gguf'}, '/no/such.gguf'),
        (PageNode, {'host': '203.0.113.1'}, 'no page can be served on 203.0.113.1'),
    ],
)
def test_what_is_missing_is_named(ros, make, parameters, says):
    node = ros.add(make(parameter_overrides=[Parameter(k, value=v) for k, v in parameters.items()]))
    assert node.trigger_configure() == REFUSED
    assert says in node.fault
    assert 'Errno' not in node.fault
    assert threading.active_count() < 8  # what was begun was ended


class FakeOwnerNode(KameNode):
    """Owns a model that does not always stop when it is asked to."""

    def __init__(self, **options):
        self.release = threading.Event()
        self.release.set()
        self.started = 0
        self._thread = None
        super().__init__('fake_owner', **options)

    def start(self):
        self.started += 1
        self._thread = self.owner('model', lambda stop: (stop.wait(30), self.release.wait(30)))
        self._thread.start()

    def stop(self):
        if self._thread:
            self._thread.stop(timeout=0.05)


def test_a_model_never_has_two_owners(ros):
    node = ros.add(FakeOwnerNode())
    node.trigger_configure()
    node.trigger_activate()
    node.release.clear()
    assert node.trigger_deactivate() == OK
    assert node.trigger_activate() == REFUSED
    assert state(node) == State.PRIMARY_STATE_INACTIVE
    assert node.trigger_cleanup() == REFUSED  # nor is it taken from the one that it has
    level, message = node.diagnostics._level({})
    assert (level, message) == (b'\x02', 'model has not ended yet: the node cannot be activated')
    assert node.started == 1
    node.release.set()
    assert ros.until(lambda: not node.lingering)
    assert node.diagnostics._level({})[0] == b'\x00'
    assert node.trigger_activate() == OK
    assert node.started == 2


def test_a_node_that_cannot_stop_is_where_it_says_it_is(ros):
    node = ros.add(FakeModelNode(parameter_overrides=[Parameter('fail_in', value='stop')]))
    node.trigger_configure()
    node.trigger_activate()
    assert node.trigger_deactivate() != OK
    assert state(node) == State.PRIMARY_STATE_UNCONFIGURED
    assert node.diagnostics.state == 'unconfigured'
    assert 'cannot deactivate: the model is not there' in node.diagnostics._level({})[1]
    node.set_parameters([Parameter('fail_in', value='')])
    assert node.trigger_configure() == OK
    assert node.trigger_activate() == OK
    assert node.fault == ''


def test_after_a_shutdown_diagnostics_say_so(ros):
    node = ros.add(FakeModelNode())
    node.trigger_configure()
    node.trigger_activate()
    node.trigger_shutdown()
    assert state(node) == State.PRIMARY_STATE_FINALIZED
    assert node.diagnostics.state == 'finalized'


def test_diagnostics_tell_the_machine_and_the_process(ros):
    first, second = ros.add(FakeModelNode()), ros.add(FakeModelNode())
    status = first.diagnostics._status()
    values = {item.key: item.value for item in status.values}
    assert status.hardware_id == socket.gethostname()
    assert values['pid'] == str(os.getpid())
    others = {item.key: item.value for item in second.diagnostics._status().values}
    assert others['life'] != values['life']


@pytest.fixture
def call(ros):
    """Calls a service of a node and gives the answer; None if there is none."""
    import rclpy

    caller = ros.add(rclpy.create_node('caller'))

    def call(kind, name, request, patience=10.0):
        client = caller.create_client(kind, name)
        assert ros.until(client.service_is_ready)
        future = client.call_async(request)
        return future.result() if ros.until(future.done, patience) else None

    return call


def change(number, label=''):
    return ChangeState.Request(transition=Transition(id=number, label=label))


@pytest.mark.parametrize('thread', [False, True])
def test_every_transition_that_is_asked_for_is_answered(ros, call, thread):
    node = ros.add(FakeModelNode())
    if thread:
        node.transitions.serve()
    wrong = [change(number) for number in range(256) if number not in (1, 5)]
    wrong += [change(1, label) for label in ('transition_success', 'nonsense', 'activate')]
    asked = wrong if not thread else wrong[::25]
    answers = [call(ChangeState, 'fake/change_state', request).success for request in asked]
    assert answers == [False] * len(asked)
    assert node.transitions.refused == len(asked)
    assert node.steps == []
    for request, success in (
        (change(1), True),
        (change(1), False),
        (change(0, 'activate'), True),
        (change(3), False),
        (change(2), False),
        (change(4), True),
        (change(2), True),
        (change(0, 'shutdown'), True),
        (change(1), False),
    ):
        assert call(ChangeState, 'fake/change_state', request).success is success
    assert state(node) == State.PRIMARY_STATE_FINALIZED


class FakeSlowNode(KameNode):
    """Loads until it is told to be done."""

    def __init__(self, **options):
        self.done = threading.Event()
        self.loading = threading.Event()
        super().__init__('slow', **options)

    def load(self):
        self.loading.set()
        self.done.wait(30)


def test_a_node_that_loads_answers_all_else(ros, call):
    node = ros.add(FakeSlowNode())
    node.transitions.serve()
    client = ros.executor.get_nodes()[0].create_client(ChangeState, 'slow/change_state')
    assert ros.until(client.service_is_ready)
    configured = client.call_async(change(1))
    assert ros.until(node.loading.is_set)
    answer = call(GetState, 'slow/get_state', GetState.Request())
    assert answer.current_state.label == 'configuring'
    request = SetParameters.Request(parameters=[ParameterMessage(name='niceness')])
    assert call(SetParameters, 'slow/set_parameters', request) is not None
    assert not configured.done()
    node.done.set()
    assert ros.until(configured.done)
    assert configured.result().success


def test_a_process_that_ends_does_not_wait_for_a_model(ros):
    node = ros.add(FakeSlowNode())
    node.transitions.serve()
    client = ros.executor.get_nodes()[0].create_client(ChangeState, 'slow/change_state')
    assert ros.until(client.service_is_ready)
    client.call_async(change(1))
    assert ros.until(node.loading.is_set)
    assert not node.end()  # and nothing is taken from it
    node.done.set()
    assert ros.until(lambda: node.end())


@pytest.mark.parametrize('kind', [99, 255, 0])
def test_a_parameter_of_a_type_that_does_not_exist(ros, call, kind):
    node = ros.add(FakeModelNode())
    value = ParameterValue(type=kind, double_value=1.5)
    good = ParameterValue(type=3, double_value=1.5)
    wrong = ParameterMessage(name='volume', value=value)
    request = SetParameters.Request(
        parameters=[wrong, ParameterMessage(name='volume', value=good), ParameterMessage(name='?')]
    )
    answer = call(SetParameters, 'fake/set_parameters', request)
    assert [result.successful for result in answer.results] == [False, True, False]
    assert 'there is no parameter ?' in answer.results[2].reason
    request = SetParametersAtomically.Request(parameters=[wrong])
    answer = call(SetParametersAtomically, 'fake/set_parameters_atomically', request)
    assert not answer.result.successful
    assert node.param('volume') == 1.5


class FakeFragileNode(KameNode):
    """Its callbacks cannot bear what they are given."""

    def load(self):
        self.listen(msg.TurnEvent, 'turn', qos.TEXT, self._read, self._fail)
        self.serve(Trigger, 'trigger', lambda request, response: 1 / 0)

    def _read(self, message):
        return 1 / message.kind, message.text

    def _fail(self, told):
        raise KeyError(told)


def test_what_a_callback_cannot_bear_ends_no_node(ros, call):
    node = ros.add(FakeFragileNode('fragile'))
    node.trigger_configure()
    node.trigger_activate()
    answer = call(Trigger, 'trigger', Trigger.Request())
    assert (answer.success, answer.message) == (False, 'ZeroDivisionError: division by zero')
    publisher = node.create_publisher(msg.TurnEvent, 'turn', qos.TEXT)
    assert ros.until(publisher.get_subscription_count)
    for number in range(3):
        publisher.publish(msg.TurnEvent(text=str(number), kind=1))
        publisher.publish(msg.TurnEvent(text=str(number), kind=0))  # cannot be read
    assert ros.until(lambda: node.faults.count == 4)
    assert ros.until(lambda: node.totals()['bad_messages'] == 3)
    assert node.totals()['bad_messages.turn'] == 3
    assert node.faults.kinds == 2  # so many lines are logged
    values = {item.key: item.value for item in node.diagnostics._status().values}
    assert values['callbacks_failed'] == '4'
