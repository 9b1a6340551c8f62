from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kame_ros.s2s.small.phrases import OWN_PHRASES
from kame_ros.s2s.small.pieces import Pieces
from kame_ros.training.small.corpus import Corpus
from kame_ros.training.small.robot_bank import (
    Teller,
    ToldSentence,
    hours_in,
    keep,
    make,
    one_a_frame,
)


def test_of_two_pieces_in_a_frame_the_later_one_moves():
    assert one_a_frame(np.array([0, 0, 2, 2, 9]), 20).tolist() == [0, 1, 2, 3, 9]
    assert one_a_frame(np.array([0, 4, 5, 5]), 6).tolist() == [0, 3, 4, 5]
    assert one_a_frame(np.array([0, 0, 0]), 2) is None
    assert one_a_frame(np.zeros(0, np.int64), 2).tolist() == []


@given(st.lists(st.integers(0, 9), max_size=12), st.integers(9, 15))
def test_frames_are_in_order_and_within(onsets, end):
    frames = one_a_frame(np.sort(np.array(onsets, np.int64)), end)
    if frames is None:
        assert len(onsets) > end
    else:
        assert (np.diff(frames) > 0).all()
        assert all(0 <= frame < end for frame in frames)


def test_sentences_are_kept_one_after_the_other(tmp_path):
    spoken = [
        ToldSentence(text, np.full((n, 8), n, np.int16), np.arange(k, dtype=np.int16),
               np.arange(k, dtype=np.int16))
        for text, n, k in (('One.', 5, 2), ('Two or three.', 9, 4))
    ]  # fmt: skip
    keep(tmp_path / 'x.npz', spoken)
    assert [path.name for path in tmp_path.iterdir()] == ['x.npz']
    with np.load(tmp_path / 'x.npz') as file:
        assert file['starts'].tolist() == [0, 5, 14]
        assert file['piece_starts'].tolist() == [0, 2, 6]
        assert file['codes'][5:14].tolist() == [[9] * 8] * 9
        assert file['texts'].tolist() == ['One.', 'Two or three.']
        assert {file[name].dtype for name in ('codes', 'pieces', 'piece_frames')} == {
            np.dtype('int16')
        }


@pytest.mark.models
def test_a_sentence_is_told_in_pieces():
    (told,) = Teller().tell(['The capital of France is Paris.'])
    names = Pieces.load().names
    assert ''.join(names[token] for token in told.pieces) == ' ðə kˈæpəTᵊl ʌv fɹˈæns ɪz pˈɛɹəs.'
    assert (np.diff(told.frames) > 0).all()
    assert told.frames[0] <= 1
    assert told.frames[-1] < len(told.codes) - 1


@pytest.mark.models
def test_what_is_no_sentence_is_counted():
    teller = Teller()
    assert list(teller.tell(['...', 'One is. Two are.'])) == []
    assert teller.left_out == 2


@pytest.mark.models
def test_a_bank_is_made_once(texts, tmp_path, monkeypatch):
    monkeypatch.setattr('kame_ros.training.small.robot_bank.SENTENCES', 4)
    monkeypatch.setattr('kame_ros.training.small.robot_bank.HELD_OUT', 2)
    told = []
    make(texts, tmp_path, 0.004, told.append)
    made = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob('*.npz')}
    assert {'robot_00.npz', 'robot_01.npz', 'held_out.npz'} <= set(made)
    assert told[-1] == hours_in(tmp_path) >= 0.004
    with np.load(tmp_path / 'phrases.npz') as file:
        assert file['texts'].tolist() == list(OWN_PHRASES)
    make(texts, tmp_path, 0.004)
    assert made == {path.name: path.stat().st_mtime_ns for path in tmp_path.glob('*.npz')}


def test_texts_are_asked_for(tmp_path):
    with pytest.raises(FileNotFoundError, match='wordnet'):
        Corpus(tmp_path)
