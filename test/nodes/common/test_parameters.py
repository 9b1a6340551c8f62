import pytest
from every_node import NODES
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.parameter import Parameter

from kame_ros.audio.devices.device_stream import DeviceConfig
from kame_ros.audio.echo.canceller import EchoConfig
from kame_ros.audio.playout.player import PlayerConfig
from kame_ros.graph.description import SHORTCUTS, NodeSpec, config_names, load_graph
from kame_ros.nodes.audio_capture_node import AudioCaptureNode
from kame_ros.nodes.audio_playback_node import AudioPlaybackNode
from kame_ros.nodes.common.base import NICENESS
from kame_ros.nodes.common.parameters import descriptor, refuse_unknown
from kame_ros.nodes.common.tables import problems
from kame_ros.nodes.oracle_node import OracleNode
from kame_ros.nodes.s2s_node import S2SNode
from kame_ros.nodes.s2s_slots_node import S2SSlotsNode
from kame_ros.nodes.stt_node import SttNode
from kame_ros.oracle.conversation.prompt import PromptConfig
from kame_ros.oracle.llm.backend_names import BackendNames
from kame_ros.oracle.policy.config import PolicyConfig
from kame_ros.s2s.front_ends import of_others
from kame_ros.s2s.moshi.config import MoshiConfig
from kame_ros.s2s.tts.config import TtsConfig, VoiceConfig
from kame_ros.settings.param import BadParameter, Param, filled
from kame_ros.stt import engines
from kame_ros.stt.config import TranscriberConfig

STEP = Param('step_s', 0.5, 'A step.', low=0.1, high=10.0)
SOURCE = Param('source', 'wav', 'A source.', choices=('wav', 'device'))


def test_a_parameter_that_does_not_exist_is_refused_with_the_nearest():
    with pytest.raises(BadParameter, match='no parameter stpe_s; did you mean step_s'):
        refuse_unknown({'stpe_s'}, (STEP, SOURCE))
    refuse_unknown({'use_sim_time', 'qos_overrides./x.depth', 'source'}, (STEP, SOURCE))


@pytest.mark.parametrize(
    ('front_end', 'given', 'says'),
    [
        ('tts', 'small.take_back_s', 'did you mean tts.take_back_s?'),
        ('small', 'small.take_back_s', 'there are small.weights, small.silent_above'),
        ('small', 'small.quicknes', 'did you mean small.quickness?'),
        ('small', 'quicknes', 'did you mean small.quickness?'),
        ('moshi', 'moshi.quicknes', 'did you mean moshi.quickness?'),
        ('tts', 'front_ent', 'did you mean front_end?'),
    ],
)
def test_a_hint_leads_to_what_counts(front_end, given, says):
    spec = NodeSpec('s2s', {'front_end': front_end, given: '1'})
    (sentence,) = problems(spec)
    assert sentence.startswith(f'there is no parameter {given}; {says}')
    others = {'tts.', 'small.', 'moshi.'} - {f'{front_end}.'}
    assert not any(f' {other}' in sentence.partition(';')[2] for other in others)


def test_which_parameters_are_of_another_front_end():
    names = ['tts.voice', 'small.speak', 'moshi.seed', 'front_end', 'hold_s']
    assert of_others(names, 'tts') == ['small.speak', 'moshi.seed']
    assert of_others(names, 'mine') == names[:3]
    assert not S2SNode.idle_parameters({'front_end': 'tts'}).count('tts.voice')


def test_a_parameter_of_another_front_end_is_told_when_it_is_configured(ros, caplog):
    given = {'small.speak': 'always', 'tts.end_of_turn': 'nobody', 'hold_s': 0.5}
    overrides = [Parameter(name, value=value) for name, value in given.items()]
    node = ros.add(S2SNode(parameter_overrides=overrides))
    node.trigger_configure()
    assert 'no end-of-turn strategy' in node.fault
    assert node.totals()['bad_setting'] == 1
    told = [(r.name, r.getMessage()) for r in caplog.records if 'nothing' in r.getMessage()]
    # A node is run as __main__, whose log nobody would hear.
    where = 'kame_ros.nodes.robot.front_ends'
    assert told == [(where, 'small.speak does nothing: the front-end is tts')]


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


@pytest.mark.parametrize(
    ('make', 'name', 'value', 'says'),
    [
        (AudioCaptureNode, 'source', 'devise', "^source is .*did you mean 'device'"),
        (SttNode, 'min_silence_s', 0.0, '^min_silence_s is between 0.2 and 5.0, not 0.0$'),
        (S2SNode, 'tts.end_of_turn_s', -1.0, '^tts.end_of_turn_s is between 0.1 and 600.0, not -1'),
        (OracleNode, 'max_words', 0, '^max_words is between 1 and 500, not 0$'),
        (S2SNode, 'moshi.slots', 0, '^moshi.slots is at least 1, not 0$'),
        (S2SNode, 'moshi.mode', 'lifo', '^moshi.mode is one of fifo, positional, not .lifo.'),
    ],
)
def test_a_node_refuses_a_wrong_parameter_at_its_start(ros, make, name, value, says):
    with pytest.raises(BadParameter, match=says):
        make(parameter_overrides=[Parameter(name, value=value)])


CONFIGURATIONS = [(engines.EngineSettings, '', SttNode), (TranscriberConfig, '', SttNode)]
CONFIGURATIONS += [(c, 'tts.', S2SNode) for c in (VoiceConfig, TtsConfig)]
CONFIGURATIONS += [(c, '', OracleNode) for c in (BackendNames, PolicyConfig, PromptConfig)]
CONFIGURATIONS += [(c, '', AudioCaptureNode) for c in (DeviceConfig, EchoConfig)]
CONFIGURATIONS += [(c, '', AudioPlaybackNode) for c in (DeviceConfig, PlayerConfig)]
CONFIGURATIONS += [(MoshiConfig, 'moshi.', node) for node in (S2SNode, S2SSlotsNode)]


@pytest.mark.parametrize(('config', 'prefix', 'node'), CONFIGURATIONS)
def test_what_is_not_set_is_what_the_configuration_itself_has(config, prefix, node):
    values = {row.name: row.default for row in node.PARAMETERS}
    assert filled(config, values.__getitem__, prefix) == config()
    assert {row.name for row in Param.of(config, prefix)} <= values.keys()


def test_no_node_has_two_parameters_of_one_name():
    for node in NODES.values():
        names = [row.name for row in node.PARAMETERS]
        assert sorted(set(names)) == sorted(names)


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
    assert descriptor(live).description == 'A.'
    assert descriptor(fixed).description == 'B. Read when the node is configured.'
    assert descriptor(STEP).additional_constraints == 'between 0.1 and 10.0 s'


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
