from __future__ import annotations

import re
import zlib
from itertools import islice

import pytest

from kame_ros.training.small.corpus import KEPT_OUT, Corpus, NoTextsError, clean


def some(corpus: Corpus, kind: str, count: int, seed: int = 1) -> list[str]:
    return list(islice(corpus.sentences(seed, {kind: 1.0}), count))


def test_a_folder_without_texts_says_where_they_are_from(tmp_path):
    with pytest.raises(NoTextsError, match='apt-get download wordnet-base'):
        Corpus(tmp_path)


def test_definitions_examples_and_quotes_become_sentences(corpus):
    found = some(corpus, 'text', 30)
    assert 'A dolphin is any of various small toothed whales.' in found
    assert 'To puncture is to cause to lose air pressure or collapse by piercing.' in found
    assert 'The dolphins jumped over the waves.' in found
    assert 'The best way out is always through.' in found
    assert "That is all that there is to it, isn't it?" in found
    assert not any('(' in text or 'Frost' in text or 'GIMCRACKS' in text for text in found)


@pytest.mark.parametrize(('kind', 'fewest'), [('answer', 1), ('jumble', 4), ('text', 4)])
def test_sentences_are_clean(corpus, kind, fewest):
    for text in some(corpus, kind, 30):
        assert re.fullmatch(r"[A-Z0-9$€£][A-Za-z0-9 ,.'?!:;%$€£-]*[.?!]", text), text
        assert fewest <= len(text.split()) <= 30


def test_the_seed_decides_and_no_sentence_comes_twice(corpus):
    first, again, other = (list(islice(corpus.sentences(seed), 60)) for seed in (1, 1, 2))
    assert first == again != other
    assert len(set(first)) == len(first)


def test_sentences_end_when_all_are_found(corpus, monkeypatch):
    monkeypatch.setattr('kame_ros.training.small.corpus.PATIENCE', 500)
    found = list(corpus.sentences(1, {'text': 1.0}))
    assert 20 < len(found) < 60


def test_kinds_have_their_shares(corpus):
    found = list(islice(corpus.sentences(3, {'answer': 0.5, 'jumble': 0.5}), 200))
    kinds = set(some(corpus, 'jumble', 2000, seed=3))
    assert 0 < sum(text in kinds for text in found) < 200


def test_words_that_are_kept_out_are_in_no_sentence(corpus, monkeypatch):
    assert all(zlib.crc32(word.encode()) % KEPT_OUT == 0 for word in corpus.kept_out)
    monkeypatch.setattr(corpus, 'kept_out', frozenset({'dolphin'}))
    assert corpus.has_kept_out('The Dolphins jumped.')
    assert not corpus.has_kept_out('The badger jumped.')
    assert not any('olphin' in text for text in some(corpus, 'text', 15))


@pytest.mark.parametrize(
    ('text', 'sentence'),
    [
        ('The sun (a star) is  hot , isn`t it?', "The sun is hot, isn't it?"),
        ('One two three.', ''),
        ('no capital letter here at all.', ''),
        ('It ends without a mark', ''),
        ('He said "no" to them all.', ''),
        ('We were told to STAND BACK right now.', ''),
        ('It goes on... and on and on.', ''),
        ('NASA is far away from here.', 'NASA is far away from here.'),
    ],
)
def test_clean(text, sentence):
    assert clean(text) == sentence
