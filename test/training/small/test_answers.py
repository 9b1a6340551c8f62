from __future__ import annotations

import re
from random import Random

from kame_ros.training.small.answers import PATTERNS, Vocabulary, answer

WORDS = Vocabulary(('apple', 'berry', 'box'), ('odd', 'big'), ('Oslo',), ('Peru',), ('Kepler',))


def test_every_name_in_a_pattern_is_filled():
    rng = Random(1)
    found = [answer(rng, WORDS) for _ in range(3000)]
    assert not any('{' in text or '}' in text for text in found)
    assert all(re.fullmatch('[A-Z0-9$€£].*[.?]', text) for text in found)
    assert len(set(found)) > 2000


def test_articles_and_plurals_fit():
    rng = Random(2)
    text = ' '.join(answer(rng, WORDS) for _ in range(3000))
    assert re.search('berries', text)
    assert re.search('boxes', text)
    assert not re.search(r'\ba (apple|odd|orange|8|11 )|berrys|boxs|an of', text)


def test_all_kinds_of_figures_occur():
    rng = Random(3)
    text = ' '.join(answer(rng, WORDS) for _ in range(3000))
    for what in (r'\$\d', r'€\d', r'\d:\d\d [ap]m', r'\d\.\d', r'\d,\d{3}', r'\d(st|nd|rd|th)\b',
                 r'\d%', r'\b(19|20)\d\d\b', 'NASA', r'Dr\.', r'e\.g\.'):  # fmt: skip
        assert re.search(what, text), what


def test_the_seed_decides():
    assert answer(Random(4), WORDS) == answer(Random(4), WORDS)
    assert len(set(PATTERNS)) == len(PATTERNS)
