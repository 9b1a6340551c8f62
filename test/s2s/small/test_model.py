"""A model is read whole, or one sentence says what is wrong with it."""

import json

import numpy as np
import pytest
from random_small import LITTLE, SILENCE, random_tensors, write
from safetensors.numpy import load_file, save_file

from kame_ros.runtime.weights import CorruptWeights, MissingWeights
from kame_ros.s2s.small.model import SmallModel
from kame_ros.s2s.small.turn_end import FILE as TURN_END


def test_a_model_is_read_as_training_writes_it(tmp_path):
    loaded = SmallModel.load(write(tmp_path, LITTLE, seed=1))
    made = SmallModel.of(LITTLE, SILENCE, random_tensors(LITTLE, seed=1))
    assert loaded.size == LITTLE
    assert loaded.silence.tolist() == SILENCE.tolist()
    for name in ('head', 'depth_head', 'codes', 'window_in'):
        mine, theirs = getattr(loaded, name), getattr(made, name)
        assert mine.dtype == np.float32
        np.testing.assert_allclose(mine, theirs, atol=0.02)


def test_a_folder_without_a_model(tmp_path):
    with pytest.raises(MissingWeights, match=r'no config\.json'):
        SmallModel.load(tmp_path)
    folder = write(tmp_path)
    for path in folder.glob('*.safetensors'):
        path.unlink()
    (folder / TURN_END).touch()  # no part of the model itself
    with pytest.raises(MissingWeights, match=r'no model\.safetensors'):
        SmallModel.load(folder)


@pytest.mark.parametrize(
    ('changed', 'words'),
    [
        ({'silence': [1, 2]}, 'silence must be 8 codes'),
        ({'silence': [600] * 8}, 'silence must be 8 codes below 512'),
        ({'depth': {'width': 3}}, 'does not describe'),
        ({'dim': 96}, r'ear\.weight is \[84, 48\], not \[84, 96\]'),
        ({'layers': 3}, 'lacks the tensor layers.2'),
        ({'heads': 5}, 'does not describe'),
        ({'pieces': '40'}, 'does not describe'),
        ({'silence': [1e30] * 8}, 'does not describe'),
        ({'silence': [10**40] * 8}, 'does not describe'),
    ],
)
def test_a_model_that_is_described_wrongly(tmp_path, changed, words):
    folder = write(tmp_path)
    path = folder / 'config.json'
    path.write_text(json.dumps({**json.loads(path.read_text()), **changed}))
    with pytest.raises(CorruptWeights, match=words):
        SmallModel.load(folder)


@pytest.mark.parametrize('content', ['[]', '"x"', '5', 'null', '{}', '[' * 100_000, '{"pieces"'])
def test_a_description_that_is_none(tmp_path, content):
    folder = write(tmp_path)
    (folder / 'config.json').write_text(content)
    with pytest.raises(CorruptWeights, match='does not describe'):
        SmallModel.load(folder)


def test_a_file_that_is_broken(tmp_path):
    folder = write(tmp_path)
    path = folder / 'model-0.safetensors'
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CorruptWeights, match='no whole safetensors file'):
        SmallModel.load(folder)
    path.write_bytes(whole)
    tensors = load_file(path)
    next(iter(tensors.values())).flat[0] = np.nan
    save_file(tensors, path)
    with pytest.raises(CorruptWeights, match='numbers that are none'):
        SmallModel.load(folder)


@pytest.mark.parametrize('kind', ['BF16', 'F8_E4M3'])
def test_numbers_of_a_kind_that_numpy_has_not(tmp_path, kind):
    folder = write(tmp_path)
    path = folder / 'model-0.safetensors'
    size = {'BF16': 2, 'F8_E4M3': 1}[kind]
    tensor = {'dtype': kind, 'shape': [4], 'data_offsets': [0, 4 * size]}
    header = json.dumps({'a': tensor}).encode()
    path.write_bytes(len(header).to_bytes(8, 'little') + header + bytes(4 * size))
    with pytest.raises(CorruptWeights, match='float16 or float32'):
        SmallModel.load(folder)
