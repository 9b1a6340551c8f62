"""The command, with fakes for the models; and once with the real ones."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from fake_speech import speech
from recorded_bag import record as recorded
from replayed import SPANS, config, converse, graph
from scripted_llm import ScriptedClient

from kame_ros.cli import main
from kame_ros.commands import replay
from kame_ros.wire.frame import Frame

T0 = 1_764_000_000.0
FRAMES = [Frame(f.seq, T0 + f.t, f.samples) for f in speech(SPANS, 16.0)]
QUESTION = Path(__file__).parents[2] / 'examples/question.wav'


@pytest.fixture
def parts(monkeypatch):
    def make_graph(described, consumers, llm, timing):
        return graph(consumers, config(llm or ScriptedClient(lambda _: ['Another one.'])), timing)

    monkeypatch.setattr(replay, 'make_graph', make_graph)


@pytest.fixture(scope='module')
def bag(tmp_path_factory):
    folder = tmp_path_factory.mktemp('bags')
    return str(recorded(folder, lambda consumer: converse(FRAMES, consumer)).folder)


def test_the_same_parts_decide_the_same(bag, parts, capsys):
    assert main(['replay', bag, '--strict']) == 0
    told = capsys.readouterr().err
    assert 'no decision differs' in told
    assert 'It is Madrid.' in ' '.join(told.split())


def test_another_llm_answers_side_by_side(bag, parts, capsys):
    argv = ['replay', bag, '--set', 'oracle.backend=ollama:other', '--json']
    assert main([*argv, '--strict']) == 3
    told = json.loads(capsys.readouterr().out)
    assert told['record'][1]['robot_text'] == 'It is Madrid.'
    assert told['replay'][1]['robot_text'].endswith('Another one.')
    written = [d['what'] for each in told['differences'] for d in each['replay']]
    assert any('Another one.' in what for what in written)
    assert main(argv) == 0


def test_a_decision_that_only_moved_is_told_apart(bag, parts, capsys, monkeypatch):
    monkeypatch.setattr(replay, 'decisions', swapped(replay.decisions))
    assert main(['replay', bag, '--strict']) == 0
    told = ' '.join(capsys.readouterr().err.split())
    assert 'no decision differs' in told
    assert 'only the order of 1 differs: ~' in told
    assert main(['replay', bag, '--json']) == 0
    (moved,) = json.loads(capsys.readouterr().out)['moved']
    assert set(moved) == {'what', 'record_s', 'replay_s'}


def swapped(decisions):
    """Of the second one that is asked, the first two decisions are in another order."""
    asked = []

    def other(conversation, t0):
        found = decisions(conversation, t0)
        asked.append(found)
        return [found[1], found[0], *found[2:]] if len(asked) % 2 == 0 else found

    return other


def test_a_page_of_the_replay(bag, parts, tmp_path, capsys):
    assert main(['replay', bag, '-o', str(tmp_path / 'a.html')]) == 0
    assert 'audio/flac' in (tmp_path / 'a.html').read_text()


def test_a_stereo_file_has_the_user_left(parts, tmp_path, capsys):
    left = np.concatenate([frame.samples for frame in FRAMES])
    path = tmp_path / 'both.wav'
    soundfile.write(path, np.stack([left, np.zeros_like(left)], axis=1), 24_000)
    assert main(['replay', str(path), '--json']) == 0
    told = json.loads(capsys.readouterr().out)
    assert told['record'] is None
    assert [turn['user_text'] for turn in told['replay']] == [
        'what is the capital of france',
        'and of spain',
    ]


@pytest.mark.parametrize(
    ('argv', 'status'),
    [
        (['nowhere'], 1),
        (['nowhere.wav'], 1),
        (['{bag}', '--config', 'nothing'], 2),
        (['{bag}', '--set', 'x'], 2),
        (['{bag}', '--set', 'oracle.no_such=1'], 2),
        (['{bag}', '--set', 'stt.step_s=-3'], 2),
        (['{bag}', '--set', 'oracle.backend=nobody:x'], 2),
        (['{bag}', '--config', 'kame-slots'], 2),
        (['{bag}', '-o', '/no/such/folder/a.html'], 1),
        (['{bag}', '--namespace', 'other'], 1),
    ],
)
def test_what_cannot_be_is_a_sentence(bag, capsys, argv, status, monkeypatch):
    monkeypatch.setattr('kame_ros.commands.replay_parts.make_front_end', lambda read: _Nobody())
    monkeypatch.setattr('kame_ros.commands.replay_parts.speech_to_text', lambda *_: _Nobody())
    monkeypatch.setattr('kame_ros.commands.replay_parts.SileroVad', lambda: None)
    assert main(['replay', *(word.format(bag=bag) for word in argv)]) == status
    told = capsys.readouterr().err
    assert 'error: ' in told
    assert 'Traceback' not in told


class _Nobody:
    judges_barge_in = True

    def warm_up(self):
        pass


@pytest.mark.parametrize('content', [b'', b'RIFFgarbage', b'x' * 1000])
def test_a_sound_file_that_is_none_is_a_sentence(tmp_path, capsys, content):
    path = tmp_path / 'a.wav'
    path.write_bytes(content)
    assert main(['replay', str(path)]) == 1
    assert 'error: ' in capsys.readouterr().err


@pytest.mark.parametrize(
    ('name', 'says'),
    [
        ('nowhere.wav', 'cannot be read (No such file or directory)'),
        ('folder.wav', 'is a directory, not a sound file'),
        ('empty.wav', 'is empty'),
        ('text.flac', 'is not a sound file that can be read'),
    ],
)
def test_a_sound_file_that_cannot_be_read_says_why(tmp_path, capsys, name, says):
    (tmp_path / 'folder.wav').mkdir()
    (tmp_path / 'empty.wav').touch()
    (tmp_path / 'text.flac').write_text('no sound')
    assert main(['replay', str(tmp_path / name)]) == 1
    told = ' '.join(capsys.readouterr().err.split())
    assert says in told
    assert 'System error' not in told


@pytest.mark.models
@pytest.mark.long
def test_with_the_real_parts(capsys):
    assert main(['replay', str(QUESTION), '--json']) == 0
    (turn,) = json.loads(capsys.readouterr().out)['replay']
    assert 'capital of France' in turn['user_text']
    assert 'Paris' in turn['robot_text']
    assert turn['latency_s'] is not None
