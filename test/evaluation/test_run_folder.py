import json

import numpy as np
import pytest

from kame_ros.evaluation.recorded import of_run
from kame_ros.evaluation.run_folder import BadRun, RunFolder, RunPlace, describe
from kame_ros.evaluation.suite import Cue, Item, Suite

SUITE = Suite('facts', (Item('a', 'question', (Cue('a.wav'),)),), sounds={'a.wav': '0'})
NODES = {'oracle': {'backend': 'x:y', 'api_key': 'secret'}}
SOUND = np.arange(100, dtype=np.int16)


def told(**changes):
    return {**describe(SUITE, 'tandem', NODES), **changes}


def put(folder, item='a', repetition=1):
    labels = {'kind': 'question', 'cues': [{'role': 'turn', 'start_s': 0.1, 'speech': [[0.1, 1]]}]}
    folder.put(RunPlace(item, repetition), SOUND, SOUND[:50], iter([{'t': 1}]), {}, labels)


def test_a_conversation_is_there_whole(tmp_path):
    folder = RunFolder(tmp_path / 'run')
    folder.open(told())
    assert not folder.is_done(RunPlace('a', 1))
    put(folder)
    assert folder.is_done(RunPlace('a', 1))
    (recorded,) = of_run(folder)
    assert recorded.item == 'a'
    assert np.array_equal(recorded.user, SOUND)
    assert len(recorded.robot) == 100  # as long as the user's
    assert recorded.labels[0].span.end == 1
    folder.close()


def test_a_text_may_hold_what_looks_like_the_end_of_a_line(tmp_path):
    """An LLM may write U+2028; the conversation is read all the same."""
    folder = RunFolder(tmp_path / 'run')
    folder.open(told())
    events = [{'t': 1, 'text': 'one\u2028two\x85three'}, {'t': 2}]
    folder.put(RunPlace('a', 1), SOUND, SOUND, iter(events), {}, {})
    folder.close()
    (recorded,) = of_run(folder)
    assert recorded.events == events


def test_what_is_half_written_is_not_there(tmp_path):
    folder = RunFolder(tmp_path / 'run')
    folder.open(told())
    with pytest.raises(TypeError):
        folder.put(RunPlace('a', 1), SOUND, SOUND, iter([]), {'bad': object()}, {})
    assert list(folder.places()) == []
    put(folder)  # over what is left of it
    assert len(list(folder.places())) == 1
    folder.close()


def test_a_run_is_gone_on_with(tmp_path):
    folder = RunFolder(tmp_path / 'run')
    folder.open(told())
    folder.close()
    RunFolder(tmp_path / 'run').open(told())


@pytest.mark.parametrize('changes', [{'config': 'cascade'}, {'seed': 1}, {'suite_sha256': 'x'}])
def test_another_run_is_refused(tmp_path, changes):
    folder = RunFolder(tmp_path / 'run')
    folder.open(told())
    put(folder)
    folder.close()
    with pytest.raises(BadRun, match=next(iter(changes))):
        RunFolder(tmp_path / 'run').open(told(**changes))


def test_a_run_whose_graph_never_came_up_may_be_begun_anew(tmp_path):
    folder = RunFolder(tmp_path / 'run')
    folder.open(told())
    folder.close()
    RunFolder(tmp_path / 'run').open(told(config='cascade'))
    assert folder.told['config'] == 'cascade'


def test_two_processes_do_not_write_into_one_run(tmp_path):
    first = RunFolder(tmp_path / 'run')
    first.open(told())
    with pytest.raises(BadRun, match='another process'):
        RunFolder(tmp_path / 'run').open(told())


def test_no_key_is_in_it(tmp_path):
    folder = RunFolder(tmp_path / 'run')
    folder.open(told())
    assert 'secret' not in (tmp_path / 'run' / 'run.json').read_text()
    folder.close(more=1)
    assert json.loads((tmp_path / 'run' / 'run.json').read_text())['more'] == 1


def test_a_folder_with_something_else_is_left_alone(tmp_path):
    (tmp_path / 'thesis.txt').write_text('precious')
    with pytest.raises(BadRun, match='something else'):
        RunFolder(tmp_path).open(told())
    assert (tmp_path / 'thesis.txt').read_text() == 'precious'


@pytest.fixture
def conversation(tmp_path):
    """The folder of a conversation in a run, and the run."""
    folder = RunFolder(tmp_path / 'run')
    folder.open(told())
    put(folder)
    folder.close()
    return folder, folder.path / RunPlace('a', 1).path


@pytest.mark.parametrize('name', ['audio.wav', 'labels.json', 'session.json', 'events.jsonl'])
def test_a_file_that_is_cut_or_gone_is_told(conversation, name):
    folder, place = conversation
    content = (place / name).read_bytes()
    (place / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(BadRun, match=f'{name} is missing or another file'):
        list(of_run(folder))
    (place / name).unlink()
    with pytest.raises(BadRun, match='lead it again'):
        list(of_run(folder))


@pytest.mark.parametrize(
    'cue',
    [
        {},
        3,
        {'role': 'turn', 'speech': [['a', 1]]},
        {'role': 'turn', 'speech': [[float('nan'), 1.0]]},
        {'role': 'turn', 'speech': [[0, 1]], 'accepted': ['(((']},
    ],
)
def test_labels_that_nobody_understands_are_told(conversation, cue):
    folder, place = conversation
    (place / 'labels.json').write_text(json.dumps({'cues': [cue]}))
    (place / 'done.json').write_text('{}')
    with pytest.raises(BadRun, match=r'labels\.json is not understood'):
        list(of_run(folder))


@pytest.mark.parametrize('lines', ['3\n', '{\n', '{"topic": "turn"}\n'])
def test_events_that_are_none_are_told(conversation, lines):
    folder, place = conversation
    (place / 'events.jsonl').write_text(lines)
    (place / 'done.json').write_text('{}')
    with pytest.raises(BadRun, match=r'events\.jsonl'):
        list(of_run(folder))


def test_a_spoiled_conversation_is_told_and_the_others_are_read(conversation):
    folder, place = conversation
    put(folder, 'b')
    (place / 'audio.wav').write_bytes(b'cut')
    bad = {}
    (recorded,) = of_run(folder, lambda name, error: bad.update({name: str(error)}))
    assert recorded.item == 'b'
    assert list(bad) == ['a/1']
    assert 'another file than it was' in bad['a/1']
