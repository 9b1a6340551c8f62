import pytest
import yaml

from kame_ros.graph import description as graph
from kame_ros.graph.description import load_graph
from kame_ros.graph.names import BadConfig


def written(tmp_path, text):
    path = tmp_path / 'mine.yaml'
    path.write_text(text)
    return str(path)


def test_the_default_brings_up_the_ear_last():
    assert load_graph().names == graph.BRING_UP_ORDER


@pytest.mark.parametrize('name', graph.config_names())
def test_every_configuration_is_a_graph(name):
    names = set(load_graph(name).names)
    server, body = 's2s_slots' in names, {'audio_capture', 'audio_playback'} <= names
    assert server != body  # a speech model for robots elsewhere, or a robot
    assert ('s2s' in names) == (body and name != 'kame-robot')


def test_overrides_outrank_the_file_and_leave_the_rest():
    loaded = load_graph(overrides={'stt': {'model': 'whisper-tiny.en'}})
    stt = next(node for node in loaded.nodes if node.name == 'stt')
    assert stt.parameters['model'] == 'whisper-tiny.en'
    assert stt.parameters['language'] == 'en'


def test_names_follow_the_namespace():
    assert load_graph(namespace='/r1/').path('audio/mic') == '/r1/audio/mic'
    assert load_graph(namespace='').path('stt') == '/stt'


def test_nested_parameters_get_their_dotted_names(tmp_path):
    path = written(tmp_path, '/**/s2s: {ros__parameters: {tts: {speed: 1.5, voice: x}, a: 1}}')
    (node,) = load_graph(path).nodes
    assert node.parameters == {'tts.speed': 1.5, 'tts.voice': 'x', 'a': 1}
    again = yaml.safe_load(graph.parameter_file(node))
    assert again == {'/**/s2s': {'ros__parameters': dict(node.parameters)}}


@pytest.mark.parametrize(
    ('config', 'says'),
    [
        ('tandm', 'did you mean tandem'),
        ('/nowhere/x.yaml', 'there is no file'),
    ],
)
def test_a_configuration_that_is_not_there(config, says):
    with pytest.raises(BadConfig, match=says):
        load_graph(config)


@pytest.mark.parametrize('text', ['', '[1, 2]', 'stt: {a: 1}', '{', 'stt: 3'])
def test_a_file_that_is_no_parameter_file(tmp_path, text):
    with pytest.raises(BadConfig, match='mine'):
        load_graph(written(tmp_path, text))


def test_an_override_of_a_node_that_is_not_there():
    with pytest.raises(BadConfig, match='has no node radar'):
        load_graph(overrides={'radar': {'a': 1}})


@pytest.mark.parametrize(
    ('text', 'parsed'),
    [
        ('stt.step_s=0.4', ('stt', 'step_s', 0.4)),
        ('s2s.tts.voice=hibari', ('s2s', 'tts.voice', 'hibari')),
        ('oracle.backend=ollama:x@http://a:1', ('oracle', 'backend', 'ollama:x@http://a:1')),
        ('oracle.answer_partials=false', ('oracle', 'answer_partials', False)),
    ],
)
def test_overrides_are_read_as_ros_reads_them(text, parsed):
    assert graph.parse_override(text) == parsed


@pytest.mark.parametrize(
    'text',
    ['2', 'no', 'on', 'y', '1e3', '007', '@home robot', 'You are Kim: a robot', '[', '', '"x', '='],
)
def test_an_override_reaches_the_file_as_it_was_typed(text):
    node, parameter, value = graph.parse_override(f'oracle.persona={text}')
    spec = load_graph(overrides={node: {parameter: value}}).nodes[2]
    assert spec.name == 'oracle'
    written = yaml.safe_load(graph.parameter_file(spec))['/**/oracle']['ros__parameters']
    assert str(written['persona']) == text


def test_overrides_can_be_several_of_one_node():
    given = graph.parse_overrides(['stt.model=a', 'stt.beam=3', 'oracle.persona=b'])
    assert given == {'stt': {'model': 'a', 'beam': 3}, 'oracle': {'persona': 'b'}}


def test_an_override_that_is_no_text(tmp_path):
    with pytest.raises(BadConfig, match='no text'):
        graph.parse_override('oracle.persona=\udcff')


@pytest.mark.parametrize('text', ['stt', 'stt.model', 'model=x', '=', '.a=1'])
def test_an_override_of_another_form(text):
    with pytest.raises(BadConfig, match='of the form'):
        graph.parse_override(text)


def test_shortcuts_set_what_is_given():
    given = {'front_end': 'moshi', 'stt_model': ''}
    assert graph.shortcut_overrides(given) == {'s2s': {'front_end': 'moshi'}}


def test_a_file_for_all_nodes_changes_the_default_graph(tmp_path):
    path = written(tmp_path, '/**: {ros__parameters: {niceness: 5, language: no}}')
    loaded = load_graph(path)
    assert loaded.names == graph.BRING_UP_ORDER
    for spec in loaded.nodes:
        told = yaml.safe_load(graph.parameter_file(spec))
        assert told['/**']['ros__parameters'] == {'niceness': 5, 'language': 'no'}
    stt = next(node for node in loaded.nodes if node.name == 'stt')
    assert stt.parameters['language'] == 'no'  # it outranks what the default says
    assert stt.parameters['model'] == 'whisper-base'


def test_a_section_for_all_beside_nodes_is_outranked_by_theirs(tmp_path):
    text = 'stt: {ros__parameters: {a: 1}}\n/**: {ros__parameters: {a: 2, b: 3}}'
    (spec,) = load_graph(written(tmp_path, text)).nodes
    assert spec.parameters == {'a': 1}
    assert spec.for_all == {'a': 2, 'b': 3}


def test_robots_of_one_file_are_told_apart_by_their_namespaces(tmp_path):
    text = '/r1/s2s: {ros__parameters: {a: 1}}\n/r2/s2s: {ros__parameters: {a: 2}}'
    path = written(tmp_path, text)
    for namespace, value in (('r1', 1), ('/r2/', 2)):
        (spec,) = load_graph(path, namespace=namespace).nodes
        assert spec.parameters == {'a': value}
    with pytest.raises(BadConfig, match='has no node in /robot, only /r1/s2s, /r2/s2s'):
        load_graph(path)


def test_a_parameter_file_outranks_the_configuration_and_may_know_other_nodes(tmp_path):
    text = """
    /**: {ros__parameters: {model: all}}
    /robot/stt: {ros__parameters: {language: "on"}}
    /robot/wheels: {ros__parameters: {speed: 1}}
    """
    loaded = load_graph(params_file=written(tmp_path, text), overrides={'stt': {'model': 'mine'}})
    stt = next(node for node in loaded.nodes if node.name == 'stt')
    assert (stt.parameters['language'], stt.parameters['model']) == ('on', 'mine')
    assert loaded.names == graph.BRING_UP_ORDER


def test_a_graph_in_a_namespace_that_is_none():
    with pytest.raises(BadConfig, match='such as my_robot'):
        load_graph(namespace='my-robot')
