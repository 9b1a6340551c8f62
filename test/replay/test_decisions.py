"""Two rows of decisions side by side: what is missing, what is new, what only moved."""

from __future__ import annotations

import pytest

from kame_ros.replay.decisions import Decided, compare


def row(text):
    """`a1 b2.5`: a at 1 s, b at 2.5 s."""
    return [Decided(word[0], float(word[1:])) for word in text.split()]


def found(record, replay):
    told = compare(row(record), row(replay))
    changes = [
        ''.join(d.what for d in each.record) + '>' + ''.join(d.what for d in each.replay)
        for each in told.differences
    ]
    return changes, [(m.record.what, m.record.t, m.replay.t) for m in told.moved]


@pytest.mark.parametrize(
    ('record', 'replay', 'changes', 'moved'),
    [
        ('', '', [], []),
        ('a1 b2', 'a1.3 b2.9', [], []),  # when does not count
        ('a1 b2', 'a1', ['b>'], []),
        ('a1', 'a1 c2', ['>c'], []),
        ('a1 b2 c3', 'a1 x2 c3', ['b>x'], []),
        ('a1 b1.2', 'b0.9 a1', [], [('b', 1.2, 0.9)]),
        ('a1 b2 c3 d3.1', 'c2.5 a2.6 b3 d3.2', [], [('c', 3.0, 2.5)]),
        ('a1 b2 c9', 'c1 a1.1 b2', ['>c', 'c>'], []),  # too far away: another one
        ('e1 a2 b2.1', 'e1 b2 a2.2 x3', ['>x'], [('b', 2.1, 2.0)]),
        ('a1 a5 b5.1', 'a1 b5 a5.2 a5.3', ['>a'], [('b', 5.1, 5.0)]),  # one more is one more
        ('a1 b1 c1', 'c1 b1 a1', [], None),
    ],
)
def test_two_rows(record, replay, changes, moved):
    told, pairs = found(record, replay)
    assert told == changes
    assert moved is None or pairs == moved


def test_what_moved_is_taken_from_both_sides_once():
    told = compare(row('a1 a1.1 b1.2'), row('b1 a1 x1.5'))
    left = [d.what for each in told.differences for d in each.record]
    new = [d.what for each in told.differences for d in each.replay]
    assert len(told.moved) + len(left) <= 3
    assert left == ['a']
    assert new == ['x']
