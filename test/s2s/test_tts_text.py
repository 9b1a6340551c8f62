from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kame_ros.s2s.tts_text import words_of


@pytest.mark.parametrize(
    ('token', 'text', 'speech', 'key'),
    [
        ('Paris', 'Paris', 'Paris', 'paris'),
        ('Paris,', 'Paris,', 'Paris,', 'paris'),
        ('**bold**', 'bold', 'bold', 'bold'),
        ('`code`,', 'code,', 'code,', 'code'),
        ('_it_', 'it', 'it', 'it'),
        ('x_y', 'x y', 'x y', 'xy'),
        ('[docs](https://a.b/c_d)', 'docs', 'docs', 'docs'),
        ('docs](https://a.b).', 'docs.', 'docs.', 'docs'),
        ('https://www.ros.org/x_y?z=1', 'https://www.ros.org/x_y?z=1', 'ros dot org', None),
        ('(http://ros.org).', '(http://ros.org).', 'ros dot org).', None),
        ('me@ros.org', 'me@ros.org', 'me at ros dot org', 'merosorg'),
        ('42', '42', '42', '42'),
        ('$3.50', '$3.50', '$3.50', '350'),
        ('9:30am', '9:30am', '9:30am', '930am'),
        ('20°C', '20°C', '20°C', '20c'),
        ('&', '&', 'and', 'and'),
        ('and/or', 'and/or', 'and or', 'andor'),
        ('10/12/2019', '10/12/2019', '10/12/2019', '10122019'),
        ('café', 'café', 'café', 'cafe'),
        ('cafe\u0301', 'café', 'café', 'cafe'),
        ('hi😀!', 'hi!', 'hi!', 'hi'),
        ('a' * 500, 'a' * 500, 'a' * 30, 'a' * 500),
        ('a\u200bb', 'ab', 'ab', 'ab'),
        ('“Yes.”', '“Yes.”', '“Yes.”', 'yes'),
    ],
)
def test_a_word(token: str, text: str, speech: str, key: str | None) -> None:
    (word,) = words_of(token, ended=True)
    assert (word.text, word.speech) == (text, speech)
    assert key is None or word.key == key


@pytest.mark.parametrize(
    'token', ['😀', '**', '#', '-', '—', '...', '你好', '\x07', '👨‍👩‍👧', '❤️', '|']
)
def test_what_cannot_be_said_is_no_word(token: str) -> None:
    assert words_of(token, ended=True) == []


@pytest.mark.parametrize(
    ('text', 'ends'),
    [
        ('a, b; c: day. e! f? g… h', ',;:.!?…'),
        ('Dr. Smith and Mr. J. Doe', ''),
        ('He said "yes." Then', '.'),
        ('one — two', '—'),
        ('so am I. Yes', '.'),
        ('pi is 3.14 or so', ''),
    ],
)
def test_where_a_clause_ends(text: str, ends: str) -> None:
    words = words_of(text, ended=True)
    assert sum(word.pause for word in words) == len(ends)
    assert sum(word.stop for word in words) == sum(ends.count(c) for c in '.!?…')


@pytest.mark.parametrize(
    ('text', 'ended', 'count'),
    [('', False, 0), ('a', False, 0), ('a', True, 1), ('a ', False, 1), ('a b', False, 1)],
)
def test_the_last_word_may_grow(text: str, ended: bool, count: int) -> None:
    assert len(words_of(text, ended)) == count


@given(st.text())
def test_anything_gives_words_that_can_be_said(text: str) -> None:
    for word in words_of(text, ended=True):
        assert word.key
        assert word.text == ' '.join(word.text.split())
        assert any(c.isalnum() for c in word.speech)


@given(st.text(st.sampled_from('aB1 .,*_[]()—😀'), max_size=60), st.integers(0, 60))
def test_a_word_that_was_given_stays_as_the_text_grows(text: str, cut: int) -> None:
    before = words_of(text[:cut], ended=False)
    after = words_of(text, ended=True)
    assert [word.key for word in before] == [word.key for word in after[: len(before)]]
    assert [word.text for word in before] == [word.text for word in after[: len(before)]]
