"""What is the language of a tag."""

import pytest

from kame_ros.text.language import primary


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
