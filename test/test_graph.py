import pytest
import yaml

from kame_ros import graph
from kame_ros.graph import BadConfig, load_graph


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


@pytest.mark.parametrize('text', ['stt', 'stt.model', 'model=x', '=', '.a=1'])
def test_an_override_of_another_form(text):
    with pytest.raises(BadConfig, match='of the form'):
        graph.parse_override(text)


def test_shortcuts_set_what_is_given():
    given = {'front_end': 'moshi', 'stt_model': ''}
    assert graph.shortcut_overrides(given) == {'s2s': {'front_end': 'moshi'}}
