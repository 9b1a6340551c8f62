from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kame_ros.s2s.small.units import CARD, CODES, FILE, ROWS, Codebooks

BOOKS = Codebooks.load()
CODES_OF_FRAMES = arrays(np.int16, (5, CODES), elements=st.integers(0, CARD - 1))


def test_the_shipped_books_are_whole():
    assert BOOKS.first.shape == BOOKS.second.shape == (CARD, 128)
    assert BOOKS.pitch.shape == BOOKS.energy.shape == (CARD, 6)
    assert all(np.isfinite(getattr(BOOKS, name)).all() for name in BOOKS.names())
    assert BOOKS.silence.shape == (CODES,)
    assert FILE.stat().st_size < 300_000


def test_silence_is_quiet_and_has_no_pitch():
    features = BOOKS.decode(BOOKS.silence[None])
    assert features[129].max() < -1.5
    assert np.exp(5 * features[128]).max() - 1 < 40  # Hz


@settings(max_examples=20)
@given(CODES_OF_FRAMES)
def test_features_of_codes_are_two_alike_for_each_unit(codes):
    features = BOOKS.decode(codes)
    assert features.shape == (ROWS, 30)
    assert (features[:128, ::2] == features[:128, 1::2]).all()


@settings(max_examples=20)
@given(CODES_OF_FRAMES)
def test_coding_again_gives_nearly_the_same(codes):
    features = BOOKS.decode(codes)
    again = BOOKS.decode(BOOKS.encode(features))
    error = ((again - features)[:128, ::2] ** 2).sum(axis=0)
    assert (error <= (BOOKS.second[codes[:, 3:6].reshape(-1)] ** 2).sum(axis=1).max() + 1e-3).all()
    assert np.allclose(again[128:], features[128:], atol=1e-3)


def test_the_last_values_fill_the_last_frame():
    features = BOOKS.decode(np.tile(BOOKS.silence, (2, 1)))
    filled = np.concatenate([features[:, :7], np.repeat(features[:, 6:7], 5, axis=1)], axis=1)
    assert (BOOKS.encode(features[:, :7]) == BOOKS.encode(filled)).all()
    assert BOOKS.encode(features[:, :0]).shape == (0, CODES)


@pytest.mark.parametrize(
    'codes', [np.zeros((2, 7), int), np.zeros(8, int), np.full((1, 8), CARD), np.full((1, 8), -1)]
)
def test_what_is_no_code_is_refused(codes):
    with pytest.raises(ValueError, match='from 0 to 511'):
        BOOKS.decode(codes)


def test_a_file_that_is_no_codebook_is_refused(tmp_path):
    np.savez(tmp_path / 'x.npz', first=np.zeros(1))
    with pytest.raises(ValueError, match='no file of codebooks'):
        Codebooks.load(tmp_path / 'x.npz')
