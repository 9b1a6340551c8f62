"""What the benchmarks refuse before they begin."""

import os
import re
import subprocess
import sys
from argparse import ArgumentTypeError
from pathlib import Path

import option_types
import pytest

FOLDER = Path(option_types.__file__).parent


def test_a_file_that_can_be_written_is_taken_and_nothing_made(tmp_path):
    path = tmp_path / 'deep' / 'x.json'
    assert option_types.writable(str(path)) == path
    assert not path.parent.exists()
    path.parent.mkdir()
    path.write_text('')
    assert option_types.writable(str(path)) == path


@pytest.mark.parametrize('name', ['', 'file/x.json'])
def test_a_file_that_cannot_be_written_is_refused(name, tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(ArgumentTypeError, match=r'is a folder|cannot be written'):
        option_types.writable(str(tmp_path / name))


def test_a_folder_is_made_or_refused(tmp_path):
    assert option_types.made_folder(str(tmp_path / 'a/b')).is_dir()
    (tmp_path / 'file').write_text('')
    with pytest.raises(ArgumentTypeError, match='file'):
        option_types.made_folder(str(tmp_path / 'file/x'))


@pytest.mark.parametrize(
    ('read', 'text', 'reason'),
    [
        (option_types.whisper_model, 'nonsense', "no weights called 'nonsense'"),
        (option_types.configuration, 'nothere', 'nothere'),
        (option_types.some_of(('a', 'b')), 'a,c', "'c' is none of a, b"),
        (option_types.some_of(('a', 'b')), '', "'' is none of a, b"),
    ],
)
def test_a_name_that_means_nothing_is_refused(read, text, reason):
    with pytest.raises(ArgumentTypeError, match=reason):
        read(text)


@pytest.mark.parametrize(
    ('read', 'text', 'reason'),
    [
        (option_types.decibels, 'nan', 'neither -40 to 100 dB'),
        (option_types.decibels, '-inf', 'neither -40 to 100 dB'),
        (option_types.decibels, 'loud', "nor 'clean'"),
        (option_types.in_minutes, '1e30', 'is more than 10000'),
        (option_types.in_minutes, '0', 'no number above 0'),
        (option_types.in_seconds, 'inf', 'no number above 0'),
        (option_types.seconds_or_none, '-0.1', 'no number from 0 on'),
        (option_types.how_often(), '0', 'no whole number from 1 on'),
        (option_types.how_often(), '9' * 5_000, 'no whole number'),
        (option_types.how_often(0), '99999999999', 'is more than 1e'),
        (option_types.readable, '/nowhere', '/nowhere is no file'),
        (option_types.readable, '/', '/ is no file'),
    ],
)
def test_a_number_that_nothing_can_be_measured_with_is_refused(read, text, reason):
    with pytest.raises(ArgumentTypeError, match=reason):
        read(text)


def test_numbers_that_can_be_are_taken():
    assert option_types.decibels('clean') is None
    assert option_types.decibels('-5') == -5.0
    assert option_types.in_minutes('0.5') == 0.5
    assert option_types.seconds_or_none('0') == 0.0
    assert (option_types.how_often()('1'), option_types.how_often(0)('0')) == (1, 0)


NUMBER = re.compile(r'type=(?:int|float|whole|above_zero|from_zero|lambda)\b')


def test_no_option_of_a_benchmark_reads_a_number_without_limits():
    files = sorted(FOLDER.glob('*.py'))
    assert len(files) > 20
    assert [path.name for path in files if NUMBER.search(path.read_text())] == []


def test_names_that_mean_something_are_taken(tmp_path):
    assert option_types.some_of(('a', 'b', 'c'))('a,c') == ['a', 'c']
    assert option_types.configuration('tandem') == 'tandem'
    assert option_types.whisper_model(str(tmp_path)) == str(tmp_path)


def run(*arguments, path=()):
    """What a benchmark says, with folders before all others in which Python looks for modules."""
    paths = [*path, FOLDER.parent, *filter(None, [os.environ.get('PYTHONPATH')])]
    return subprocess.run(
        [sys.executable, str(FOLDER / arguments[0]), *arguments[1:]],
        capture_output=True,
        text=True,
        env={**os.environ, 'PYTHONPATH': os.pathsep.join(map(str, paths))},
    )


@pytest.mark.parametrize(
    'given',
    [
        'conversation.py --config nothere',
        'conversation.py --idle -1',
        'conversation.py --idle nan',
        'conversation.py --json /dev/null/x',
        'realtime.py --results /dev/null/x',
        'audio_path.py --only graph,nothing',
        'oracle_policy.py --record nobody',
        'spoken_numbers.py --count 99999999999',
        'evaluation.py --hold x',
    ],
)
def test_a_benchmark_refuses_in_a_sentence_what_it_cannot_do(given):
    program, option, value = given.split()
    done = run(program, f'{option}={value}')
    assert done.returncode == 2
    assert f'error: argument {option}: ' in done.stderr
    assert 'Traceback' not in done.stderr


def test_the_conversation_needs_the_packages_of_evaluation(tmp_path):
    """They are looked for before the first question."""
    for name in ('jiwer', 'whisper_normalizer'):
        (tmp_path / f'{name}.py').write_text('raise ImportError')
    done = run('conversation.py', path=[tmp_path])
    assert done.returncode == 1
    assert done.stderr.strip().endswith('run "make setup-eval"')
    assert 'Traceback' not in done.stderr
