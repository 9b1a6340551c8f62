"""What is typed after --ros-args reaches a node as it was typed, through ROS's own parser."""

import gc
import os
import subprocess
import sys
import tempfile

import pytest
import rclpy

from kame_ros.nodes.common.base import KameNode
from kame_ros.nodes.common.ros_arguments import quoted
from kame_ros.settings.param import BadParameter, Param


class FakeNode(KameNode):
    PARAMETERS = (
        Param('text', 'x', 'A text.'),
        Param('kind', 'auto', 'A choice.', choices=('auto', 'on', 'off')),
        Param('switch', False, 'A switch.'),
        Param('count', 3, 'A count.', low=0, high=2000),
        Param('length', 1.5, 'A length.', low=0.0, high=2000.0),
        Param('names', ['a'], 'Some names.'),
        Param('inner.text', 'y', 'A text.'),
    )


TEXTS = [
    '2',
    'no',
    'on',
    'off',
    'y',
    '1e3',
    '007',
    '1.50',
    'true',
    'null',
    '~',
    '[',
    '@home',
    '&',
    '*',
    '%',
    '#',
    ':',
    '-',
    '{',
]
TEXTS += ['', '@home robot', 'You are Kim: a robot', '"x', "it's", 'a # b', ' x ', 'ß', 'a\tb']


@pytest.fixture
def node():
    """Makes a node of the arguments of a process, and gives its parameters."""
    contexts = []

    def make(*args, overrides=None):
        names = {param.name for param in FakeNode.PARAMETERS}
        context = rclpy.Context()
        contexts.append(context)
        with quoted(['program', '--ros-args', *args], names) as rewritten:
            rclpy.init(args=rewritten, context=context)
        node = FakeNode('fake', context=context)
        values = {param.name: node.param(param.name) for param in FakeNode.PARAMETERS}
        stored = {name: node.get_parameter(name).value for name in values}
        for name, value in values.items():
            assert type(stored[name]) is type(value) or isinstance(value, list)
        node.end()
        node.diagnostics.close()
        node.destroy_node()
        # A node is part of cycles. Where many wait to be collected, and find each other meanwhile,
        # Fast DDS now and then never comes back from removing one.
        del node
        gc.collect()
        return values

    yield make
    for context in contexts:
        rclpy.shutdown(context=context)


@pytest.mark.parametrize('text', TEXTS)
def test_a_text_on_the_command_line(node, text):
    assert node('-p', f'text:={text}')['text'] == text


def test_all_texts_in_a_file(node, tmp_path):
    """Those that YAML can hold unquoted."""
    file = tmp_path / 'p.yaml'
    for text in ('2', 'no', 'on', 'off', 'y', '1e3', '007', '1.50', 'true', 'null', '', 'x y'):
        file.write_text(f'/**: {{ros__parameters: {{text: {text}, inner: {{text: {text}}}}}}}')
        values = node('--params-file', str(file))
        assert (values['text'], values['inner.text']) == (text, text)


@pytest.mark.parametrize(
    ('name', 'typed', 'value'),
    [
        ('kind', 'off', 'off'),
        ('kind', 'on', 'on'),
        *(('switch', word, True) for word in ('true', 'True', '1', 'yes', 'on', 'TRUE')),
        ('count', '007', 7),
        ('count', '1e3', 1000),
        ('count', '5.0', 5),
        ('length', '2', 2.0),
        ('length', '1e3', 1000.0),
        ('length', '.5', 0.5),
        ('names', '[a, b]', ['a', 'b']),
        ('names', "['a', 'b']", ['a', 'b']),
        ('names', 'b', ['b']),
        ('text', '"007"', '007'),  # quoted, as other nodes of ROS need it
        ('text', "'off'", 'off'),
    ],
)
def test_values_of_all_types_from_both(node, tmp_path, name, typed, value):
    file = tmp_path / 'p.yaml'
    file.write_text(f'fake: {{ros__parameters: {{{name}: {typed}}}}}')
    assert node('-p', f'{name}:={typed}')[name] == value
    assert node('--params-file', str(file))[name] == value
    assert node('--param', f'fake:{name}:={typed}')[name] == value
    assert node('-p', f'other:{name}:={typed}')[name] != value


def test_the_nodes_own_section_outranks_what_is_for_all(node, tmp_path):
    file = tmp_path / 'p.yaml'
    file.write_text(
        '/**: {ros__parameters: {text: all, count: 1, unknown: 2}}\n'
        '/**/fake: {ros__parameters: {text: own, kind: off}}\n'
    )
    values = node('--params-file', str(file))
    assert (values['text'], values['count'], values['kind']) == ('own', 1, 'off')


def test_a_misspelt_name_is_refused_where_it_is_meant_for_this_node(node, tmp_path):
    file = tmp_path / 'p.yaml'
    file.write_text('/**/fake: {ros__parameters: {txet: x}}')
    with pytest.raises(BadParameter, match='did you mean text'):
        node('--params-file', str(file))
    with pytest.raises(BadParameter, match='did you mean text'):
        node('-p', 'txet:=x')


@pytest.mark.parametrize('word', ['True', '1', 'yes', 'on'])
def test_ros_own_switches_are_read_in_any_spelling(word):
    with quoted(['--ros-args', '-p', f'use_sim_time:={word}'], set()) as args:
        assert args[-1] == 'use_sim_time:=true'


def test_the_folder_of_a_process_that_is_killed_is_removed_by_the_next(tmp_path, monkeypatch):
    code = (
        'import os; from kame_ros.nodes.common.ros_arguments import quoted\n'
        'with quoted([], set()): os.kill(os.getpid(), 9)'
    )
    subprocess.run([sys.executable, '-c', code], env={**os.environ, 'TMPDIR': str(tmp_path)})
    (left,) = tmp_path.iterdir()
    monkeypatch.setattr(tempfile, 'tempdir', str(tmp_path))
    with quoted([], set()):
        (own,) = tmp_path.iterdir()
        assert own != left
    assert not list(tmp_path.iterdir())


def test_what_is_not_for_ros_is_left_alone(tmp_path):
    args = ['x', '-p', 'text:=no', '--ros-args', '-r', 'text:=y', '--', '-p', 'text:=no']
    with quoted(args, {'text'}) as rewritten:
        assert rewritten == args
