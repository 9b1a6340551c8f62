"""Any chunking of any text gives the tokens of the whole."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_tokeniser import small_tokeniser

from kame_ros.s2s.moshi.oracle.growing_text import GrowingText

SENTENCES = [
    'The elephant is the largest animal that lives on land.',
    'An unbelievable number of people speak more than one language.',
    'Water boils at one hundred degrees, and freezes at zero.',
    'Der Fluss fließt durch die Stadt; die Brücke ist alt.',
    'No, I do not think so: the answer is forty-two!',
    "It's a quarter past seven, isn't it? Let us go then.",
]


@pytest.fixture(scope='module', params=['unigram', 'bpe'])
def encode(request):
    return small_tokeniser(SENTENCES * 20, 360, model_type=request.param).encode


def in_chunks(text: str, cuts: list[int]) -> list[str]:
    ends = sorted({cut % (len(text) + 1) for cut in cuts} | {len(text)})
    return [text[:end] for end in ends]


words = st.one_of(
    st.sampled_from(' '.join(SENTENCES).split()),
    st.text(st.characters(exclude_categories=['Cs']), max_size=6),
)
texts = st.lists(words, max_size=12).flatmap(
    lambda some: st.lists(
        st.sampled_from([' ', ' ', ' ', '  ', '']), min_size=len(some), max_size=len(some)
    ).map(lambda gaps: ''.join(word + gap for word, gap in zip(some, gaps, strict=True)))
)


@settings(max_examples=400, deadline=None)
@given(text=texts, cuts=st.lists(st.integers(0, 200), max_size=12))
def test_any_chunking_gives_the_tokens_of_the_whole(encode, text, cuts):
    growing, seen = GrowingText(encode), []
    for so_far in in_chunks(text, cuts):
        seen += growing.update(so_far, ended=False)
        assert seen == growing.tokens
    seen += growing.update(text, ended=True)
    assert seen == encode(text)
    assert growing.tokens == seen


@pytest.mark.parametrize(
    ('chunks', 'given_away'),
    [
        (['ele', 'elephant'], ['', '']),
        (['elephant ', 'elephant is'], ['elephant', 'elephant']),
        (['', ' ', ' a', ' a '], ['', '', '', ' a']),
        (['a  b', 'a  b  '], ['a', 'a  b']),
    ],
)
def test_the_last_word_is_held_back(chunks, given_away):
    seen: list[str] = []
    growing = GrowingText(lambda text: seen.append(text) or [ord(c) for c in text])
    for chunk, want in zip(chunks, given_away, strict=True):
        growing.update(chunk, ended=False)
        assert ''.join(chr(token) for token in growing.tokens) == want


def test_a_text_that_changes_its_past_is_refused():
    growing = GrowingText(lambda text: [1] * len(text))
    growing.update('one two', ended=False)
    with pytest.raises(ValueError, match='cannot change'):
        growing.update('one too', ended=False)
