"""What comes by several ways is given on once."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from kame_ros.runtime.once import Once

WAYS = {'reliable': True, 'latched': True, 'best effort': False}


def run(came: list[tuple[float, str, bytes]]) -> list[bytes]:
    once, out = Once(), []
    for now, way, message in came:
        out += once.due(now)
        if once.put(way, message, now, sure=WAYS[way]):
            out.append(message)
    return out + once.due(1e9)


def test_one_way_changes_nothing() -> None:
    words = [b'the', b'the', b'end', b'the']
    for way in WAYS:
        assert run([(0.1 * k, way, word) for k, word in enumerate(words)]) == words


def test_two_ways_are_as_one() -> None:
    both = [(t, way, w) for t, w in ((0.0, b'a'), (0.1, b'a'), (0.2, b'b')) for way in WAYS]
    assert run(both) == [b'a', b'a', b'b']


def test_an_unsure_way_overtakes_nobody() -> None:
    came = [
        (0.0, 'best effort', b'2'),
        (0.1, 'reliable', b'1'),
        (0.2, 'reliable', b'2'),
        (0.3, 'best effort', b'4'),
        (0.35, 'reliable', b'3'),
    ]
    assert run(came) == [b'1', b'2', b'3', b'4']


def test_what_was_latched_comes_late() -> None:
    came = [(0.0, 'reliable', b'new'), (0.5, 'latched', b'old'), (0.6, 'latched', b'new')]
    assert run(came) == [b'new', b'old']


def test_it_remembers_a_bounded_number() -> None:
    once = Once()
    for k in range(10_000):
        once.put('reliable', b'%d' % k, k * 1e-3)
        once.put('best effort', b'x%d' % k, k * 1e-3, sure=False)
    assert len(once._seen) <= 1_000
    assert len(once._waiting) <= 100
    assert once.dropped > 0


@given(
    st.lists(st.tuples(st.sampled_from(sorted(WAYS)), st.sampled_from([b'a', b'b'])), max_size=40)
)
def test_there_are_as_many_as_the_best_way_brought(came: list[tuple[str, bytes]]) -> None:
    out = Counter(run([(k * 0.01, way, message) for k, (way, message) in enumerate(came)]))
    by_way = Counter(came)
    for message in (b'a', b'b'):
        assert out[message] == max(by_way[way, message] for way in WAYS)


def test_a_copy_is_known_however_many_came_at_once() -> None:
    burst = [b'%d' % k for k in range(90)]
    came = [(0.0, 'reliable', word) for word in [*burst, *burst[:60]]]
    came += [(0.01, 'best effort', word) for word in burst]
    assert Counter(run(came)) == Counter([*burst, *burst[:60]])
    many = [b'%d' % k for k in range(500)]
    came = [(0.0, 'reliable', word) for word in many]
    came += [(0.01, 'best effort', word) for word in many]
    assert run(came) == many


def test_what_is_forgotten_too_early_is_counted() -> None:
    once = Once()
    for k in range(1_500):
        once.put('reliable', b'%d' % k, 0.001 * k)
    assert once.forgotten == 500
    for k in range(1_500):
        once.put('reliable', b'later %d' % k, 100.0 + 0.001 * k)
    assert once.forgotten == 1_000  # those of long before were no loss
