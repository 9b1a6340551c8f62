"""How much of what the robot was told it has said."""

from __future__ import annotations

import random

import pytest

from kame_ros.s2s.moshi.oracle.recall import Recall, recalled


@pytest.mark.parametrize(
    ('told', 'said', 'count'),
    [
        ('', '', 0),
        ('abc', '', 0),
        ('', 'abc', 0),
        ('abc', 'abc', 3),
        ('abc', 'xaybzc', 3),
        ('abc', 'cba', 1),
        ('abcd', 'bd', 2),
        ('aab', 'ab', 2),
    ],
)
def test_words_in_their_order(told, said, count):
    assert recalled([*map(ord, told)], [*map(ord, said)]) == count


def test_as_the_plain_definition_has_it():
    def slow(told, said):
        if not told or not said:
            return 0
        if told[0] == said[0]:
            return 1 + slow(told[1:], said[1:])
        return max(slow(told[1:], said), slow(told, said[1:]))

    rng = random.Random(0)
    for _ in range(100):
        told, said = ([rng.randrange(4) for _ in range(rng.randrange(8))] for _ in range(2))
        assert recalled(told, said) == slow(told, said)


def test_the_last_texts_count_by_their_length():
    recall = Recall(window=2)
    assert recall.value == 1.0
    recall.add(recalled([], [1]), 0)
    assert recall.value == 1.0
    recall.add(recalled([1, 2], []), 2)
    assert recall.value == 0.0
    recall.add(recalled([1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5, 6]), 6)
    assert recall.value == 0.75
    recall.add(recalled([1, 2], [1]), 2)
    assert recall.value == 7 / 8
