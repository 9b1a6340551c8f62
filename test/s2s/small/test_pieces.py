from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kame_ros.s2s.small.pieces import FILE, SIGNS, SILENT, Pieces

PIECES = Pieces.load()
SMALL = Pieces(['', '.', ',', '“', 'ˈ', 'a', 'b', ' ', ' a', ' ab', 'ˈab', ' ˈ'])


def named(pieces: Pieces, phonemes: str) -> list[str]:
    return [pieces.names[token] for token in pieces.encode(phonemes)]


def test_the_longest_piece_is_taken():
    assert named(SMALL, 'abab, aˈab.') == [' ab', 'a', 'b', ',', ' a', 'ˈab', '.']


def test_a_word_begins_with_a_space_and_punctuation_does_not():
    tokens = SMALL.encode('ab ab.')
    assert [SMALL.begins_word(token) for token in tokens] == [True, True, False]
    assert not SMALL.begins_word(0)
    assert not SMALL.begins_word(SMALL.END)


def test_quotes_are_left_out_and_what_follows_is_a_word():
    assert named(SMALL, '“ab” (a)') == [' ab', ' a']


def test_punctuation_parts_words():
    assert named(PIECES, 'ˈA—bˈi — ˈA') == [' ˈA', '—', ' bˈ'[:2] + 'ˈi', '—', ' ˈA']


def test_a_piece_stands_where_its_first_sound_is():
    assert SMALL.placed('ab, ab') == [(9, 0), (2, 2), (9, 4)]
    assert SMALL.placed(' ˈab') == [(11, 1), (5, 2), (6, 3)]


def test_what_no_piece_stands_for_is_left_out():
    assert named(SMALL, 'axb') == [' a', 'b']
    assert SMALL.encode('') == []


def test_the_shipped_pieces_are_few_and_different():
    assert PIECES.size == PIECES.END + 1 == len(PIECES.names) + 1
    assert len(PIECES.names) <= 1200
    assert len(set(PIECES.names)) == len(PIECES.names)
    assert all(sum(c not in ' ˈˌ' for c in name) <= 4 for name in PIECES.names)
    assert FILE.stat().st_size < 20_000


@given(st.text(alphabet='abdðhˈˌ əɹA.,—“', max_size=30))
def test_nothing_that_sounds_is_lost(phonemes):
    said = ''.join(named(PIECES, phonemes))
    assert said.replace(' ', '') == ''.join(c for c in phonemes if c not in SILENT + ' ')
    places = [at for _, at in PIECES.placed(phonemes)]
    assert places == sorted(places)
    assert all(phonemes[at] not in SILENT + ' ' for at in places)


def test_every_character_of_the_voice_is_a_piece():
    hibari = pytest.importorskip('hibari.tts')
    vocab = json.loads(Path(hibari.ASSETS, 'vocab.json').read_text(encoding='utf-8'))
    assert [c for c in vocab if c not in PIECES.names and c not in SILENT + ' '] == []
    assert set(SIGNS) <= set(PIECES.names)


def test_a_file_that_is_no_list_of_pieces_is_refused(tmp_path):
    (tmp_path / 'x.json').write_text('["a"]')
    with pytest.raises(ValueError, match='no list of pieces'):
        Pieces.load(tmp_path / 'x.json')
