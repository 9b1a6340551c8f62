"""Scenes made by another process while the model trains."""

import fake_bank
import numpy as np
import pytest

torch = pytest.importorskip('torch')

from kame_ros.training.run.state import TrainingError  # noqa: E402
from kame_ros.training.small import bank_file  # noqa: E402
from kame_ros.training.small.ingredients import CHUNK, Ingredients, stacked  # noqa: E402
from kame_ros.training.small.pool import Pool  # noqa: E402

FRAMES = 40


@pytest.fixture
def ingredients(tmp_path):
    fake_bank.write_whole(tmp_path)
    return Ingredients.of(tmp_path, 6, FRAMES)


def test_a_bank_tells_what_its_tokens_are(ingredients):
    assert ingredients.phrase_counts == fake_bank.PHRASE_COUNTS
    assert ingredients.silence.tolist() == [511] * 8
    assert len(ingredients.begins_word) == fake_bank.PIECES
    assert [path.name for path in ingredients.users] == ['users_00.npz', 'users_01.npz']


def test_speech_of_other_codes_is_not_trained_on(tmp_path):
    fake_bank.write_whole(tmp_path)
    known = Ingredients.of(tmp_path, 6, FRAMES).robot
    with np.load(known[0]) as file:
        other = {name: file[name] for name in file.files} | {'made_of': np.array('other codes')}
    bank_file.write(tmp_path / 'robot_99.npz', other)
    assert Ingredients.of(tmp_path, 6, FRAMES).robot == known
    bank_file.write(known[0], other)
    assert known[0] not in Ingredients.of(tmp_path, 6, FRAMES).robot
    (tmp_path / 'robot_99.npz').write_bytes(b'broken')
    with pytest.raises(ValueError, match=r'robot_99\.npz is broken'):
        Ingredients.of(tmp_path, 6, FRAMES)


def test_batches_are_of_the_scenes_that_a_process_makes(ingredients):
    pool = Pool(ingredients, 3 * CHUNK, 1, seed=2, device='cpu')
    try:
        batch = pool.batch(0, 8)
        assert pool.made >= CHUNK
        assert {name: tuple(stream.shape[1:]) for name, stream in batch.items()} == {
            'ear': (FRAMES, 84), 'codes': (FRAMES, 8), 'said': (FRAMES,),
            'window': (FRAMES, 6), 'mark': (FRAMES,),
        }  # fmt: skip
        for _ in range(4):  # more than there is room for
            pool.refill(wait=True)
        maker = ingredients.maker(2 * 1000)
        made = [stacked([maker.scene(FRAMES)])['codes'][0] for _ in range(pool.made)]
        newest = {codes.tobytes() for codes in made[-3 * CHUNK :]}
        drawn = {codes.numpy().tobytes() for codes in pool.batch(1, 64)['codes']}
        assert len(drawn) > 5  # some are silence from end to end
        assert drawn <= newest
    finally:
        pool.close()


@pytest.mark.filterwarnings('ignore')
def test_a_process_that_fails_is_told_of(ingredients, capfd):
    ingredients.robot[0].unlink()
    pool = Pool(ingredients, CHUNK, 1, seed=0, device='cpu')
    try:
        with pytest.raises(TrainingError, match='has ended'):
            pool.batch(0, 8)
    finally:
        pool.close()
