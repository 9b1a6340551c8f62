"""`kame train prepare`: recordings to shards, resumed, mended, refused."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip('moshi')
soundfile = pytest.importorskip('soundfile')

from kame_ros.cli import main  # noqa: E402
from kame_ros.s2s.moshi.codec2 import Codec2MissingError, Codec2Voice  # noqa: E402
from kame_ros.training import data_file, encode, oracle_file, recording, shard_file  # noqa: E402
from kame_ros.training.dialogue import DataError  # noqa: E402
from kame_ros.training.layout import monologue  # noqa: E402
from kame_ros.training.prepare import Preparation, held_out  # noqa: E402
from kame_ros.training.shards import ShardSource  # noqa: E402


@pytest.fixture(autouse=True)
def _codec2() -> None:
    try:
        Codec2Voice()
    except Codec2MissingError as error:
        pytest.skip(str(error))


@pytest.fixture
def prepare(talks: Any, tmp_path: Path) -> Callable[..., int]:
    """Runs the command on the dialogues, into `data` unless told otherwise."""

    def run(*more: str, out: str = 'data', checkpoint: str = 'kame-tiny') -> int:
        given = ['train', 'prepare', str(talks.audio), str(talks.text), '-o', str(tmp_path / out)]
        if (tmp_path / 'oracles').exists() and '--oracles' not in more:
            given += ['--oracles', str(tmp_path / 'oracles')]
        return main([*given, '--checkpoint', checkpoint, '--workers', '1', *more])

    return run


@pytest.fixture
def encodings(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows with each recording that is encoded."""
    done: list[int] = []
    whole = encode.whole

    def counted(*args: Any, **more: Any) -> Any:
        done.append(1)
        return whole(*args, **more)

    monkeypatch.setattr(encode, 'whole', counted)
    return done


def make_oracles(talks: Any, tmp_path: Path) -> None:
    assert (
        main(['train', 'oracles', str(talks.text), '-o', str(tmp_path / 'oracles'), '--random'])
        == 0
    )


def said(capsys: pytest.CaptureFixture[str]) -> str:
    return ' '.join(capsys.readouterr().err.split())


def sums(folder: Path) -> dict[str, str]:
    return {path.name: data_file.sha256(path) for path in sorted(folder.glob('data-*'))}


def test_a_shard_holds_what_was_said(talks: Any, tmp_path: Path, prepare: Any) -> None:
    rows = talks.add('one', rate=24_000, suffix='wav')
    talks.add('two', words=6)
    make_oracles(talks, tmp_path)
    assert prepare('--held-out', '0') == 0
    data = data_file.read(tmp_path / 'data')
    assert [entry.name for entry in data.entries()] == ['one', 'two']
    assert not (tmp_path / 'data' / 'parts').exists()
    reader = shard_file.ShardReader(tmp_path / 'data', data.shards[0])
    sound, _ = soundfile.read(talks.audio / 'one.wav', dtype='float32')
    frames = -(-len(sound) // 1920)
    whole = np.pad(sound, ((0, frames * 1920 - len(sound)), (0, 0)))
    for key, side in (('robot', 0), ('user', 1)):
        voice = Codec2Voice()
        wanted = [voice.encode(frame) for frame in whole[:, side].reshape(-1, 1920)]
        assert (reader.frames(0, key, 0, frames) == np.stack(wanted, axis=1)).all()
    source = ShardSource(tmp_path / 'data', batch=1, frames=16)
    own = [(row['start'], row['end'], row['word']) for row in rows if row['speaker'] == 'A']
    text = monologue(own, source.tokenizer.encode, frames, source.info.marks)
    assert (reader.frames(0, 'text', 0, frames) == text).all()
    assert reader.oracles(0) == oracle_file.read(tmp_path / 'oracles' / 'one.jsonl', 'A')
    assert [word.text for word in reader.words(0)] == [row['word'] for row in rows]
    quiet = reader.frames(0, 'quiet', 0, frames).astype(bool)
    loud = {int(row['start'] * 12.5) + 1 for row in rows if row['speaker'] == 'A'}
    assert not quiet[sorted(loud)].any()
    assert quiet[: int(own[0][0] * 12.5) - 1].all()


def test_either_speaker_or_both_can_be_the_robot(talks: Any, tmp_path: Path, prepare: Any) -> None:
    talks.add('one')
    assert prepare('--speaker', 'both') == 0
    data = data_file.read(tmp_path / 'data')
    assert [(entry.name, entry.robot) for entry in data.entries()] == [('one', 'A'), ('one', 'B')]
    reader = shard_file.ShardReader(tmp_path / 'data', data.shards[0])
    for one, other in ((0, 1), (1, 0)):
        assert (reader.frames(one, 'robot', 0, 99) == reader.frames(other, 'user', 0, 99)).all()
    assert (reader.frames(0, 'text', 0, 99) != reader.frames(1, 'text', 0, 99)).any()
    assert prepare('--speaker', 'B', out='b') == 0
    alone = shard_file.ShardReader(tmp_path / 'b', data_file.read(tmp_path / 'b').shards[0])
    assert (alone.frames(0, 'text', 0, 99) == reader.frames(1, 'text', 0, 99)).all()


def test_swapped_channels(talks: Any, tmp_path: Path, prepare: Any, capsys: Any) -> None:
    talks.add('one')
    assert prepare(out='straight') == 0
    assert prepare('--swap', out='wrong') == 1
    assert 'run it without --swap' in said(capsys)
    talks.add('one', change=lambda sound: sound[:, ::-1])
    assert prepare(out='wrong') == 1
    assert 'run it with --swap' in said(capsys)
    assert prepare('--swap', out='swapped') == 0
    assert sums(tmp_path / 'straight') == sums(tmp_path / 'swapped')


def test_a_run_that_was_ended_goes_on(
    talks: Any, tmp_path: Path, prepare: Any, encodings: list[int], monkeypatch: Any
) -> None:
    for name in 'abcdef':
        talks.add(name)
    small = ['--shard-mb', '0.011']  # two dialogues
    assert prepare(*small, out='whole') == 0
    assert len(sums(tmp_path / 'whole')) == 3
    write = Preparation._write

    def interrupted(self: Preparation, shard: data_file.Shard) -> None:
        if shard.file == 'data-00001.safetensors':
            raise KeyboardInterrupt
        write(self, shard)

    with monkeypatch.context() as patch:
        patch.setattr(Preparation, '_write', interrupted)
        with pytest.raises(KeyboardInterrupt):
            prepare(*small)
    assert list(sums(tmp_path / 'data')) == ['data-00000.safetensors']
    with pytest.raises(DataError, match='not finished'):
        ShardSource(tmp_path / 'data', batch=1, frames=16)
    encodings.clear()
    assert prepare(*small) == 0
    assert len(encodings) == 2  # those of the last shard: of the second all was encoded
    assert sums(tmp_path / 'data') == sums(tmp_path / 'whole')
    encodings.clear()
    assert prepare(*small) == 0
    assert not encodings


def test_a_full_disk_loses_no_finished_shard(
    talks: Any, tmp_path: Path, prepare: Any, encodings: list[int], monkeypatch: Any, capsys: Any
) -> None:
    for name in 'abcd':
        talks.add(name)
    write = data_file.write_whole

    def full(path: Path, content: bytes) -> None:
        if path.name == 'data-00001.safetensors':
            raise OSError(28, 'No space left on device', str(path))
        write(path, content)

    with monkeypatch.context() as patch:
        patch.setattr(data_file, 'write_whole', full)
        assert prepare('--shard-mb', '0.011') == 1
    told = said(capsys)
    assert 'No space left' in told
    assert 'free some space and run it again; 1 finished shards' in told
    assert len(encodings) == 4
    assert prepare('--shard-mb', '0.011') == 0
    assert len(encodings) == 4
    ShardSource(tmp_path / 'data', batch=1, frames=16).verify()


def test_a_real_full_disk_leaves_no_half_file(tmp_path: Path, monkeypatch: Any) -> None:
    path = tmp_path / 'data.json'
    data_file.write_whole(path, b'old')

    def full(_: int) -> None:
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(data_file.os, 'fsync', full)
    with pytest.raises(OSError, match='No space'):
        data_file.write_whole(path, b'new')
    assert path.read_bytes() == b'old'
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize('how', ['damaged', 'removed'])
def test_a_damaged_shard_alone_is_made_anew(
    talks: Any, tmp_path: Path, prepare: Any, encodings: list[int], capsys: Any, how: str
) -> None:
    for name in 'abcd':
        talks.add(name)
    assert prepare('--shard-mb', '0.011', '--speaker', 'both') == 0
    before = sums(tmp_path / 'data')
    bad = sorted((tmp_path / 'data').glob('data-*'))[1]
    if how == 'removed':
        bad.unlink()
    else:
        content = bytearray(bad.read_bytes())
        content[len(content) // 2] ^= 1
        bad.write_bytes(content)
    source = None if how == 'removed' else ShardSource(tmp_path / 'data', batch=64, frames=16)
    with pytest.raises(DataError, match=r'data-00001\.safetensors.*makes only this shard anew'):
        (source or ShardSource(tmp_path / 'data', batch=64, frames=16)).batch(0)
    assert main(['train', 'prepare', '--verify', str(tmp_path / 'data')]) == 1
    assert 'data-00001.safetensors' in said(capsys).replace(' ', '')
    encodings.clear()
    assert prepare('--shard-mb', '0.011', '--speaker', 'both') == 0
    assert 'made anew' in said(capsys)
    assert len(encodings) < 4
    assert sums(tmp_path / 'data') == before
    assert main(['train', 'prepare', '--verify', str(tmp_path / 'data')]) == 0


def test_new_dialogues_are_added(
    talks: Any, tmp_path: Path, prepare: Any, encodings: list[int]
) -> None:
    talks.add('b')
    talks.add('c')
    assert prepare() == 0
    before = sums(tmp_path / 'data')
    talks.add('a')
    assert prepare() == 0
    assert len(encodings) == 3
    assert sums(tmp_path / 'data').items() > before.items()
    data = data_file.read(tmp_path / 'data')
    assert [entry.name for entry in data.entries()] == ['b', 'c', 'a']


def test_changed_files_and_other_checkpoints_are_refused(
    talks: Any, tmp_path: Path, prepare: Any, capsys: Any
) -> None:
    talks.add('a')
    assert prepare() == 0
    talks.add('a', words=6)
    assert prepare() == 1
    assert 'the files of a are others' in said(capsys)
    path = tmp_path / 'data' / 'data.json'
    path.write_text(path.read_text().replace('"card": 512', '"card": 2048'))
    assert prepare() == 1
    assert 'this one has card 512 instead of 2048' in said(capsys)
    path.write_text('{')
    assert prepare() == 1
    assert 'data.json cannot be read' in said(capsys)


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
    talks: Any, tmp_path: Path, prepare: Any, encodings: list[int], capsys: Any, kind: str
) -> None:
    make, reason = BAD[kind]
    talks.add('good')
    make(talks)
    assert prepare() == 1
    told = said(capsys)
    assert reason in told
    assert 'bad' in told
    assert '1 of 2 dialogues cannot be used; nothing was encoded' in told
    assert not encodings
    assert prepare('--skip-bad') == 0
    assert '1 dialogues left out' in said(capsys)
    assert [e.name for e in data_file.read(tmp_path / 'data').entries()] == ['good']


def test_all_problems_are_listed_at_once(talks: Any, prepare: Any, capsys: Any) -> None:
    for name in ('p', 'q'):
        talks.add(name, change=lambda sound: sound[:, 0])
    talks.add('r', change=silent_right)
    assert prepare() == 1
    told = said(capsys)
    assert all(f'{name}.flac' in told for name in 'pqr')
    assert '3 of 3 dialogues' in told


def test_oracles_of_another_transcript_are_refused(
    talks: Any, tmp_path: Path, prepare: Any, capsys: Any
) -> None:
    rows = talks.add('a')
    talks.add('b', words=6)
    make_oracles(talks, tmp_path)
    rows[0]['word'] = 'another'
    talks.write('a', rows)
    assert prepare() == 1
    assert 'a.jsonl was made from another transcript' in said(capsys)
    rows[0]['word'] = 'the'
    talks.write('a', rows)
    path = tmp_path / 'oracles' / 'a.jsonl'
    path.write_text('\n'.join(path.read_text().splitlines()[:-2]) + '\n')
    assert prepare() == 1
    assert 'a.jsonl lacks 2 of' in said(capsys)
    path.unlink()
    assert prepare() == 1
    assert 'a.json has no oracles a.jsonl' in said(capsys)


def test_oracles_from_before_the_fingerprint_are_known_by_their_times(
    talks: Any, tmp_path: Path, prepare: Any
) -> None:
    talks.add('a')
    talks.add('b', words=6)
    make_oracles(talks, tmp_path)
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


def test_a_flac_that_is_damaged_inside(
    talks: Any, tmp_path: Path, prepare: Any, capsys: Any
) -> None:
    talks.add('a')
    talks.add('b', turns=10)
    break_in_the_middle(talks.audio / 'b.flac')
    assert prepare() == 1
    assert 'b.flac is not a sound file that can be read' in said(capsys)
    assert prepare('--skip-bad') == 0
    assert [entry.name for entry in data_file.read(tmp_path / 'data').entries()] == ['a']


def test_a_recording_that_ends_before_its_time(
    talks: Any, prepare: Any, monkeypatch: Any, capsys: Any
) -> None:
    talks.add('a')
    frames = recording.frames
    monkeypatch.setattr(recording, 'frames', lambda *given: list(frames(*given))[:-1])
    assert prepare() == 1
    assert 'it was cut off' in said(capsys)


def test_what_turns_out_to_be_bad_while_it_is_encoded(
    talks: Any, tmp_path: Path, prepare: Any, monkeypatch: Any, capsys: Any
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
    assert 'b.flac is not a sound file' in said(capsys)
    assert len(sums(tmp_path / 'data')) == 2
    assert prepare('--shard-mb', '0.006', '--skip-bad') == 0
    assert '1 dialogues left out' in said(capsys)
    data = data_file.read(tmp_path / 'data')
    assert [entry.name for entry in data.entries()] == ['a', 'c']
    assert list(data.skipped) == ['b']
    monkeypatch.undo()
    assert prepare() == 0
    data = data_file.read(tmp_path / 'data')
    assert [entry.name for entry in data.entries()] == ['a', 'c', 'b']


@pytest.mark.parametrize(
    ('more', 'reason'),
    [
        (['--held-out', '1'], 'a share from 0'),
        (['--shard-mb', '0'], '--shard-mb must be above 0'),
        (['--oracles', 'nowhere'], 'nowhere is no folder'),
    ],
)
def test_arguments_that_cannot_be(
    talks: Any, prepare: Any, capsys: Any, more: list[str], reason: str
) -> None:
    talks.add('a')
    assert prepare(*more) == 1
    assert reason in said(capsys)


def test_what_is_missing_is_named(talks: Any, prepare: Any, tmp_path: Path, capsys: Any) -> None:
    assert main(['train', 'prepare']) == 1
    assert 'AUDIO_DIR is missing' in said(capsys)
    assert main(['train', 'prepare', '--verify', str(tmp_path)]) == 1
    assert 'holds no prepared data' in said(capsys)
    talks.add('a')
    assert prepare(checkpoint=str(tmp_path / 'none')) == 1
    assert 'there is no folder' in said(capsys)


def test_what_is_held_out_depends_on_names_alone() -> None:
    names = [f'talk{number}' for number in range(400)]
    chosen = held_out(names, 0.1)
    assert 20 < sum(chosen.values()) < 65
    assert held_out(names[:200], 0.1).items() <= chosen.items()
    assert sum(held_out(names, 0.0).values()) == 0
    assert sum(held_out(names[:2], 1e-9).values()) == 1
    assert sum(held_out(names[:1], 0.05).values()) == 0


def test_a_long_recording_needs_no_more_memory(tmp_path: Path) -> None:
    path = tmp_path / 'long.wav'
    with soundfile.SoundFile(path, 'w', 48_000, 2) as file:
        for _ in range(180):
            file.write(np.zeros((48_000, 2), np.int16))  # 3 min: 69 MB of float32
    tracemalloc.start()
    frames = sum(window.shape[1] for window in recording.frames(path)) // 1920
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert frames == 180 * 12.5
    assert peak < 16e6


@pytest.mark.parametrize('rate', [8_000, 24_000, 44_100])
def test_any_rate_keeps_its_time(talks: Any, rate: int) -> None:
    rows = talks.add('one', rate=rate)
    sound = np.concatenate(list(recording.frames(talks.audio / 'one.flac')), axis=1)
    loud = np.abs(sound).max(axis=0) > 0.02
    for one, two in pairwise([row for row in rows if row['speaker'] == 'B'][:5]):
        middle = int((one['start'] + one['end']) / 2 * 24_000)
        gap = int((one['end'] + two['start']) / 2 * 24_000)
        assert loud[middle - 240 : middle + 240].any()
        assert not loud[gap - 60 : gap + 60].any()


def test_two_processes_make_the_same_shards_as_one(
    talks: Any, tmp_path: Path, prepare: Any
) -> None:
    for name in 'abc':
        talks.add(name)
    assert prepare() == 0
    assert prepare('--workers', '2', out='two') == 0
    assert sums(tmp_path / 'data') == sums(tmp_path / 'two')


@pytest.mark.models
def test_mimi_by_windows_hears_what_it_hears_at_once(
    talks: Any, tmp_path: Path, prepare: Any
) -> None:
    """A small random Mimi."""
    import torch

    from kame_ros.s2s.moshi.checkpoint import find
    from kame_ros.s2s.moshi.load import load_mimi
    from kame_ros.s2s.moshi.random_checkpoint import write

    where = str(write(tmp_path / 'random'))
    (tmp_path / 'random' / 'model.safetensors').unlink()  # 16 GB in earnest, and not needed
    for name in 'ab':
        talks.add(name, turns=6)
    assert prepare(checkpoint=where) == 0
    windows = list(recording.frames(talks.audio / 'a.flac'))
    sound = torch.from_numpy(np.concatenate(windows, axis=1))
    with torch.inference_mode():
        wanted = load_mimi(find(where, weights=False, codec=True)).encode(sound[:, None]).numpy()
    data = data_file.read(tmp_path / 'data')
    reader = shard_file.ShardReader(tmp_path / 'data', data.shards[0])
    found = np.stack([reader.frames(0, key, 0, 10**6) for key in ('robot', 'user')])
    assert found.shape == wanted.shape
    assert (found == wanted).mean() > 0.99
    assert len(data.head.silence) == 8
    batch = ShardSource(tmp_path / 'data', batch=2, frames=40).batch(0)
    assert batch.codes.shape == (2, 17, 39)
    pytest.importorskip('matplotlib')
    picture = tmp_path / 'look.png'
    assert main(['train', 'look', str(tmp_path / 'data'), '-n', '3', '-o', str(picture)]) == 0
    assert picture.read_bytes().startswith(b'\x89PNG')
