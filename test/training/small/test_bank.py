"""What scenes are made of, read from files."""

import fake_bank
import numpy as np

from kame_ros.training.small.bank import Sentences, UserKind, Users


def test_the_first_piece_of_a_sentence_begins_in_its_first_frame(tmp_path):
    fake_bank.write(tmp_path)
    path = tmp_path / 'robot_0.npz'
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    arrays['piece_frames'] = arrays['piece_frames'] + 1
    np.savez(path, **arrays)
    sentences = Sentences([path])
    assert len(sentences) == len(sentences.texts) == 60
    assert {int(sentences[n].frames[0]) for n in range(len(sentences))} == {0}
    assert sentences[0].frames[1:3].tolist() == [3, 5]


def test_users_of_several_files_are_drawn_alike(tmp_path):
    fake_bank.write(tmp_path)
    path = tmp_path / 'users.npz'
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    louder = np.where(arrays['features'] >= 100, arrays['features'] + 100, arrays['features'])
    np.savez(tmp_path / 'louder.npz', **{**arrays, 'features': louder})
    users, rng = Users([path, tmp_path / 'louder.npz']), np.random.default_rng(1)
    drawn = [users.draw(rng, UserKind.STATEMENT, 1) for _ in range(40)]
    assert {int(value) for features in drawn for value in np.unique(features)} == {102, 202}
    assert users.background(rng, 0, 900).shape == (900, 84)
    assert np.unique(users.background(rng, 0, 900)).tolist() == [fake_bank.BACKGROUND]
