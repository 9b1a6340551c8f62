import itertools

import pytest

from kame_ros.text.edits import edits


def test_words_left_out_put_in_and_changed():
    assert edits(['a', 'b', 'c'], ['a', 'x', 'c', 'd']) == 2
    assert edits([], ['a', 'b']) == edits(['a', 'b'], []) == 2


def test_letters():
    assert edits('kitten', 'sitting') == 3
    assert edits('okay', 'okay') == 0


def test_what_is_said_before_costs_nothing_where_that_is_asked():
    wanted, found = ['a', 'b', 'c'], ['x', 'y', 'a', 'c', 'd']
    assert edits(wanted, found) == 4
    assert edits(wanted, found, after_others=True) == 2
    assert edits(wanted, [], after_others=True) == 3


def test_as_rapidfuzz_counts():
    levenshtein = pytest.importorskip('rapidfuzz.distance.Levenshtein', reason='make setup-eval')
    texts = [''.join(t) for n in range(4) for t in itertools.product('ab', repeat=n)]
    assert len(texts) == 15
    for one, two in itertools.product(texts, texts):
        assert edits(one, two) == levenshtein.distance(one, two)
