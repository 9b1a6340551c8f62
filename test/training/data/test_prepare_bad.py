"""Dialogues that cannot be prepared: all of them are named, and the others go on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kame_ros.cli import main
from kame_ros.training.data import data_file, recording
from kame_ros.training.data.dialogue import DataError


def nan(sound: np.ndarray) -> np.ndarray:
    sound[len(sound) // 2] = np.nan
    return sound


def silent_right(sound: np.ndarray) -> np.ndarray:
    return sound * np.array([1.0, 0.0], np.float32)


BAD: dict[str, tuple[Callable[[Any], object], str]] = {
    'mono': (
        lambda t: t.add('bad', change=lambda s: s[:, 0]),
        'has 1 channel: a channel is missing',
    ),
    'three': (
        lambda t: t.add('bad', suffix='wav', change=lambda s: np.pad(s, ((0, 0), (0, 1)))),
        'has 3 channels: two are needed',
    ),
    'silent': (lambda t: t.add('bad', change=silent_right), 'right channel is silent where B'),
    'same': (
        lambda t: t.add('bad', change=lambda s: s.sum(1, keepdims=True).repeat(2, 1)),
        'same sound on both channels',
    ),
    'short': (lambda t: t.add('bad', change=lambda s: s[:48000]), 'its transcript goes on until'),
    'nan': (
        lambda t: t.add('bad', change=nan, suffix='wav', subtype='FLOAT'),
        'a sample that is no number at 4.',
    ),
    'no transcript': (
        lambda t: (t.add('bad'), (t.text / 'bad.json').unlink()),
        'bad.flac has no transcript bad.json',
    ),
    'no sound': (
        lambda t: (t.add('bad'), (t.audio / 'bad.flac').unlink()),
        'bad.json has no recording bad.wav or bad.flac',
    ),
    'twice': (lambda t: (t.add('bad'), t.add('bad', suffix='wav')), 'recordings of one name'),
    'no times': (
        lambda t: (t.add('bad'), t.write('bad', [{'speaker': 'A', 'word': 'x'}])),
        "a word has no 'start'",
    ),
    'overlap': (
        lambda t: (
            t.add('bad'),
            t.write('bad', [{'speaker': 'A', 'word': w, 'start': 0, 'end': 1} for w in 'xy']),
        ),
        "the words 'x' and 'y' of A overlap at 0.00 s",
    ),
    'no sound file': (
        lambda t: (t.add('bad'), (t.audio / 'bad.flac').write_bytes(b'no sound')),
        'is not a sound file that can be read',
    ),
}


@pytest.mark.parametrize('kind', BAD)
def test_bad_dialogues_are_named(
    talks: Any, tmp_path: Path, prepare: Any, encodings: list[int], said: Any, kind: str
) -> None:
    make, reason = BAD[kind]
    talks.add('good')
    make(talks)
    assert prepare() == 1
    told = said()
    assert reason in told
    assert 'bad' in told
    assert '1 of 2 dialogues cannot be used; nothing was encoded' in told
    assert not encodings
    assert prepare('--skip-bad') == 0
    assert '1 dialogues left out' in said()
    assert [e.name for e in data_file.read(tmp_path / 'data').entries()] == ['good']


def test_all_problems_are_listed_at_once(talks: Any, prepare: Any, said: Any) -> None:
    for name in ('p', 'q'):
        talks.add(name, change=lambda sound: sound[:, 0])
    talks.add('r', change=silent_right)
    assert prepare() == 1
    told = said()
    assert all(f'{name}.flac' in told for name in 'pqr')
    assert '3 of 3 dialogues' in told


def test_oracles_of_another_transcript_are_refused(
    talks: Any, tmp_path: Path, prepare: Any, said: Any
) -> None:
    rows = talks.add('a')
    talks.add('b', words=6)
    talks.make_oracles()
    rows[0]['word'] = 'another'
    talks.write('a', rows)
    assert prepare() == 1
    assert 'a.jsonl was made from another transcript' in said()
    rows[0]['word'] = 'the'
    talks.write('a', rows)
    path = tmp_path / 'oracles' / 'a.jsonl'
    path.write_text('\n'.join(path.read_text().splitlines()[:-2]) + '\n')
    assert prepare() == 1
    assert 'a.jsonl lacks 2 of' in said()
    path.unlink()
    assert prepare() == 1
    assert 'a.json has no oracles a.jsonl' in said()


def test_oracles_from_before_the_fingerprint_are_known_by_their_times(
    talks: Any, tmp_path: Path, prepare: Any
) -> None:
    talks.add('a')
    talks.add('b', words=6)
    talks.make_oracles()
    path = tmp_path / 'oracles' / 'a.jsonl'
    lines = path.read_text().splitlines()
    head = {'oracles': json.loads(lines[0])['oracles']}
    path.write_text('\n'.join([json.dumps(head), *lines[1:]]) + '\n')
    assert prepare() == 0
    other = path.with_name('b.jsonl').read_text().splitlines()
    path.write_text('\n'.join([json.dumps(head), *other[1:]]) + '\n')
    assert prepare(out='other') == 1


def break_in_the_middle(path: Path) -> None:
    content = bytearray(path.read_bytes())
    for at in range(len(content) // 2, len(content) // 2 + 4000):
        content[at] = 0xAA
    path.write_bytes(content)


def test_a_flac_that_is_damaged_inside(talks: Any, tmp_path: Path, prepare: Any, said: Any) -> None:
    talks.add('a')
    talks.add('b', turns=10)
    break_in_the_middle(talks.audio / 'b.flac')
    assert prepare() == 1
    assert 'b.flac is not a sound file that can be read' in said()
    assert prepare('--skip-bad') == 0
    assert [entry.name for entry in data_file.read(tmp_path / 'data').entries()] == ['a']


def test_a_recording_that_ends_before_its_time(
    talks: Any, prepare: Any, monkeypatch: Any, said: Any
) -> None:
    talks.add('a')
    frames = recording.frames
    monkeypatch.setattr(recording, 'frames', lambda *given: list(frames(*given))[:-1])
    assert prepare() == 1
    assert 'it was cut off' in said()


def test_what_turns_out_to_be_bad_while_it_is_encoded(
    talks: Any, tmp_path: Path, prepare: Any, monkeypatch: Any, said: Any
) -> None:
    """The others are encoded and kept all the same."""
    for name in 'abc':
        talks.add(name)
    frames = recording.frames

    def breaks(path: Path, *more: Any) -> Any:
        if path.stem == 'b':
            raise DataError(f'{path} is not a sound file that can be read')
        return frames(path, *more)

    monkeypatch.setattr(recording, 'frames', breaks)
    assert prepare('--shard-mb', '0.006') == 1
    assert 'b.flac is not a sound file' in said()
    assert len(list((tmp_path / 'data').glob('data-*'))) == 2
    assert prepare('--shard-mb', '0.006', '--skip-bad') == 0
    assert '1 dialogues left out' in said()
    data = data_file.read(tmp_path / 'data')
    assert [entry.name for entry in data.entries()] == ['a', 'c']
    assert list(data.skipped) == ['b']
    monkeypatch.undo()
    assert prepare() == 0
    data = data_file.read(tmp_path / 'data')
    assert [entry.name for entry in data.entries()] == ['a', 'c', 'b']
    assert data.skipped == {}


@pytest.mark.parametrize(
    ('more', 'reason'),
    [
        (['--held-out', '1'], 'a share from 0'),
        (['--shard-mb', '0'], '--shard-mb must be above 0'),
        (['--shard-mb', 'nan'], '--shard-mb must be above 0'),
        (['--held-out', 'nan'], 'a share from 0'),
        (['--device', 'tpu'], '--device is cpu, cuda'),
        (['--device', 'cuda:99'], 'torch sees'),
        (['--oracles', 'nowhere'], 'nowhere is no folder'),
    ],
)
def test_arguments_that_cannot_be(
    talks: Any, prepare: Any, said: Any, more: list[str], reason: str
) -> None:
    talks.add('a')
    assert prepare(*more) == 1
    assert reason in said()


def test_what_is_missing_is_named(talks: Any, prepare: Any, tmp_path: Path, said: Any) -> None:
    assert main(['train', 'prepare']) == 1
    assert 'AUDIO_DIR is missing' in said()
    assert main(['train', 'prepare', '--verify', str(tmp_path)]) == 1
    assert 'holds no prepared data' in said()
    talks.add('a')
    assert prepare(checkpoint=str(tmp_path / 'none')) == 1
    assert 'there is no folder' in said()
