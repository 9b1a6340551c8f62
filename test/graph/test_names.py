import pytest

from kame_ros.graph import names
from kame_ros.graph.names import BadConfig


@pytest.mark.parametrize(
    ('namespace', 'better'),
    [
        ('my-robot', 'my_robot'),
        ('1st', 'r1st'),
        ('a b', 'a_b'),
        ('a//b', 'a/b'),
        ('räuber', 'r_uber'),
    ],
)
def test_a_namespace_that_ros_would_refuse(namespace, better):
    with pytest.raises(BadConfig, match=f'is no namespace.*such as {better}$'):
        names.check_namespace(namespace)


@pytest.mark.parametrize('namespace', ['', '/', 'robot', '/robot/', '/fleet/r1', '_x'])
def test_namespaces(namespace):
    names.check_namespace(namespace)


@pytest.mark.parametrize(
    ('text', 'domain'), [('', None), (' ', None), ('0', 0), (' 7 ', 7), ('232', 232)]
)
def test_domains(text, domain):
    assert names.check_domain(text) == domain


@pytest.mark.parametrize('text', ['abc', '-1', '233', '1.5', '٣', '²', '0x1', '1 2'])
def test_what_is_no_domain(text):
    with pytest.raises(BadConfig, match='ROS_DOMAIN_ID is a number from 0 to 232'):
        names.check_domain(text)


def test_discovery():
    assert names.check_discovery('subnet') == 'SUBNET'
    with pytest.raises(BadConfig, match='LOCALHOST keeps them on this machine'):
        names.check_discovery('OFF')
    with pytest.raises(BadConfig, match='one of LOCALHOST'):
        names.check_discovery('everywhere')


def test_launch_arguments_that_mean_true_or_false():
    assert [names.switch(word, 'x') for word in ('True', '1', 'yes', 'on', 'TRUE')] == [True] * 5
    assert [names.switch(word, 'x') for word in ('False', '0', 'no', 'off')] == [False] * 4
    with pytest.raises(BadConfig, match="autostart is true or false, not 'maybe'"):
        names.switch('maybe', 'autostart')


@pytest.mark.parametrize(
    ('text', 'paths'),
    [
        ('', []),
        (' , ', []),
        ('s2s', ['/robot/s2s']),
        ('s2s, stt,/kame_7', ['/robot/s2s', '/robot/stt', '/kame_7']),
        ('/other/stt', ['/other/stt']),
    ],
)
def test_nodes_by_name(text, paths):
    assert names.node_paths(text, '/robot') == paths


def test_a_node_of_the_empty_namespace():
    assert names.node_paths('stt', '/') == ['/stt']


@pytest.mark.parametrize('text', ['2', '1.0', 's2s,3', 'stt/', 'my-node', '[s2s, stt]', '/', '//'])
def test_what_is_no_name_of_a_node(text):
    with pytest.raises(BadConfig, match='is no name of a node, such as s2s'):
        names.node_paths(text, '/robot')
