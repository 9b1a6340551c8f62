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
