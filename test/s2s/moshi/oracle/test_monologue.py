"""Tokens to text: spaces, bytes, padding."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_tokeniser import small_tokeniser

from kame_ros.s2s.moshi.oracle.monologue import Monologue

PADDING, END_OF_PADDING = 3, 0


@pytest.fixture(scope='module')
def tokenizer():
    sentences = ['the elephant is an unbelievable animal'] * 10
    return small_tokeniser(sentences, 300, pad_id=PADDING)


def say(tokenizer, tokens: list[int]) -> list[str]:
    monologue = Monologue(tokenizer, {PADDING, END_OF_PADDING})
    return [monologue.text(token) for token in tokens]


def test_words_and_spaces(tokenizer):
    tokens = tokenizer.encode('the elephant is an animal')
    assert ''.join(say(tokenizer, tokens)) == 'the elephant is an animal'


def test_padding_and_unknown_ids_are_silent(tokenizer):
    assert say(tokenizer, [PADDING, END_OF_PADDING, -1, -2, 1, 2, 32_000]) == [''] * 7


def test_a_character_of_several_bytes_comes_whole(tokenizer):
    tokens = tokenizer.encode('€')
    texts = say(tokenizer, tokens)
    assert [text for text in texts if text] == ['€']
    assert texts[-1] == '€'


def test_a_broken_character_is_replaced_and_harms_nothing(tokenizer):
    broken = tokenizer.encode('€')[:-1]
    assert ''.join(say(tokenizer, [*broken, *tokenizer.encode('animal')])).endswith(' animal')


def test_a_reset_begins_a_new_text(tokenizer):
    monologue = Monologue(tokenizer, {PADDING})
    tokens = tokenizer.encode('the animal')
    first = ''.join(monologue.text(token) for token in [*tokens, *tokenizer.encode('€')[:-1]])
    monologue.reset()
    assert first == 'the animal' + ' ' * first.endswith(' ')
    assert ''.join(monologue.text(token) for token in tokens) == 'the animal'


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=['Cs', 'Cc', 'Zs', 'Cf']), max_size=20))
def test_what_was_encoded_is_said(tokenizer, text):
    assert ''.join(say(tokenizer, tokenizer.encode(text))) == tokenizer.decode(
        tokenizer.encode(text)
    )
