"""What is the language of a tag."""

import pytest

from kame_ros.text.language import limits, primary
from kame_ros.turns.sentence_end import knows


@pytest.mark.parametrize(
    ('tag', 'language'),
    [
        *((tag, 'en') for tag in ('en', 'EN', 'en-US', 'en_GB.UTF-8', 'eng', ' en-x-robot ')),
        *((tag, 'de') for tag in ('de_AT', 'de-Latn-CH', 'ger', 'deu-AT', 'de@euro')),
        ('zh-Hant-TW', 'zh'),
        ('yue', 'yue'),
        ('', ''),
        ('-US', ''),
    ],
)
def test_the_primary_subtag_counts(tag: str, language: str) -> None:
    assert primary(tag) == language


@pytest.mark.parametrize('tag', ['', ' ', 'en', 'en-US', 'eng'])
def test_english_and_no_language_have_no_limits(tag: str) -> None:
    assert limits(tag, knows(tag)) == ''


@pytest.mark.parametrize(
    ('tag', 'known'), [('de', True), ('fr-CA', True), ('ja', True), ('zh-Hant-TW', False)]
)
def test_others_say_in_one_sentence_what_is_english(tag: str, known: bool) -> None:
    said = limits(tag, knows(tag))
    assert said.startswith(f'the language is {tag}: ')
    assert ('no words are known' in said) is not known
    assert '. ' not in said
