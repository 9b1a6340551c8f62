from __future__ import annotations

from collections import Counter

import pytest

from kame_ros.s2s.small.pieces import Pieces
from kame_ros.training.small.piece_maker import make, pieces_of

ALPHABET = ' abcdˈ.,'
COUNTS = Counter({'abcd': 10, 'abˈab': 7, 'cd': 3, 'abcdab': 1})


def test_sounds_that_often_meet_become_pieces():
    names = pieces_of(COUNTS, ALPHABET, 40)
    assert names[0] == ''
    assert {' abcd', 'ˈab', ' cd'} <= set(names)
    assert len(names) <= 40
    assert len(set(names)) == len(names)


def test_a_piece_has_four_sounds_at_most():
    names = pieces_of(COUNTS, ALPHABET, 60)
    assert max(sum(c not in ' ˈˌ' for c in name) for name in names) == 4


def test_the_size_is_kept_and_letters_are_always_there():
    names = pieces_of(COUNTS, ALPHABET, 25)
    assert len(names) == 25
    assert {*'abcd', 'ˈ', '.', ','} <= set(names)
    pieces = Pieces(names)
    said = [names[token] for token in pieces.encode('ddaˈc, b.')]
    assert ''.join(said).replace(' ', '') == 'ddaˈc,b.'


@pytest.mark.models
def test_pieces_of_a_small_corpus(texts):
    names = make(texts, 12)
    assert 100 < len(names) <= 1200
