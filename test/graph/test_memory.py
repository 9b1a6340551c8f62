import itertools

import pytest

from kame_ros.graph import memory
from kame_ros.graph.memory import Memory, fresh_number

NOW = 1_800_000_000.0  # s since 1970: in 2027
BEFORE_2026 = 1_751_633_034.0


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv(memory.FOLDER, str(tmp_path))
    return tmp_path


def test_the_next_life_knows_what_the_last_one_kept():
    assert Memory('/robot/ear').set(muted=True)
    Memory('/robot/ear').set(number=3)
    assert Memory('/robot/ear').get('muted') is True
    assert Memory('/r2/ear').get('muted') is None


def test_without_a_folder_nothing_is_kept(monkeypatch):
    monkeypatch.delenv(memory.FOLDER)
    assert not Memory('/robot/ear').set(muted=True)
    assert Memory('/robot/ear').get('muted', False) is False


@pytest.mark.parametrize('text', ['', '{', '[1]', '\0'])
def test_a_spoilt_file_is_no_memory(folder, text):
    (folder / 'robot.ear.json').write_text(text)
    assert Memory('/robot/ear').get('muted') is None
    assert Memory('/robot/ear').set(muted=True)
    assert Memory('/robot/ear').get('muted') is True


@pytest.mark.parametrize(
    ('clocks', 'uptimes'),
    [
        ((NOW, NOW + 50), (100, 150)),
        ((NOW, NOW - 3600, NOW - 3500), (100, 150, 250)),  # set back by an hour
        ((BEFORE_2026, NOW), (100, 150)),  # NTP comes after a boot with an old date
        ((NOW, BEFORE_2026, NOW), (100, 150, 200)),
        ((NOW, 3.0, 0.0), (100, 150, 151)),  # the clock of a simulation, reset
        ((5000.0, 4500.0), (100, 150)),
        ((NOW, NOW - 3600), (5000, 10)),  # the machine was started anew
        ((NOW, NOW), (100, 100)),
    ],
)
def test_numbers_grow_whatever_the_clock_does(clocks, uptimes):
    numbers = []
    for now, up in zip(clocks, uptimes, strict=True):
        numbers.append(fresh_number(Memory('/robot/stt'), now, lambda up=up: up))
    lived = [max(after - before, 0) for before, after in itertools.pairwise(uptimes)]
    counted = [after - before for before, after in itertools.pairwise(numbers)]
    assert all(more > seconds for more, seconds in zip(counted, lived, strict=True))
    assert all(0 <= number < 2**32 for number in numbers)


def test_without_memory_a_clock_that_goes_on_is_enough(monkeypatch):
    monkeypatch.delenv(memory.FOLDER)
    kept = Memory('/robot/stt')
    times = (0.0, 3600.0, BEFORE_2026, NOW, NOW + 9)
    numbers = [fresh_number(kept, now) for now in times]
    assert numbers[3] < numbers[4]
    assert numbers[2] <= numbers[3]  # a wrong date is below a right one


def test_each_lack_of_memory_is_known_to_the_lives_that_come(folder):
    assert memory.shortfalls(Memory('/robot/s2s')) == 0
    assert memory.note_shortfall(Memory('/robot/s2s'))
    assert memory.note_shortfall(Memory('/robot/s2s'))
    assert memory.shortfalls(Memory('/robot/s2s')) == 2
    (folder / 'robot.s2s.json').write_text('{"shortfalls": "many"}')
    assert memory.shortfalls(Memory('/robot/s2s')) == 0
