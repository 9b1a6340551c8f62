"""Telephone numbers and codes, digit by digit."""

from __future__ import annotations

import re

from kame_ros.text.context import TAIL, Context
from kame_ros.text.lists import word_set

_DIGITS_BEFORE = word_set(
    """
    phone telephone tel number no code pin id call dial ring extension ext fax hotline account
    zip password postcode passcode serial
    """
)
PHONE = re.compile(
    r'\+?\d{1,4}(?:[-.]\d{2,4}){2,4}|\d{3}-\d{4}|0\d{1,4}/\d{4,9}|\d{1,7}(?:-\d{1,7}){3,5}|\(\d{2,5}\)-?\d{2,4}(?:[-.]?\d{2,4}){0,3}|\+\d{8,15}'
)
_GROUPED = 3


def phone_number(core: str, tail: str, context: Context) -> str | None:
    """A telephone number, or a group of one, digit by digit; None if it is none."""
    if PHONE.fullmatch(core) and not _looks_like_version(core):
        return digits(core)
    if not core.isdigit():
        return None
    if core == '911':
        return digits(core)
    if (core[0] == '0' and len(core) > 1) or (len(core) >= 10 and not core.endswith('000')):
        return digits(core)
    if len(core) >= 3 and any(is_digits_word(word) for word in context.before[-4:]):
        return digits(core)
    return None


def _looks_like_version(core: str) -> bool:
    """Not a telephone number: "3.11.10", "192.168.10.21", "10.12.2024"."""
    groups = core.split('.')
    return len(groups) > 1 and not re.fullmatch(r'\d{3}\.\d{3}\.\d{4}', core)


def is_digits_word(word: str) -> bool:
    """Whether a number behind this word is said digit by digit."""
    bare = word.rstrip(TAIL).lower()
    return (bare in _DIGITS_BEFORE and not word.endswith(('.', '!', '?'))) or word == 'No.'


def digits(core: str) -> str:
    """Digit by digit, with pauses between the groups."""
    plus = 'plus ' if core.startswith('+') else ''
    groups = re.findall(r'\d+', core)
    if len(groups) == 1 and len(groups[0]) > 6:
        whole = groups[0]
        cut = len(whole) % _GROUPED or _GROUPED
        groups = [whole[:cut], *(whole[i : i + _GROUPED] for i in range(cut, len(whole), _GROUPED))]
    return plus + ', '.join(' '.join(group) for group in groups)
