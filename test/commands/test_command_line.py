"""The command line: its own examples, and what it says to what cannot be."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from kame_ros import cli
from kame_ros.graph import load_graph, parse_override
from kame_ros.nodes.audio_capture_node import AudioCaptureNode
from kame_ros.nodes.audio_playback_node import AudioPlaybackNode
from kame_ros.nodes.base import NICENESS
from kame_ros.nodes.oracle_node import OracleNode
from kame_ros.nodes.s2s_node import S2SNode
from kame_ros.nodes.s2s_slots_node import S2SSlotsNode
from kame_ros.nodes.stt_node import SttNode
from kame_ros.oracle.backend import parse_backend

ROOT = Path(__file__).parents[2]
TABLES = {
    'audio_capture': AudioCaptureNode,
    'audio_playback': AudioPlaybackNode,
    'oracle': OracleNode,
    's2s': S2SNode,
    's2s_slots': S2SSlotsNode,
    'stt': SttNode,
}
README = (ROOT / 'README.md').read_text()
EXAMPLES = [
    line.strip()
    for text in (cli.make_parser().format_help(), README)
    for line in text.splitlines()
    if re.match(r'\s*(\.venv/bin/)?kame (up|ask|say|doctor|devices)\b', line)
]


def test_there_are_examples():
    assert len(EXAMPLES) >= 8


@pytest.mark.parametrize('line', EXAMPLES)
def test_every_example_is_taken(line):
    words = shlex.split(re.sub(r'  +\S.*$', '', line), comments=True)
    args = cli.make_parser().parse_args(words[1:])
    for text in getattr(args, 'set', []):
        node, name, value = parse_override(text)
        assert node in load_graph(args.config).names
        param = next(p for p in (*TABLES[node].PARAMETERS, NICENESS) if p.name == name)
        checked = param.checked(value)
        if (node, name) == ('oracle', 'backend'):
            parse_backend(checked)


def kame(*args, **env):
    return subprocess.run(
        [sys.executable, '-m', 'kame_ros.cli', *args],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ('args', 'env', 'says'),
    [
        (['up', '--namespace', 'my-robot'], {}, 'no namespace: .* such as my_robot'),
        (['say', '--namespace', 'my-robot', 'x'], {}, 'no namespace'),
        (['up', '--domain', 'x'], {}, "--domain is a number from 0 to 232, not 'x'"),
        (['up', '--discovery', 'OFF'], {}, 'do not find each other'),
        (['up'], {'ROS_DOMAIN_ID': '²'}, 'ROS_DOMAIN_ID is a number'),
        (['say', 'x'], {'ROS_DOMAIN_ID': 'abc'}, 'ROS_DOMAIN_ID is a number'),
        (['up'], {'RMW_IMPLEMENTATION': 'rmw_no_cpp'}, 'rmw_no_cpp, which is not installed'),
        (['say', 'x'], {'RMW_IMPLEMENTATION': 'rmw_no_cpp'}, 'rmw_no_cpp, which is not installed'),
        (['up', '--set', 'stt.model'], {}, 'not of the form'),
        (['up', '--config', '/dev/null'], {}, 'there is no file /dev/null'),
        (['up', '--params-file', '/nowhere.yaml'], {}, '/nowhere.yaml cannot be read'),
    ],
)
def test_what_cannot_be_is_one_sentence(args, env, says):
    done = kame(*args, **env)
    assert done.returncode in (1, 2)
    text = ' '.join(done.stderr.split())
    assert re.search(says, text), text
    assert text.startswith('error: ')
    assert 'Traceback' not in text


def test_a_node_says_what_is_wrong_before_ros_does():
    for env, says in (
        ({'RMW_IMPLEMENTATION': 'rmw_no_cpp'}, 'rmw_no_cpp, which is not installed'),
        ({'ROS_DOMAIN_ID': 'abc'}, 'ROS_DOMAIN_ID is a number'),
    ):
        done = subprocess.run(
            [sys.executable, '-m', 'kame_ros.nodes.bridge_node'],
            env={**os.environ, **env},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 2
        assert done.stderr.startswith('error: ')
        assert says in done.stderr
        assert done.stderr.count('\n') == 1


@pytest.mark.parametrize('value', ['nan', 'inf', '-1', '1e300', 'soon'])
@pytest.mark.parametrize(
    'words', [('up', '--patience'), ('up', '--for'), ('say', 'hi', '--patience')]
)
def test_what_is_no_time_is_refused_in_words(words, value, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main([*words[:-1], f'{words[-1]}={value}'])
    assert ended.value.code == 2
    assert 'no number of seconds' in capsys.readouterr().err


@pytest.mark.parametrize('value', ['99999999999', '-99999999999', '1.5', 'high'])
def test_a_priority_that_no_goal_can_bear_is_refused_in_words(value, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(['say', 'hi', f'--priority={value}'])
    assert ended.value.code == 2
    assert 'no whole number of 32 bits' in capsys.readouterr().err
