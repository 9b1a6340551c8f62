"""Batches of prepared data: crops of what lies in the shards, oracles drawn anew."""

from __future__ import annotations

import hashlib
import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_tokeniser import small_tokeniser

pytest.importorskip('safetensors')
pytest.importorskip('sentencepiece')

from kame_ros.training.data import data_file, shard_file
from kame_ros.training.data.arrival import ArrivedOracle, Latency, arrive
from kame_ros.training.data.data_file import DataFolder, Entry, Head, Shard
from kame_ros.training.data.dialogue import DataError
from kame_ros.training.data.layout import Example, Marks, for_training, oracle_axis
from kame_ros.training.data.shards import ShardSource

SURE = Latency(least=0.5, middle=0.5, most=0.5, spread=0, pace=(9, 9), aborted=0, lost=0)
SENTENCE = 'the capital of france is paris and the red cup is in the kitchen'
SILENCE = (7, 7, 0, 0, 7, 7, 0, 0)
LENGTHS = {'long': 400, 'middle': 160, 'short': 20, 'held': 100}


def dialogue(name: str, frames: int) -> dict[str, np.ndarray]:
    """Codes that tell the dialogue and the frame; an oracle every 0.8 s, half of them final."""
    rng = random.Random(name)
    number = list(LENGTHS).index(name)
    codes = np.arange(frames)[None] + 1000 * number + np.zeros((8, 1), int)
    text = np.array([rng.choice([3, 3, 3, 0, 9, 10, 11, 12]) for _ in range(frames)])
    oracles = [
        [0.8 * n, ' '.join(rng.choices(SENTENCE.split(), k=rng.randint(1, 9))), n % 2 == 1]
        for n in range(int(frames * 0.1))
    ]
    return {
        'robot': codes.astype(np.int16),
        'user': (codes + 10_000).astype(np.int16),
        'text': text.astype(np.int32),
        'quiet': np.array([rng.random() < 0.5 for _ in range(frames)], np.uint8),
        'words': shard_file._json([['A', 'hi', 0.0, 0.5], ['B', 'you', 1.0, 1.5]]),
        'oracles': shard_file._json(oracles),
    }


def write(folder: Path, left_out: str = '') -> Path:
    """Two shards of two dialogues each."""
    folder.mkdir()
    processor = small_tokeniser([SENTENCE] * 20, 300, pad_id=3)
    tokenizer = processor.serialized_model_proto()
    (folder / 'tokenizer.model').write_bytes(tokenizer)
    card = processor.vocab_size()
    head = Head(
        checkpoint='test',
        codec_file='',
        codebooks=8,
        card=512,
        text_card=card,
        marks=Marks(start=card),
        tokenizer_sha256=hashlib.sha256(tokenizer).hexdigest(),
        silence=SILENCE,
    )
    data = DataFolder(folder, head, complete=True)
    names = [name for name in LENGTHS if name != left_out]
    for number, pair in enumerate((names[:2], names[2:])):
        content = shard_file.content([dialogue(name, LENGTHS[name]) for name in pair])
        file = f'data-{number:05}.safetensors'
        (folder / file).write_bytes(content)
        entries = [Entry(name, 'A', LENGTHS[name], name == 'held', '') for name in pair]
        data.shards.append(Shard(file, entries, data_file.digest(content), len(content)))
    data.save()
    return folder


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp('shards') / 'data')


def source(folder: Path, **more: Any) -> ShardSource:
    return ShardSource(folder, **{'batch': 4, 'frames': 40, **more})


def dialogues_in(codes: np.ndarray) -> set[str]:
    return {list(LENGTHS)[row[1, 0] // 1000] for row in codes}


def oracles_of(name: str) -> list[ArrivedOracle]:
    rows = json.loads(dialogue(name, LENGTHS[name])['oracles'].tobytes())
    return [ArrivedOracle(*row) for row in rows]


def test_a_crop_is_a_part_of_the_whole_layout(folder: Path) -> None:
    """Also where an oracle is half fed when the crop begins."""
    data = source(folder, latency=SURE)
    marks, begun = data.info.marks, 0
    for number in range(60):
        crop = data.crop(number)
        made = dialogue(crop.name, LENGTHS[crop.name])
        part = slice(crop.first, crop.first + 40)
        events = arrive(oracles_of(crop.name), random.Random(1), SURE)
        frames = max(LENGTHS[crop.name], 40)
        wanted = oracle_axis(events, data._encode, frames, marks)[part]
        assert crop.example.oracle.tolist() == wanted.tolist()
        first = next((token for token in wanted.tolist() if token != marks.padding), marks.start)
        begun += first != marks.start
        length = min(40, LENGTHS[crop.name] - crop.first)
        for key in ('text', 'robot', 'user'):
            found = getattr(crop.example, key)
            assert (found[..., :length] == made[key][..., part]).all()
        assert (crop.quiet[:length] == made['quiet'][part]).all()
    assert begun > 5


def test_what_is_shorter_than_a_crop_is_filled_up(folder: Path) -> None:
    data = source(folder)
    crop = next(c for c in map(data.crop, range(400)) if c.name == 'short')
    assert crop.first == 0
    assert (crop.example.robot[:, 20:] == np.array(SILENCE)[:, None]).all()
    assert (crop.example.user[:, 20:] == np.array(SILENCE)[:, None]).all()
    assert (crop.example.text[20:] == 3).all()
    assert crop.quiet[20:].all()


def test_batches_are_what_the_model_takes(folder: Path) -> None:
    data = source(folder, latency=SURE, blank=0.0)
    batch = data.batch(3)
    assert batch.codes.shape == (4, 17, 39)
    assert batch.oracle.shape == (4, 1, 39)
    assert batch.quiet.shape == (4, 39)
    rows = dict(zip(LENGTHS, range(4), strict=True))
    for codes, oracle, quiet in zip(batch.codes, batch.oracle, batch.quiet, strict=True):
        name = list(LENGTHS)[codes[1, 0] // 1000]
        first = int(codes[1, 0] - 1000 * rows[name])
        if LENGTHS[name] < 40:
            continue
        made = {k: v[..., first : first + 40] for k, v in dialogue(name, LENGTHS[name]).items()}
        events = arrive(oracles_of(name), random.Random(0), SURE)
        axis = oracle_axis(events, data._encode, LENGTHS[name], data.info.marks)
        example = Example(made['text'], made['robot'], made['user'], axis[first : first + 40])
        wanted = for_training(example)
        assert (codes == wanted[0]).all()
        assert (oracle == wanted[1]).all()
        assert (quiet == made['quiet'][:39]).all()


@settings(max_examples=20, deadline=None)
@given(step=st.integers(0, 10**9), seed=st.integers(0, 99), rank=st.integers(0, 3))
def test_a_step_gives_the_same_batch_in_every_run(
    folder: Path, step: int, seed: int, rank: int
) -> None:
    one = source(folder, seed=seed, rank=rank, world=4)
    one.batch(step + 1)
    two = source(folder, seed=seed, rank=rank, world=4)
    for first, second in ((one.batch(step), two.batch(step)), (one.held_out(5), two.held_out(5))):
        assert (first.codes == second.codes).all()
        assert (first.oracle == second.oracle).all()
        assert (first.quiet == second.quiet).all()


def test_steps_ranks_and_seeds_give_other_batches(folder: Path) -> None:
    kinds = [{}, {'seed': 1}, {'rank': 1, 'world': 2}, {'rank': 0, 'world': 2}]
    made = [source(folder, **kind).batch(step) for kind in kinds for step in (0, 1)]
    assert len({batch.codes.tobytes() for batch in made}) == len(made)


def test_held_out_dialogues_are_never_trained_on(folder: Path) -> None:
    data = source(folder)
    assert (data.info.dialogues, data.info.held_out) == (3, 1)
    trained = [dialogues_in(data.batch(step).codes) for step in range(200)]
    assert set().union(*trained) == {'long', 'middle', 'short'}
    held = [dialogues_in(data.held_out(number).codes) for number in range(20)]
    assert set().union(*held) == {'held'}


def test_long_dialogues_come_more_often(folder: Path) -> None:
    data = source(folder, batch=50)
    seen = Counter(
        list(LENGTHS)[row[1, 0] // 1000] for step in range(20) for row in data.batch(step).codes
    )
    for name in ('long', 'middle', 'short'):
        assert seen[name] / 1000 == pytest.approx(LENGTHS[name] / 580, abs=0.05)


def test_the_latency_is_drawn_anew(folder: Path) -> None:
    """The first frames of a short dialogue, which always begin alike, get other oracles."""
    data = source(folder, frames=100, batch=8, blank=0.0)
    batches = [data.held_out(number) for number in range(4)]
    assert len({row.tobytes() for batch in batches for row in batch.codes}) == 1
    assert len({row.tobytes() for batch in batches for row in batch.oracle}) > 20


def test_some_crops_have_no_oracle(folder: Path) -> None:
    padding = 3
    none = source(folder, blank=1.0)
    assert (none.batch(0).oracle == padding).all()
    assert (none.held_out(0).oracle != padding).any()  # these always have theirs
    some = source(folder, batch=400, blank=0.3).batch(0).oracle
    always = source(folder, batch=400, blank=0.0).batch(0).oracle
    share = (some == padding).all(axis=(1, 2)).mean() - (always == padding).all(axis=(1, 2)).mean()
    assert share == pytest.approx(0.3, abs=0.08)


def change(folder: Path, name: str) -> None:
    path = folder / name
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(content)


def cut(folder: Path, name: str) -> None:
    path = folder / name
    path.write_bytes(path.read_bytes()[:-100])


def replace(old: str, new: str) -> Any:
    def edit(folder: Path, name: str) -> None:
        path = folder / name
        path.write_text(path.read_text().replace(old, new))

    return edit


@pytest.mark.parametrize(
    ('name', 'harm', 'reason'),
    [
        ('data-00001.safetensors', cut, r'data-00001.safetensors has \d+ bytes instead of'),
        ('data-00001.safetensors', lambda f, n: (f / n).unlink(), 'data-00001.safetensors is miss'),
        ('tokenizer.model', change, 'tokenizer.model is missing or damaged'),
        ('data.json', lambda f, n: (f / n).unlink(), 'there is no data.json'),
        ('data.json', cut, 'data.json cannot be read'),
        ('data.json', replace('"format": 2', '"format": 9'), 'another version of kame'),
        ('data.json', replace('"codec_file"', '"kodec_file"'), 'data.json is damaged'),
        ('data.json', replace('"complete": true', '"complete": false'), 'is not finished'),
        ('data.json', replace('"held_out": false', '"held_out": true'), 'no dialogue to train on'),
    ],
)
def test_a_folder_that_is_not_whole(tmp_path: Path, name: str, harm: Any, reason: str) -> None:
    folder = write(tmp_path / 'data')
    harm(folder, name)
    with pytest.raises(DataError, match=reason):
        source(folder)


def test_a_changed_bit_is_found_when_the_shard_is_read(tmp_path: Path) -> None:
    folder = write(tmp_path / 'data')
    change(folder, 'data-00001.safetensors')
    data = source(folder)
    with pytest.raises(DataError, match=r'00001\.safetensors is damaged.*prepare" again'):
        data.held_out(0)
    with pytest.raises(DataError, match=r'00001\.safetensors is damaged'):
        data.verify()
    source(write(tmp_path / 'whole')).verify()


def test_nothing_is_held_out(tmp_path: Path) -> None:
    data = source(write(tmp_path / 'data', left_out='held'))
    assert data.info.held_out == 0
    data.batch(0)
    with pytest.raises(DataError, match='no held-out dialogues'):
        data.held_out(0)
