import pytest
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.parameter import Parameter

from kame_ros.graph import SHORTCUTS, config_names, load_graph
from kame_ros.nodes.audio_capture_node import AudioCaptureNode
from kame_ros.nodes.audio_playback_node import AudioPlaybackNode
from kame_ros.nodes.base import NICENESS
from kame_ros.nodes.bridge_node import BridgeNode
from kame_ros.nodes.oracle_node import OracleNode
from kame_ros.nodes.parameters import BadParameter, Param, refuse_unknown
from kame_ros.nodes.s2s_node import S2SNode
from kame_ros.nodes.s2s_slots_node import S2SSlotsNode
from kame_ros.nodes.stt_node import SttNode

NODES = {
    'audio_capture': AudioCaptureNode,
    'audio_playback': AudioPlaybackNode,
    'bridge': BridgeNode,
    'oracle': OracleNode,
    's2s': S2SNode,
    's2s_slots': S2SSlotsNode,
    'stt': SttNode,
}
STEP = Param('step_s', 0.5, 'A step.', low=0.1, high=10.0)
SOURCE = Param('source', 'wav', 'A source.', choices=('wav', 'device'))


@pytest.mark.parametrize(
    ('param', 'given', 'value'),
    [(STEP, 1, 1.0), (STEP, 0.1, 0.1), (SOURCE, 'device', 'device')],
)
def test_right_values_get_their_type(param, given, value):
    checked = param.checked(given)
    assert checked == value
    assert type(checked) is type(value)


@pytest.mark.parametrize(
    ('param', 'given', 'says'),
    [
        (STEP, 0.0, 'between 0.1 and 10.0, not 0.0'),
        (STEP, float('nan'), 'between'),
        (STEP, 'fast', "step_s is a number, not 'fast'"),
        (STEP, True, 'a number'),
        (SOURCE, 'devise', "did you mean 'device'"),
        (SOURCE, 3, "one of wav, device, not '3'"),
        (Param('t', 'x', 'A text.'), {'a': 1}, 't is a text'),
        (Param('n', 3, 'A count.', low=1), 0, 'at least 1'),
        (Param('n', 3, 'A count.', low=1), 1.5, 'a whole number'),
        (Param('on', True, 'A switch.'), 2, 'true or false'),
        (Param('x', 1.0, 'Any.'), float('inf'), 'a finite number'),
        (Param('x', 1.0, 'Any.'), None, 'a number'),
    ],
)
def test_wrong_values_are_refused_in_words(param, given, says):
    with pytest.raises(BadParameter, match=says):
        param.checked(given)


def test_a_parameter_that_does_not_exist_is_refused_with_the_nearest():
    with pytest.raises(BadParameter, match='no parameter stpe_s; did you mean step_s'):
        refuse_unknown({'stpe_s'}, (STEP, SOURCE))
    refuse_unknown({'use_sim_time', 'qos_overrides./x.depth', 'source'}, (STEP, SOURCE))


@pytest.mark.parametrize('node', NODES)
def test_every_parameter_is_described_and_its_default_is_right(node):
    for param in NODES[node].PARAMETERS:
        assert param.description.endswith('.')
        assert param.checked(param.default) == param.default


@pytest.mark.parametrize('config', config_names())
def test_every_configuration_sets_parameters_that_exist(config):
    for spec in load_graph(config).nodes:
        table = {param.name: param for param in (*NODES[spec.name].PARAMETERS, NICENESS)}
        for name, value in spec.parameters.items():
            table[name].checked(value)


def test_every_shortcut_sets_a_parameter_that_exists():
    for node, parameter in SHORTCUTS.values():
        assert parameter in {param.name for param in NODES[node].PARAMETERS}


def test_a_node_refuses_a_wrong_parameter_at_its_start(ros):
    with pytest.raises(BadParameter, match='did you mean'):
        AudioCaptureNode(parameter_overrides=[Parameter('source', value='devise')])


def test_a_value_that_is_set_is_stored_in_its_own_type(ros):
    node = ros.add(AudioCaptureNode())
    given = {
        'device': 2,
        'gain_control': 'yes',
        'listener_patience_s': 5,
        'echo_cancellation': False,
    }
    for name, value in given.items():
        (result,) = node.set_parameters([Parameter(name, value=value)])
        assert result.successful, result.reason
        assert type(node.get_parameter(name).value) is type(node.param(name))
    read = {name: node.param(name) for name in given}
    assert read == {
        'device': '2',
        'gain_control': True,
        'listener_patience_s': 5.0,
        'echo_cancellation': 'off',
    }


def test_overrides_of_another_type_are_read_in_their_own(ros):
    overrides = [Parameter('device', value=2), Parameter('echo_cancellation', value=False)]
    node = ros.add(AudioCaptureNode(parameter_overrides=overrides))
    assert (node.param('device'), node.param('echo_cancellation')) == ('2', 'off')
    assert node.get_parameter('device').value == '2'


def test_a_description_tells_which_parameters_need_a_new_configuration():
    live, fixed = Param('a', 1, 'A.', live=True), Param('b', 1, 'B.')
    assert live.descriptor().description == 'A.'
    assert fixed.descriptor().description == 'B. Read when the node is configured.'


def test_a_parameter_changes_while_the_node_is_not_configured(ros):
    node = ros.add(AudioCaptureNode())
    (wrong,) = node.set_parameters([Parameter('source', value='radio')])
    assert not wrong.successful
    assert 'one of device, wav, topic, silence' in wrong.reason
    (right,) = node.set_parameters([Parameter('source', value='silence')])
    assert right.successful
    assert node.trigger_configure() == TransitionCallbackReturn.SUCCESS
    (late,) = node.set_parameters([Parameter('source', value='wav')])
    assert not late.successful
    assert 'clean it up first' in late.reason
