"""The language of a tag such as en-US, de_AT or deu: two letters where there are two. Pure."""

from __future__ import annotations

import re

# Three letters (ISO 639-2) of the languages that have words here.
_OF_THREE = {
    **{'eng': 'en', 'deu': 'de', 'ger': 'de', 'fra': 'fr', 'fre': 'fr'},
    **{'spa': 'es', 'jpn': 'ja'},
}


def primary(tag: str) -> str:
    """The primary subtag of a language tag (BCP 47, or a locale's name); empty if there is none."""
    found = re.split(r'[-_.@]', tag.strip().casefold())[0]
    return _OF_THREE.get(found, found)


def limits(tag: str, words_known: bool) -> str:
    """What this package cannot do in a language, in one sentence; empty: it can, or none is set.

    `words_known`: there are rules for its words (see kame_ros.turns.sentence_end).
    """
    if primary(tag) in ('', 'en'):
        return ''
    words = (
        ''
        if words_known
        else ', and the end of a turn is told by melody and silence, as no words are known'
    )
    return (
        f'the language is {tag.strip()}: the voices of this package, how numbers and signs are '
        f'read, and the stop words, if no others are set, are English{words}'
    )
