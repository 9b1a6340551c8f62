"""Files of training data: whole or not there."""

import numpy as np
import pytest

from kame_ros.training.small import bank_file


def test_a_file_is_whole_when_all_of_it_can_be_read(tmp_path):
    path = tmp_path / 'x.npz'
    assert not bank_file.is_whole(path)
    bank_file.write(path, {'a': np.arange(9000), 'made_of': np.array('these books')})
    assert bank_file.is_whole(path)
    assert bank_file.is_whole(path, 'these books')
    assert not bank_file.is_whole(path, 'others')
    assert [file.name for file in tmp_path.iterdir()] == ['x.npz']


@pytest.mark.parametrize('keep', [0, 10, 3000])
def test_a_broken_file_is_known(tmp_path, keep):
    path = tmp_path / 'x.npz'
    bank_file.write(path, {'a': np.arange(9000)})
    path.write_bytes(path.read_bytes()[:keep])
    assert not bank_file.is_whole(path)


def test_a_changed_byte_is_known(tmp_path):
    path = tmp_path / 'x.npz'
    bank_file.write(path, {'a': np.random.default_rng(0).random(2000)})
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert not bank_file.is_whole(path)


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path, monkeypatch):
    path = tmp_path / 'x.npz'
    bank_file.write(path, {'a': np.arange(3)})

    def full(*args, **arrays):
        raise OSError('no space left on device')

    monkeypatch.setattr(np, 'savez_compressed', full)
    with pytest.raises(OSError, match='no space'):
        bank_file.write(path, {'a': np.arange(4)})
    assert bank_file.is_whole(path)
    assert [file.name for file in tmp_path.iterdir()] == ['x.npz']


def test_books_have_a_name_that_changes_with_them(tmp_path, monkeypatch):
    before = bank_file.books()
    assert before == bank_file.books()
    other = tmp_path / 'pieces.json'
    other.write_text('[""]')
    monkeypatch.setattr('kame_ros.s2s.small.pieces.FILE', other)
    assert bank_file.books() != before
