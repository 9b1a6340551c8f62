import json
from dataclasses import replace
from pathlib import Path

import pytest

from kame_ros.evaluation.suite import BadSuite, Cue, Item, Suite, load, save
from kame_ros.runtime.weights import file_sha256


@pytest.fixture
def suite(tmp_path):
    (tmp_path / 'a.wav').write_bytes(b'sound')
    cue = Cue('a.wav', text='Hello?', speech=((0.1, 0.4),), accepted=('x',))
    item = Item('fact-1@v', 'question', (cue,), 'fact', 'v', {'n': 1})
    made = Suite('facts', (item,), tmp_path, 3, ('v',), {'a.wav': file_sha256(tmp_path / 'a.wav')})
    save(made)
    return made


def test_what_is_saved_is_loaded(suite):
    again = load(suite.folder)
    assert again.items == suite.items
    assert again.sha256 == suite.sha256


def test_items_are_chosen_by_pattern(suite):
    assert suite.chosen([]) == suite.items
    assert suite.chosen(['x*,fact-*']) == suite.items
    with pytest.raises(BadSuite, match='no item'):
        suite.chosen(['mt-*'])


def test_an_item_is_meant_in_any_voice(suite):
    said = replace(suite, items=tuple(replace(suite.items[0], id=f'x-1@{v}') for v in ('a', 'b')))
    assert len(said.chosen(['x-1'])) == 2
    assert [item.id for item in said.chosen(['x-1@b'])] == ['x-1@b']


def change(folder: Path, **changes):
    told = json.loads((folder / 'suite.json').read_text())
    told |= {key: value for key, value in changes.items() if key != 'cue'}
    if 'cue' in changes:
        told['items'][0]['cues'][0] |= changes['cue']
    (folder / 'suite.json').write_text(json.dumps(told))


@pytest.mark.parametrize(
    'changes',
    [
        {'format': 2},
        {'items': []},
        {'items': 3},
        {'sounds': {}},
        {'cue': {'sound': '../a.wav'}},
        {'cue': {'sound': '/etc/passwd'}},
        {'cue': {'when': 'never'}},
        {'cue': {'role': 'king'}},
        {'cue': {'seconds': -1}},
        {'cue': {'seconds': 'soon'}},
        {'cue': {'accepted': ['(']}},
        {'cue': {'speech': [1]}},
        {'cue': {'speech': [[0.1, float('nan')]]}},
        {'cue': {'speech': [[0.4, 0.1]]}},
        {'cue': {'speech': [[-1, 0.1]]}},
        {'cue': {'speech': [[0.1, 10**400]]}},
    ],
)
def test_a_spoiled_manifest_is_refused(suite, changes):
    change(suite.folder, **changes)
    with pytest.raises(BadSuite, match=r'suite\.json'):
        load(suite.folder)


def test_another_sound_is_noticed(suite):
    (suite.folder / 'a.wav').write_bytes(b'other')
    with pytest.raises(BadSuite, match='another sound'):
        load(suite.folder)


def test_a_folder_without_a_suite(tmp_path):
    with pytest.raises(BadSuite, match='kame eval make'):
        load(tmp_path / 'nothing')
