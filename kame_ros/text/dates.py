"""Dates, clock times and ratios as they are said."""

from __future__ import annotations

import re

from kame_ros.text.context import TAIL, Context
from kame_ros.text.roman import ordinal

_MONTHS = [
    'January',
    'February',
    'March',
    'April',
    'May',
    'June',
    'July',
    'August',
    'September',
    'October',
    'November',
    'December',
]
DAYS = {
    'Mon': 'Monday', 'Tue': 'Tuesday', 'Wed': 'Wednesday', 'Thu': 'Thursday', 'Fri': 'Friday',
    'Sat': 'Saturday', 'Sun': 'Sunday', 'Jan': 'January', 'Feb': 'February', 'Mar': 'March',
    'Apr': 'April', 'May': 'May', 'Jun': 'June', 'Jul': 'July', 'Aug': 'August',
    'Sep': 'September', 'Oct': 'October', 'Nov': 'November', 'Dec': 'December',
}  # fmt: skip
_DATE = re.compile(
    r'(\d{4})[-/](\d{2})[-/](\d{2})(?:T(\d{2}:\d{2})(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?'
)
_DOT_DATE = re.compile(r'(\d{1,2})\.(\d{1,2})\.(\d{4})')
_TIME = re.compile(r'(?:[01]?\d|2[0-4]):[0-5]\d(?::[0-5]\d)?(?:\s?[aApP]\.?[mM]\.?)?')
_TIMES = re.compile(
    rf'({_TIME.pattern}|\d{{1,2}}(?:[aApP][mM])?)[-–—]({_TIME.pattern}|\d{{1,2}}[aApP][mM])'
)
_RATIO = re.compile(r'(\d{1,5}(?:\.\d+)?)((?::\d{1,5}(?:\.\d+)?){1,4})')
_SLASHED_DATE = re.compile(r'(\d{1,2})/(\d{1,2})/(\d{4}|\d{2})')


def date(core: str, tail: str, context: Context) -> str | None:
    """A date as it is said, or None: "2026-11-25" is "November twenty-fifth, 2026"."""
    if found := _DATE.fullmatch(core):
        said = _day(found[1], int(found[2]), int(found[3]))
        return f'{said}, {found[4]}' if said and found[4] else said
    if found := _DOT_DATE.fullmatch(core):
        return _day(found[3], int(found[2]), int(found[1]))
    if found := _SLASHED_DATE.fullmatch(core):
        first, second, year = int(found[1]), int(found[2]), found[3]
        year = year if len(year) == 4 else f'{"19" if int(year) > 30 else "20"}{year}'
        return _day(year, first, second) or _day(year, second, first)
    return None


def _day(year: str, month: int, day: int) -> str | None:
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    return f'{_MONTHS[month - 1]} {ordinal(day)}, {year}'


def clock_time(core: str, tail: str, context: Context) -> str | None:
    """A clock time, a span of them or of ordinals; None if it is none."""
    if found := re.fullmatch(r'(\d+(?:st|nd|rd|th)?)[-–](\d+(?:st|nd|rd|th))', core):
        return f'{found[1]} to {found[2]}'
    if found := _TIMES.fullmatch(core):
        return f'{found[1]} to {found[2]}'
    if _TIME.fullmatch(core) and not _is_ratio(core, context):
        return core
    return None


def _is_ratio(core: str, context: Context) -> bool:
    words = ('ratio', 'odds', 'scale', 'aspect', 'mix', 'proportion', 'score')
    if any(word.rstrip(TAIL).lower() in words for word in context.before[-3:]):
        return True
    return context.right().rstrip(TAIL).lower() in words


def ratio(core: str, tail: str, context: Context) -> str | None:
    """A ratio like "3:1" as it is said, or None."""
    found = _RATIO.fullmatch(core)
    return core.replace(':', ' to ') if found else None
