"""`kame train prepare`: recordings to shards, resumed and mended."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip('torch')  # test/s2s/moshi hides that moshi is missing
pytest.importorskip('moshi')
soundfile = pytest.importorskip('soundfile')

from kame_ros.cli import main  # noqa: E402
from kame_ros.runtime.weights import file_sha256  # noqa: E402
from kame_ros.training.data import data_file, recording, shard_file  # noqa: E402
from kame_ros.training.data.dialogue import DataError  # noqa: E402
from kame_ros.training.data.layout import monologue  # noqa: E402
from kame_ros.training.data.prepare import Preparation, held_out  # noqa: E402
from kame_ros.training.data.shards import ShardSource  # noqa: E402
from kame_ros.training.oracles import oracle_file  # noqa: E402


def sums(folder: Path) -> dict[str, str]:
    return {path.name: file_sha256(path) for path in sorted(folder.glob('data-*'))}


def test_a_shard_holds_what_was_said(talks: Any, tmp_path: Path, prepare: Any) -> None:
    rows = talks.add('one', rate=24_000, suffix='wav')
    talks.add('two', words=6)
    talks.make_oracles()
    assert prepare('--held-out', '0') == 0
    data = data_file.read(tmp_path / 'data')
    assert [entry.name for entry in data.entries()] == ['one', 'two']
    assert not (tmp_path / 'data' / 'parts').exists()
    reader = shard_file.ShardReader(tmp_path / 'data', data.shards[0])
    frames = -(-soundfile.info(talks.audio / 'one.wav').frames // 1920)
    assert data.entries()[0].frames == frames
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


def test_swapped_channels(talks: Any, tmp_path: Path, prepare: Any, said: Any) -> None:
    talks.add('one')
    assert prepare(out='straight') == 0
    assert prepare('--swap', out='wrong') == 1
    assert 'run it without --swap' in said()
    talks.add('one', change=lambda sound: sound[:, ::-1])
    assert prepare(out='wrong') == 1
    assert 'run it with --swap' in said()
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
        assert prepare(*small) == 130
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
    talks: Any, tmp_path: Path, prepare: Any, encodings: list[int], monkeypatch: Any, said: Any
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
    told = said()
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
    talks: Any, tmp_path: Path, prepare: Any, encodings: list[int], said: Any, how: str
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
    assert 'data-00001.safetensors' in said().replace(' ', '')
    encodings.clear()
    assert prepare('--shard-mb', '0.011', '--speaker', 'both') == 0
    assert 'made anew' in said()
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


def test_the_other_speaker_is_added_while_a_shard_is_mended(
    talks: Any, tmp_path: Path, prepare: Any, encodings: list[int]
) -> None:
    for name in 'ab':
        talks.add(name)
    assert prepare('--speaker', 'both', out='wanted') == 0
    assert prepare() == 0
    (tmp_path / 'data' / 'data-00000.safetensors').unlink()
    encodings.clear()
    assert prepare('--speaker', 'both') == 0
    assert len(encodings) == 2  # each is encoded once for both of its shards
    data = data_file.read(tmp_path / 'data')
    assert [(e.name, e.robot) for e in data.entries()] == [(n, r) for r in 'AB' for n in 'ab']
    held = {e.name: e.held_out for e in data_file.read(tmp_path / 'wanted').entries()}
    assert all(entry.held_out == held[entry.name] for entry in data.entries())


def test_changed_files_and_other_checkpoints_are_refused(
    talks: Any, tmp_path: Path, prepare: Any, said: Any
) -> None:
    talks.add('a')
    assert prepare() == 0
    talks.add('a', words=6)
    assert prepare() == 1
    assert 'the files of a are others' in said()
    path = tmp_path / 'data' / 'data.json'
    path.write_text(path.read_text().replace('"card": 256', '"card": 2048'))
    assert prepare() == 1
    assert 'this one has card 256 instead of 2048' in said()
    path.write_text('{')
    assert prepare() == 1
    assert 'data.json cannot be read' in said()


def test_what_is_held_out_depends_on_names_alone() -> None:
    names = [f'talk{number}' for number in range(400)]
    chosen = held_out(names, 0.1)
    assert 20 < sum(chosen.values()) < 65
    assert held_out(names[:200], 0.1).items() <= chosen.items()
    assert sum(held_out(names, 0.0).values()) == 0
    assert sum(held_out(names[:2], 1e-9).values()) == 1
    assert sum(held_out(names[:1], 0.05).values()) == 0


def test_what_comes_later_is_held_out_where_nothing_is() -> None:
    """What was decided stays, but two dialogues or more have one to evaluate on."""
    names = [f'talk{number}' for number in range(4)]
    least = next(name for name, held in held_out(names, 1e-9).items() if held)
    for decided in ({least: False}, {least: False, names[0]: False, names[1]: False}):
        chosen = held_out(names, 1e-9, decided)
        assert decided.items() <= chosen.items()
        assert sum(chosen.values()) == 1
    all_decided = dict.fromkeys(names, False)
    assert held_out(names, 1e-9, all_decided) == all_decided
    assert sum(held_out(names, 1e-9, {names[0]: True}).values()) == 1
    assert sum(held_out(names, 0.0, {least: False}).values()) == 0


def test_a_name_may_hold_bytes_that_are_no_text(talks: Any, tmp_path: Path, prepare: Any) -> None:
    talks.add('one')
    talks.add('two')
    for folder, ending in ((talks.audio, '.flac'), (talks.text, '.json')):
        try:
            (folder / f'one{ending}').rename(
                os.fsdecode(os.fsencode(folder) + b'/caf\xe9') + ending
            )
        except OSError:
            pytest.skip('this file system has only names in UTF-8')
    talks.make_oracles()
    assert prepare() == 0
    names = {entry.name for entry in data_file.read(tmp_path / 'data').entries()}
    assert names == {'caf\\udce9', 'two'}


def test_two_processes_make_the_same_shards_as_one(
    talks: Any, tmp_path: Path, prepare: Any
) -> None:
    for name in 'abc':
        talks.add(name)
    assert prepare() == 0
    assert prepare('--workers', '2', out='two') == 0
    assert sums(tmp_path / 'data') == sums(tmp_path / 'two')


def test_mimi_by_windows_hears_what_it_hears_at_once(
    talks: Any, tmp_path: Path, prepare: Any, kame: Path, said: Any
) -> None:
    import torch

    from kame_ros.s2s.moshi.weights.checkpoint import find
    from kame_ros.s2s.moshi.weights.load import load_mimi
    from kame_ros.s2s.moshi.weights.random_checkpoint import write

    where, other = tmp_path / 'random', write(tmp_path / 'other', seed=1)
    shutil.copytree(kame, where)
    (where / 'model.safetensors').unlink()  # 16 GB in earnest, and not needed
    for name in 'ab':
        talks.add(name, turns=6)
    assert prepare(checkpoint=str(where)) == 0
    windows = list(recording.frames(talks.audio / 'a.flac'))
    sound = torch.from_numpy(np.concatenate(windows, axis=1))
    with torch.inference_mode():
        wanted = (
            load_mimi(find(str(where), weights=False, codec=True)).encode(sound[:, None]).numpy()
        )
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
    look = ['train', 'look', str(tmp_path / 'data'), '-n', '3', '-o', str(picture)]
    assert main([*look, '--checkpoint', str(other)]) == 1
    assert 'has another Mimi than the data' in said()
    assert main(look) == 0
    assert picture.read_bytes().startswith(b'\x89PNG')
