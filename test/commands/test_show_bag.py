import json

import pytest
from recorded_bag import record
from scripted_conversation import QUESTION, play

from kame_ros.cli import main
from kame_ros.wire.health import Health


def question(consumer):
    consumer.on_health('s2s', Health('active', 1, 'frames_late 3', {'frames_late': '3'}))
    play(consumer, QUESTION, user=[(1.0, 3.0)], robot=[(3.84, 5.1)])


@pytest.fixture
def bag(tmp_path):
    return record(tmp_path / 'bags', question).folder


def test_the_turns_are_a_table(bag, capsys):
    assert main(['show', str(bag)]) == 0
    told = capsys.readouterr().err
    assert 'What is the capital of France?' in ' '.join(told.split())
    assert '+0.8' in told
    assert 's2s: frames_late grew by 3' in told


def test_json_is_that_of_a_session(bag, capsys):
    assert main(['show', str(bag), '--json']) == 0
    (turn,) = json.loads(capsys.readouterr().out)['turns']
    assert turn['robot_text'] == 'The capital is Paris.'
    assert [oracle['generation'] for oracle in turn['oracles']] == [1, 2]


@pytest.mark.parametrize(('name', 'begins'), [('a.html', '<!DOCTYPE'), ('a.svg', '<svg')])
def test_it_draws(bag, tmp_path, capsys, name, begins):
    assert main(['show', str(bag), '-o', str(tmp_path / name)]) == 0
    assert (tmp_path / name).read_text().startswith(begins)


def test_a_bag_that_was_cut_off_is_shown(tmp_path, capsys):
    folder = record(tmp_path, question, close=False).folder
    assert main(['show', str(folder)]) == 0
    told = ' '.join(capsys.readouterr().err.split())
    assert 'was cut off' in told
    assert 'The capital is Paris.' in told


@pytest.mark.parametrize(
    'argv',
    [
        ['show', 'nowhere'],
        ['show', '{bag}', '-o', 'a.png'],
        ['show', '{bag}', '-o', '/no/such/folder/a.svg'],
        ['show', '{bag}', '--namespace', 'other'],
    ],
)
def test_what_cannot_be_is_a_sentence(bag, capsys, argv):
    assert main([word.format(bag=bag) for word in argv]) in (1, 2)
    told = capsys.readouterr()
    assert told.err.startswith('error: ')
    assert 'Traceback' not in told.err
