"""Texts as evaluation compares them: Whisper's normaliser for English, jiwer for the errors."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

from kame_ros.wire.transcript import Word

INSTALL = 'scores need the packages of evaluation: run "make setup-eval"'
_BRACKETS = re.compile(r'[\[\]]')


class NotInstalled(RuntimeError):
    """A package of the extra `eval` is missing; the text says how to get it."""


@cache
def _normaliser() -> Any:
    try:
        from whisper_normalizer.english import EnglishTextNormalizer
    except ImportError as error:
        raise NotInstalled(INSTALL) from error
    return EnglishTextNormalizer()


def normal(text: str) -> str:
    """Lower case, without marks and fillers, numbers as digits. Raises NotInstalled."""
    return ' '.join(str(_normaliser()(text)).split())


def errors(wanted: str, heard: str) -> tuple[int, int]:
    """Words inserted, deleted or changed, and the words that were wanted; both normalised."""
    try:
        import jiwer
    except ImportError as error:
        raise NotInstalled(INSTALL) from error
    reference, found = normal(wanted), normal(heard)
    if not reference:
        return len(found.split()), 0
    done = jiwer.process_words(reference, found)
    return done.substitutions + done.deletions + done.insertions, len(reference.split())


def hit(text: str, accepted: Sequence[str]) -> bool:
    """Whether a text has an accepted answer: a regular expression found in it, as it is written in
    lower case or as it is normalised.
    """
    lower = text.lower().replace('’', "'")
    forms = (lower, normal(text)) if lower.strip() else (lower,)
    return any(re.search(pattern, form) for pattern in accepted for form in forms)


def first_hit(words: Sequence[Word], accepted: Sequence[str]) -> float | None:
    """When the word begins that completes the first accepted answer; None if none is said."""
    said = ''
    for word in words:
        said = f'{said} {word.text}'.strip()
        if hit(said, accepted):
            return word.start
    return None


def without_brackets(text: str) -> str:
    """What a judge is shown: an answer cannot write its own rating."""
    return _BRACKETS.sub('', text)
