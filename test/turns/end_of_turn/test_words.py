"""Short silence after a whole sentence, long silence after one that hangs."""

import pytest
from pauses import silence_that_ends

from kame_ros.turns.end_of_turn.words import WordsAndSilence


@pytest.mark.parametrize(
    ('text', 'covers', 'expected'),
    [
        (None, True, (0.6, 'silence')),
        ('What time is it?', True, (0.6, 'complete')),
        ('I would like to', True, (1.8, 'incomplete')),
        ('What time is it?', False, (1.2, 'no words')),
        ('', True, (1.2, 'no words')),
    ],
)
def test_table(text, covers, expected):
    assert silence_that_ends(WordsAndSilence(), text, covers=covers) == expected


@pytest.mark.parametrize(
    ('language', 'text', 'expected'),
    [
        ('de', 'Ich möchte ein', (1.8, 'incomplete')),
        ('de', 'Wie spät ist es?', (0.6, 'complete')),
        ('de_AT', 'Ich möchte ein', (1.8, 'incomplete')),
        ('en-US', 'I would like to', (1.8, 'incomplete')),
        ('FR-ca', "J'aimerais avoir l'", (1.8, 'incomplete')),
        ('fi-FI', 'Haluaisin', (0.6, 'unknown language')),
        ('fi', 'Haluaisin', (0.6, 'unknown language')),
    ],
)
def test_other_languages(language, text, expected):
    assert silence_that_ends(WordsAndSilence(), text, language=language) == expected
