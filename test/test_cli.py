"""The command line: its own examples, and what it says to what cannot be."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from kame_ros import cli
from kame_ros.graph.description import DEFAULT_CONFIG, load_graph, parse_override
from kame_ros.nodes.audio_capture_node import AudioCaptureNode
from kame_ros.nodes.audio_playback_node import AudioPlaybackNode
from kame_ros.nodes.common.base import NICENESS
from kame_ros.nodes.oracle_node import OracleNode
from kame_ros.nodes.page_node import PageNode
from kame_ros.nodes.s2s_node import S2SNode
from kame_ros.nodes.s2s_slots_node import S2SSlotsNode
from kame_ros.nodes.stt_node import SttNode
from kame_ros.oracle.llm.backend import parse_backend

ROOT = Path(__file__).parents[1]
TABLES = {
    'audio_capture': AudioCaptureNode,
    'audio_playback': AudioPlaybackNode,
    'oracle': OracleNode,
    'page': PageNode,
    's2s': S2SNode,
    's2s_slots': S2SSlotsNode,
    'stt': SttNode,
}
PAGES = [ROOT / 'README.md', *sorted(ROOT.glob('docs/*.md'))]
EXAMPLES = [
    line.strip()
    for text in (cli.make_parser().format_help(), *(page.read_text() for page in PAGES))
    for line in re.sub(r'\\\n\s*', ' ', text).splitlines()
    if re.match(r'\s*(\.venv/bin/)?kame (up|ask|say|get|doctor|devices|eval)\b', line)
]


def test_there_are_examples():
    assert len(EXAMPLES) >= 8


@pytest.mark.parametrize('line', EXAMPLES)
def test_every_example_is_taken(line):
    words = shlex.split(re.sub(r'  +\S.*$', '', line), comments=True)
    args = cli.make_parser().parse_args(words[1:])
    for text in getattr(args, 'set', []):
        node, name, value = parse_override(text)
        names = load_graph(args.config or DEFAULT_CONFIG).names
        assert node in (*names, 'page' if getattr(args, 'page', '') else '')
        param = next(p for p in (*TABLES[node].PARAMETERS, NICENESS) if p.name == name)
        checked = param.checked(value)
        if (node, name) == ('oracle', 'backend'):
            parse_backend(checked)


@pytest.mark.parametrize(
    'command', ['ask', 'up', 'conduct', 'say', 'get', 'doctor', 'devices', 'train']
)
def test_help_names_every_default_in_words(command, capsys):
    with pytest.raises(SystemExit):
        cli.main([command, '--help'])
    told = ' '.join(capsys.readouterr().out.split())
    assert not re.findall(r'default: (?:None|False|0|)\)', told)


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


def doctor_to(stdout):
    """What `kame doctor --json` does, which prints to `stdout`."""
    return subprocess.run(
        [sys.executable, '-m', 'kame_ros.cli', 'doctor', '--json'],
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.skipif(not Path('/dev/full').exists(), reason='no /dev/full')
def test_a_full_disk_behind_what_is_printed_is_one_sentence():
    with open('/dev/full', 'w') as full:
        done = doctor_to(full)
    assert done.returncode == 1
    said = 'error: nothing more can be written: No space left on device'
    assert done.stderr.splitlines()[-1] == said
    assert 'Traceback' not in done.stderr


def test_who_reads_no_further_ends_it_without_a_word():
    read, write = os.pipe()
    os.close(read)
    done = doctor_to(write)
    os.close(write)
    assert done.returncode == 141  # as of a program that SIGPIPE ends
    assert 'Error' not in done.stderr


def test_a_terminal_of_another_encoding_is_written_to():
    done = kame('get', 'Straße…', PYTHONIOENCODING='ascii', PYTHONUTF8='0')
    assert done.returncode == 1
    assert 'Stra\\xdfe\\u2026' in done.stderr
    assert 'Traceback' not in done.stderr


@pytest.mark.parametrize('command', ['ask', 'show', 'replay'])
def test_an_empty_name_is_no_directory(command, capsys):
    with pytest.raises(SystemExit):
        cli.main([command, ''])
    assert 'the name of a file is empty' in capsys.readouterr().err


@pytest.mark.parametrize('command', ['up', 'conduct'])
@pytest.mark.parametrize(
    'given',
    [
        ['--set', '=1'],
        ['--set', 'stt=1'],
        ['--set', ''],
        ['--set', '—.—=—'],
        ['--set', 'nobody.x=1'],
        ['--config', 'tandom'],
        ['--namespace', 'my-robot'],
        ['--discovery', 'OFF'],
        ['--domain', '-1'],
        ['--params-file', '~nobody-here/x.yaml'],
    ],
)
def test_wrong_arguments_have_an_exit_status_of_their_own(command, given):
    done = kame(command, *given)
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith('error: ')
    assert 'Traceback' not in done.stderr


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
    assert 'no number from 0 to 1,000,000,000' in capsys.readouterr().err


@pytest.mark.parametrize('value', ['99999999999', '-99999999999', '1.5', 'high'])
def test_a_priority_that_no_goal_can_bear_is_refused_in_words(value, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(['say', 'hi', f'--priority={value}'])
    assert ended.value.code == 2
    assert 'no whole number of 32 bits' in capsys.readouterr().err
