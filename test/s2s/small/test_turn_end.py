"""The head that tells the end of a turn: read from a file or refused, one frame at a time."""

import numpy as np
import pytest
from safetensors.numpy import save_file

from kame_ros.runtime.weights import CorruptWeights
from kame_ros.s2s.small.can_run import FOLDER
from kame_ros.s2s.small.turn_end import FILE, PREFIX, TurnEndHead, TurnEndWeights

DIM = 4


def arrays():
    rng = np.random.Generator(np.random.Philox(0))
    shapes = {
        'first': (2 * (DIM + 84), 5),
        'first_bias': (5,),
        'head': (5, 1),
        'head_bias': (1,),
    }
    return {name: rng.standard_normal(shape).astype(np.float16) for name, shape in shapes.items()}


def write(folder, found):
    save_file({PREFIX + name: value for name, value in found.items()}, folder / FILE)
    return folder


def test_it_tells_what_its_file_says_of_this_frame_and_the_one_before(tmp_path):
    weights = TurnEndWeights.load(write(tmp_path, arrays()), DIM)
    head = TurnEndHead(weights)
    frames = np.random.Generator(np.random.Philox(1)).random((3, DIM + 84)).astype(np.float32)
    told = [head.hear(frame) for frame in frames]
    seen = np.concatenate((frames[1], frames[2]))
    w = {name: value.astype(np.float32) for name, value in arrays().items()}
    first = np.maximum(seen @ w['first'] + w['first_bias'], 0)
    assert told[2] == pytest.approx(float((first @ w['head'])[0] + w['head_bias'][0]), rel=1e-4)
    assert head.odds == told[2]
    head.reset()
    assert head.odds == -np.inf
    assert [head.hear(frame) for frame in frames] == told


def test_a_model_without_one_has_none(tmp_path):
    assert TurnEndWeights.load(tmp_path, DIM) is None


@pytest.mark.parametrize(
    ('change', 'why'),
    [
        (lambda w: w.pop('head'), 'lacks head'),
        (lambda w: w.update(head=w['first']), r'head is \[176, 5\], not \[5, 1\]'),
        (lambda w: w['head_bias'].fill(np.nan), 'numbers that are none'),
    ],
)
def test_what_is_no_such_network_is_refused(tmp_path, change, why):
    found = arrays()
    change(found)
    with pytest.raises(CorruptWeights, match=why):
        TurnEndWeights.load(write(tmp_path, found), DIM)


def test_a_broken_file_and_one_of_another_model_are_refused(tmp_path):
    with pytest.raises(CorruptWeights, match='not'):
        TurnEndWeights.load(write(tmp_path, arrays()), DIM + 1)
    (tmp_path / FILE).write_bytes(b'nonsense')
    with pytest.raises(CorruptWeights, match='no whole safetensors file'):
        TurnEndWeights.load(tmp_path, DIM)


def test_the_model_of_this_package_has_one():
    assert TurnEndWeights.load(FOLDER, 384) is not None
