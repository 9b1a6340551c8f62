from __future__ import annotations

import numpy as np
import pytest

from kame_ros.s2s.small.units import CARD, Codebooks, nearest
from kame_ros.training.small.codebooks import kmeans, make


def test_clusters_that_are_apart_are_found():
    rng = np.random.default_rng(1)
    wanted = np.array([[0, 0], [10, 0], [0, 10], [10, 10]], np.float32)
    vectors = np.concatenate([w + rng.normal(0, 0.1, (50, 2)) for w in wanted]).astype(np.float32)
    found = kmeans(vectors, 8)
    assert found.dtype == np.float32
    errors = np.linalg.norm(vectors - found[nearest(vectors, found)], axis=1)
    assert errors.max() < 1


def test_no_cluster_is_lost_where_vectors_are_few():
    found = kmeans(np.eye(3, dtype=np.float32), 5)
    assert found.shape == (5, 3)
    assert np.isfinite(found).all()


@pytest.mark.models
def test_books_of_a_small_corpus(texts, tmp_path):
    made = make(texts, 12)
    np.savez(tmp_path / 'books.npz', **made)
    books = Codebooks.load(tmp_path / 'books.npz')
    assert books.first.shape == (CARD, 128)
    assert made['first'].dtype == np.float16
    assert books.decode(books.silence[None])[129].max() < -1.3
