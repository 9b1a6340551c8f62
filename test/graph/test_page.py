"""The page as part of a graph: one word asks for it, on the command line and in the launch file."""

import pytest

from kame_ros.cli import make_parser
from kame_ros.commands.bring_up import load
from kame_ros.graph.names import BadConfig
from kame_ros.graph.page import page_link, page_mode, page_parameters


@pytest.mark.parametrize(
    ('word', 'mode'),
    [('', ''), ('false', ''), ('Off', ''), ('true', 'show'), ('show', 'show'), (' TALK ', 'talk')],
)
def test_words(word, mode):
    assert page_mode(word) == mode


def test_another_word_is_refused():
    with pytest.raises(BadConfig, match='talk or false'):
        page_mode('maybe')


def graph(*words):
    return load(make_parser().parse_args(['up', *words]))


def parameters(graph, name):
    return next(node.parameters for node in graph.nodes if node.name == name)


def test_without_it_there_is_no_node():
    assert page_parameters('') == {}
    assert 'page' not in graph().names


def test_a_page_that_shows_leaves_the_ear_alone():
    shown = graph('--page')
    assert 'page' in shown.names
    assert parameters(shown, 'page') == {'talk': False}
    assert parameters(shown, 'audio_capture')['source'] == 'device'


def test_a_page_to_talk_through_is_the_ear_and_the_mouth():
    talk = graph('--page', 'talk', '--page-host', '0.0.0.0')
    assert parameters(talk, 'page') == {'talk': True, 'host': '0.0.0.0'}
    assert parameters(talk, 'audio_capture')['source'] == 'topic'
    assert parameters(talk, 'audio_playback')['sink'] == 'null'


def test_what_is_set_outranks_it():
    talk = graph('--page', 'talk', '--set', 'audio_playback.sink=device', '--set', 'page.port=9000')
    assert parameters(talk, 'audio_playback')['sink'] == 'device'
    assert parameters(talk, 'page')['port'] == 9_000


def test_the_token_is_where_no_server_is_told_of_it():
    assert page_link('http://127.0.0.1:8100/', 'abc') == 'http://127.0.0.1:8100/#abc'
