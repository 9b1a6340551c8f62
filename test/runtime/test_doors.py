"""A door: things chosen by name, ours and those that another package brings."""

import sys

import pytest

from kame_ros.runtime import doors
from kame_ros.runtime.doors import Door

POINTS = """
[kame_ros.toy]
theirs = toy_door:Bell
data = toy_door:A_BELL
number = toy_door:NUMBER
broken = toy_door:not_there
picky = toy_door:picky
ours = toy_door:Bell
"""
TOY = """
class Bell:
    def __init__(self, tone='low'):
        self.tone = tone

    def ring(self):
        return self.tone

def picky(tone):
    if tone == 'exit':
        raise SystemExit(3)
    return Bell(float(tone))

A_BELL = Bell('high')
NUMBER = 7
"""


class Ours:
    """Stands in a table as `module:object`."""

    def __init__(self, tone='ours'):
        self.tone = tone

    def ring(self):
        return self.tone


class CanRing(type):
    def __instancecheck__(cls, thing):
        return callable(getattr(thing, 'ring', None))


class Ringing(metaclass=CanRing):
    """What has a `ring`."""


DOOR = Door('bell', 'kame_ros.toy', {'ours': f'{__name__}:Ours'}, Ringing, 'does not ring')


@pytest.fixture
def toys(tmp_path, monkeypatch):
    (tmp_path / 'toy_door.py').write_text(TOY)
    info = tmp_path / 'toy_bells-1.0.dist-info'
    info.mkdir()
    (info / 'METADATA').write_text('Metadata-Version: 2.1\nName: toy-bells\nVersion: 1.0\n')
    (info / 'entry_points.txt').write_text(POINTS.lstrip())
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop('toy_door', None)


def test_ours_alone():
    assert DOOR.names() == ('ours',)
    assert DOOR.make('ours', 'mine').ring() == 'mine'
    assert DOOR.label('ours') == 'the bell ours'


def test_names_import_nothing(toys):
    assert DOOR.names() == ('ours', 'broken', 'data', 'number', 'picky', 'theirs')
    assert 'toy_door' not in sys.modules


def test_what_another_package_brings(toys):
    assert DOOR.make('theirs', 'deep').ring() == 'deep'
    assert DOOR.load('data').ring() == 'high'
    assert DOOR.make('ours').ring() == 'ours'  # nobody replaces one of ours


def test_one_that_is_called_as_one_of_ours_is_named_once(toys, caplog):
    doors._tell_ignored.cache_clear()
    for _ in range(3):
        DOOR.make('ours')
    DOOR.make('theirs')
    assert [record.getMessage() for record in caplog.records] == [
        'the bell ours of the package toy-bells is not used: kame_ros has one of this name; give '
        'it another one in its pyproject.toml'
    ]


@pytest.mark.parametrize('order', [('bells', 'Chimes'), ('Chimes', 'bells')])
def test_of_two_packages_with_one_name_it_is_told_which_is_taken(
    tmp_path, monkeypatch, caplog, order
):
    doors._tell_of_others.cache_clear()
    for name in order:  # the one that was put first is found last
        info = tmp_path / name / f'{name}-1.0.dist-info'
        info.mkdir(parents=True)
        (info / 'METADATA').write_text(f'Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n')
        lines = [f'theirs = toy_{name}:A_BELL', 'same = toy_bells:A_BELL']
        (info / 'entry_points.txt').write_text('\n'.join(['[kame_ros.toy]', *lines]) + '\n')
        (tmp_path / name / f'toy_{name}.py').write_text(TOY)
        monkeypatch.syspath_prepend(tmp_path / name)
    for _ in range(3):
        assert type(DOOR.load('theirs')).__module__ == 'toy_bells'
    assert DOOR.label('theirs') == 'the bell theirs of the package bells'
    DOOR.load('same')  # whoever brings it, it is one thing
    assert DOOR.names() == ('ours', 'same', 'theirs')
    assert [record.getMessage() for record in caplog.records] == [
        'the bell theirs is that of the package bells; that of the package Chimes has the same '
        'name, and is not used: uninstall one of them, or give one another name in its '
        'pyproject.toml'
    ]
    sys.modules.pop('toy_bells')


def test_what_is_none_says_so_in_a_sentence(toys):
    told = 'the bell number of the package toy-bells is none: int does not ring'
    with pytest.raises(ImportError, match=told):
        DOOR.load('number')
    with pytest.raises(ImportError, match='bell broken of the package toy-bells cannot be loaded'):
        DOOR.make('broken')
    with pytest.raises(ValueError, match="no bell 'gong'; there are: ours, broken, data"):
        DOOR.make('gong')


@pytest.mark.parametrize(
    ('told', 'kind'),
    [(('low',), 'ValueError'), ((), 'TypeError'), (('exit',), 'SystemExit')],
)
def test_what_theirs_raises_is_told_with_its_name_and_package(toys, told, kind):
    says = f'the bell picky of the package toy-bells cannot be made: {kind}: '
    with pytest.raises(ValueError, match=says):
        DOOR.make('picky', *told)


def test_what_ours_raises_is_raised():
    door = Door('bell', 'kame_ros.toy', {'absent': 'kame_ros.no_such_module:thing'})
    with pytest.raises(ModuleNotFoundError, match='no_such_module'):
        door.make('absent')
