"""Numbers that are written with blanks, taken as one word: "1 500 000", "+33 1 42 68 53 00"."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kame_ros.text.amounts import CURRENCIES, CURRENCY, UNITS
from kame_ros.text.context import CLOSERS, OPENERS, TAIL
from kame_ros.text.lists import word_set
from kame_ros.text.phone import digits, is_digits_word

_FIRST = re.compile(
    rf'([{re.escape(OPENERS)}]*[-−+~≈<>]?(?:{CURRENCY}|\d{{1,2}}:)?)([1-9]\d{{0,2}})'
)
_GROUP = re.compile(r'(\d{3})(?:[.,](\d{1,2}))?([^\d].*)?')
_PHONE_FIRST = re.compile(r'(?:\+|00)\d{1,4}|\(\+?\d{1,5}\)|\+\d{1,3}\(0\)\d{1,5}|\d{1,5}')
_PHONE_GROUP = re.compile(r'(?:\(?0\))?\(?\d{1,8}\)?(?:[-.]\d{2,5}){0,3}')
_MOST_GROUPS = 8
_PEOPLE = word_set('people men women children euro inhabitants meters feet')


@dataclass(frozen=True)
class Phrase:
    """`size` words taken as one, `token`; `speech`, if it is known already how they are said."""

    size: int
    token: str
    speech: str = ''


def join(before: Sequence[str], token: str, after: Callable[[int], str]) -> Phrase:
    """The phrase that begins with `token`. `after(n)` is the nth word behind it. Raises Wait."""
    alone = Phrase(1, token)
    bare = token.lstrip(OPENERS + '+-−~≈<>$€£¥₹')
    if not bare[:1].isdigit() or not (token[-1].isdigit() or token[-1] == ')'):
        return alone
    return _phone(before, token, after) or _grouped(before, token, after) or alone


def _grouped(before: Sequence[str], token: str, after: Callable[[int], str]) -> Phrase | None:
    """A number whose thousands are set apart by blanks."""
    first = _FIRST.fullmatch(token)
    if first is None or (before and before[-1][-1:].isdigit() and not before[-1].isalpha()):
        return None
    groups: list[str] = []
    cents = rest = ''
    while not (cents or rest) and len(groups) < 6:
        group = _GROUP.fullmatch(after(len(groups) + 1))
        if group is None:
            break
        groups.append(group[1])
        cents, rest = group[2] or '', group[3] or ''
    if not groups:
        return None
    following = '' if rest else after(len(groups) + 1)
    if following[:1].isdigit():
        return None
    sure = groups[-1] == '000' or cents or first[1].strip('~≈<>-−+' + OPENERS) or len(groups) > 1
    if not (sure or _is_counted(following or rest)):
        return None
    number = ','.join([first[2], *groups]) + (f'.{cents}' if cents else '')
    return Phrase(len(groups) + 1, f'{first[1]}{number}{rest}')


def _is_counted(following: str) -> bool:
    bare = following.strip(TAIL)
    if bare in CURRENCIES or bare in UNITS or bare[:1] in '%°':
        return bool(bare)
    return bare.isalpha() and bare.islower() and (bare.endswith('s') or bare in _PEOPLE)


def _phone(before: Sequence[str], token: str, after: Callable[[int], str]) -> Phrase | None:
    """A telephone number in groups."""
    if not (_PHONE_FIRST.fullmatch(token) or _PHONE_GROUP.fullmatch(token)):
        return None
    if before and re.fullmatch(r'\d+', before[-1]):
        return None
    groups = [token]
    tail = ''
    while len(groups) < _MOST_GROUPS and not tail:
        word = after(len(groups))
        bare = word.rstrip('.,;:!?' + CLOSERS.replace(')', ''))
        bare = bare[:-1] if bare.endswith(')') and '(' not in bare else bare
        if not bare or not _PHONE_GROUP.fullmatch(bare):
            break
        groups.append(bare)
        tail = word[len(bare) :]
    if len(groups) == 1 or not _is_phone(before, groups):
        return None
    said = ', '.join(digits(group) for group in groups)
    return Phrase(len(groups), ' '.join(groups) + tail, said + tail)


def _is_phone(before: Sequence[str], groups: list[str]) -> bool:
    first = groups[0]
    sizes = [sum(c.isdigit() for c in group) for group in groups]
    if first[0] == '+':
        return len(first) > 1 and sum(sizes) >= 6
    if first[0] == '(':
        return sizes[0] >= 2 and sum(sizes) >= 6
    if first[0] == '0' and len(first) > 1:
        return sum(sizes) >= 7
    if sizes[-1] == 4 and sizes[:-1] in ([3], [3, 3], [1, 3, 3]) and '.' not in ''.join(groups):
        return len(sizes) > 2 or groups[-1][0] == '0' or _told(before)
    return _told(before) and sum(sizes) >= 6 and len(first) > 1


def _told(before: Sequence[str]) -> bool:
    return any(is_digits_word(word) for word in before[-4:])
