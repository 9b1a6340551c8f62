from __future__ import annotations

import re

import pytest
from answers_table import ANSWERS
from hypothesis import given, settings
from hypothesis import strategies as st
from spoken_table import LONG, TABLE

from kame_ros.text import spoken_words
from kame_ros.text.markup import plain
from kame_ros.text.phrases import join
from kame_ros.text.spoken_words import GrowingWords, words_of

PROSE = 'Well, the capital of France is Paris, and it is very old.'


def speech(text: str) -> str:
    return ' '.join(word.speech for word in words_of(text, ended=True))


@pytest.fixture(scope='module')
def sounds():
    """The sounds that the voice makes of a text, without stress and pauses."""
    hibari = pytest.importorskip('hibari')
    g2p = hibari.Hibari().g2p

    def of(text: str) -> str:
        return re.sub(r'[ˈˌ,.:;!?—"“”\s()]', '', g2p(text))

    return of


def test_the_table_is_large() -> None:
    assert len({written for written, _ in TABLE}) >= 150


@pytest.mark.models
@pytest.mark.parametrize(('written', 'heard'), TABLE)
def test_what_is_written_is_heard_as_a_person_would_read_it(sounds, written, heard) -> None:
    assert sounds(speech(written)) == sounds(heard), speech(written)


@pytest.mark.parametrize(('written', 'heard'), TABLE)
def test_only_words_and_plain_numbers_are_left(written: str, heard: str) -> None:
    said = speech(written)
    assert re.fullmatch(r"[\w\s.,:'!?()-]+", said), said
    assert not re.search(r'[²³½_]', said)
    assert len(re.findall(r'\d', said)) <= len(re.findall(r'\d', written)) + 4


@pytest.mark.parametrize(('written', 'read'), ANSWERS)
def test_an_answer_is_read_as_a_person_would(written: str, read: str) -> None:
    assert speech(plain(written)) == read


@pytest.mark.parametrize(
    'prose',
    ['Mr. Smith went home at 5.', 'I am 3 years old.', 'Come here, please!', 'In 2024 I was new.'],
)
def test_clean_prose_is_said_as_it_is_written(prose: str) -> None:
    assert speech(plain(prose)) == prose


@pytest.mark.parametrize(
    'unit', ['1 ', '100 ', '+1 ', '(2) ', '000 ', '5 km ', '555 0123 ', 'a 5 ']
)
def test_a_word_is_looked_at_a_bounded_number_of_times(unit: str, monkeypatch) -> None:
    looks = 0

    def counted(before, token, after):
        def looked(n: int) -> str:
            nonlocal looks
            looks += 1
            return after(n)

        return join(before, token, looked)

    monkeypatch.setattr(spoken_words, 'join', counted)
    words_of(unit * 2000, ended=True)
    assert looks <= 30 * 2000 * len(unit.split())


@pytest.mark.parametrize('written', LONG)
def test_a_number_that_is_too_long_is_said_digit_by_digit(written: str) -> None:
    assert re.findall(r'\d', speech(written)) == re.findall(r'\d', written)
    assert all(len(word.speech) <= 40 for word in words_of(written, ended=True))


@pytest.mark.parametrize(
    ('token', 'text', 'speech', 'key'),
    [
        ('Paris', 'Paris', 'Paris', 'paris'),
        ('Paris,', 'Paris,', 'Paris,', 'paris'),
        ('(http://ros.org).', '(http://ros.org).', '(ros dot org).', None),
        ('−5', '−5', 'minus 5', 'minus5'),
        ('café', 'café', 'café', 'cafe'),
        ('cafe\u0301', 'café', 'café', 'cafe'),
        ('hi😀!', 'hi!', 'hi!', 'hi'),
        ('a\u200bb', 'ab', 'ab', 'ab'),
        ('“Yes.”', '“Yes.”', '“Yes.”', 'yes'),
    ],
)
def test_a_word_as_it_is_shown_said_and_compared(
    token: str, text: str, speech: str, key: str | None
) -> None:
    (word,) = words_of(token, ended=True)
    assert (word.text, word.speech) == (text, speech)
    assert key is None or word.key == key


@pytest.mark.parametrize(
    'token', ['😀', '**', '#', '-', '—', '...', '你好', '\x07', '👨‍👩‍👧', '❤️', '|', ':-)', 'Привет']
)
def test_what_cannot_be_said_is_no_word(token: str) -> None:
    assert words_of(token, ended=True) == []


def test_what_cannot_be_said_is_counted() -> None:
    words = GrowingWords()
    assert [word.text for word in words.update('Say 你好 and 😀 now', True)] == [
        'Say',
        'and',
        'now',
    ]
    assert words.unspeakable == 2


@pytest.mark.parametrize(
    ('text', 'ends'),
    [
        ('a, b; c: day. e! f? g… h', ',;:.!?…'),
        ('Dr. Smith and Mr. J. Doe', ''),
        ('e.g. this, i.e. that', ','),
        ('at 5 p.m. today', ''),
        ('It opens at 5 p.m. The door', '.'),
        ('in the U.S. army', ''),
        ('He said "yes." Then', '.'),
        ('one — two', '—'),
        ('so am I. Yes', '.'),
        ('pi is 3.14 or so', ''),
        ('No. 5 is alive', ''),
        ('No. I am not', '.'),
        ('J. R. R. Tolkien wrote it', ''),
        ('Take plan B. Then go', '.'),
        ('St. Paul lives in Main St. now', ''),
        ('apples, pears, etc. are fruit', ',,'),
        ('I have apples etc. They rot', '.'),
        ('Acme Inc. was sold', ''),
        ('Jan. 5 and approx. 6', ''),
        ('3 in. of rain', ''),
        ('Op. 27 is old', ''),
    ],
)
def test_where_a_clause_ends(text: str, ends: str) -> None:
    words = words_of(text, ended=True)
    assert sum(word.pause for word in words) == len(ends)
    assert sum(word.stop for word in words) == sum(ends.count(c) for c in '.!?…')


def test_the_number_of_an_item_ends_no_sentence() -> None:
    words = words_of('1. Open the door. 2. Go out. The answer is 3.', ended=True)
    assert [word.text for word in words if word.stop] == ['door.', 'out.', '3.']
    assert [word.text for word in words if word.pause and not word.stop] == ['1.', '2.']


@pytest.mark.parametrize(
    ('text', 'ended', 'count'),
    [
        ('', False, 0),
        ('a', False, 0),
        ('a', True, 1),
        ('a ', False, 1),
        ('a b', False, 1),
        ('It costs $5 ', False, 2),  # dollars, or millions of them
        ('It costs $5 now ', False, 4),
        ('Dr. ', False, 1),
    ],
)
def test_a_word_is_given_when_it_can_no_longer_change(text: str, ended: bool, count: int) -> None:
    assert len(words_of(text, ended)) == count


def test_plain_prose_is_given_word_by_word() -> None:
    words, text = GrowingWords(), ''
    for number, word in enumerate(PROSE.split()):
        text += f'{word} '
        assert len(words.update(text, ended=False)) == number + 1


@given(st.text())
def test_anything_gives_words_that_can_be_said(text: str) -> None:
    for word in words_of(text, ended=True):
        assert word.key
        assert word.text == ' '.join(word.text.split())
        assert any(c.isalnum() for c in word.speech)
        assert len(word.speech.split()) <= 10
        assert all(len(part) <= 70 for part in word.speech.split())


_MIXED = st.sampled_from(
    [*'aB1 .,*_[]()—😀$%-+/:°', ' 5', '$5 ', 'million ', 'Mr. ', 'J. ', 'No. ', 'p.m. ', ' - ', '½',
     '−', 'VIII ', 'Henry ', 'km/h ', '555 ', '0132 ', '+1 ', '(415) ', '1. ', 'USD ', '= ',
     'The ', '1 500 ', '000 ', '500 ', '0123 ', '+33 ', 'km ', 'run ', 'a ', '€ ', '11/25 ', 'I ',
     '! ',
     'Chapter ', '° ', 'N ', '40°26\'46"N ', '5V/2A ', 'Mio. ', 'Tue, ', 'x ', '-> ']
)  # fmt: skip


@settings(deadline=None)
@given(st.lists(_MIXED, max_size=24).map(''.join), st.lists(st.integers(0, 60), max_size=8))
def test_how_a_text_grows_does_not_matter(text: str, cuts: list[int]) -> None:
    growing = GrowingWords()
    seen: list[str] = []
    for cut in sorted(cuts):
        now = [word.speech for word in growing.update(text[:cut], ended=False)]
        assert now[: len(seen)] == seen
        seen = now
    whole = words_of(text, ended=True)
    assert [word.speech for word in whole[: len(seen)]] == seen
    assert growing.update(text, ended=True) == whole


@pytest.mark.parametrize(
    'text',
    [
        '-'.join(['word'] * 80), 'A' * 2000, 'a.b.' * 100, '9' * 4000, '1212' * 30 + 'th',
        'x^2+' * 300, '\x00\x1b[0m\u202e' * 500, '\ud800' * 50, '👍' * 900, '你好' * 900,
        'مرحبا ' * 300, "a'" * 500, '$' * 900, '((((' * 300, '-' * 3000, '1/' * 900, '....' * 900,
        '\u200b' * 4000, 'é' * 3000,
    ],
)  # fmt: skip
def test_endless_words_come_in_parts(text: str) -> None:
    words = words_of(text, ended=True)
    assert all(word.length <= 400 for word in words)
    assert all(len(word.speech) <= 400 for word in words)


@pytest.mark.parametrize(
    'text', ['Call +1 (555) 123-4567.', 'Call 0171 234 567 891 23 now.', f'It is {"9" * 60}.']
)
def test_the_parts_of_a_word_make_the_text_again(text: str) -> None:
    words = words_of(text, ended=True)
    assert any(word.broken for word in words)
    shown = ''.join(word.text + ('' if word.broken else ' ') for word in words)
    assert shown == f'{text} '


_SIGNS = (
    '0123456789²³⁻⁰½¾⅓٣५४①⑳ⅣⅧ㎞㎡℃№™ªº.,:;/-–—−'
    '+*×÷^%°\'"′″$€£¥¢₹#~<>=≤≥()[]{}|\\`_&@!?… abxXIVmkgKMé'
)  # fmt: skip


@settings(deadline=None)
@given(st.text(_SIGNS, max_size=18))
def test_no_sign_is_left_for_the_voice(text: str) -> None:
    for word in words_of(text, ended=True):
        assert not set(word.speech) & set('²³⁻⁰½¾⅓<>=*^|_{}[]\\`~#@%$€£¥'), word


_BEFORE = ('at', 'and', '@', '/', '–', 'of', '5', '$', 'ft', '#', '.', '5V')
_GLUED = ('5s', '5A', '5m', '1h', '90s', '3/4', '5"', "5'", 'x', '°', '%', 'k', '10:00', '1-2')


@pytest.mark.parametrize('before', _BEFORE)
@pytest.mark.parametrize('glued', _GLUED)
def test_a_text_may_begin_anywhere(before: str, glued: str) -> None:
    """Rules that look at the words before find none, one or two of them."""
    for text in (glued, f'{before} {glued}', f'so {before} {glued}'):
        assert words_of(text, ended=True) == words_of(f'{text} ', ended=True)
