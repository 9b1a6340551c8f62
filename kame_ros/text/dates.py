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
_SHORT_DAYS = {
    **{short: name for short, name in DAYS.items() if name.endswith('day')},
    'Tues': 'Tuesday', 'Thur': 'Thursday', 'Thurs': 'Thursday',
}  # fmt: skip
_DATE = re.compile(
    r'(\d{4})[-/](\d{2})[-/](\d{2})(?:T(\d{2}:\d{2})(?::\d{2}(?:\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?'
)
_DOT_DATE = re.compile(r'(\d{1,2})\.(\d{1,2})\.(\d{4})')
_TIME = re.compile(r'(?:[01]?\d|2[0-4]):[0-5]\d(?::[0-5]\d)?(?:\s?[aApP]\.?[mM]\.?)?')
_TIMES = re.compile(
    rf'({_TIME.pattern}|\d{{1,2}}(?:[aApP][mM])?)[-–—]({_TIME.pattern}|\d{{1,2}}[aApP][mM])'
)
_RATIO = re.compile(r'(\d{1,5}(?:\.\d+)?)((?::\d{1,5}(?:\.\d+|(?:,\d{3})+)?){1,4})')
_SLASHED_DATE = re.compile(r'(\d{1,2})([-/])(\d{1,2})\2(\d{4}|(?<=/)\d{2})')


def date(core: str, tail: str, context: Context) -> str | None:
    """A date as it is said, or None: "2026-11-25" is "November twenty-fifth, 2026"."""
    if found := _DATE.fullmatch(core):
        said = _day(found[1], int(found[2]), int(found[3]))
        return f'{said}, {found[4]}{_zone(found[5] or "")}' if said and found[4] else said
    if found := _DOT_DATE.fullmatch(core):
        return _day(found[3], int(found[2]), int(found[1]))
    if found := _SLASHED_DATE.fullmatch(core):
        first, second, year = int(found[1]), int(found[3]), found[4]
        year = year if len(year) == 4 else f'{"19" if int(year) > 30 else "20"}{year}'
        return _day(year, first, second) or _day(year, second, first)
    return None


def _zone(written: str) -> str:
    """A time zone as it is said: "+01:00" is "U.T.C. plus 1"."""
    if written in ('', 'Z'):
        return ' UTC' * bool(written)
    hours, minutes = int(written[1:3]), written[-2:]
    if not hours and minutes == '00':
        return ' UTC'
    said = f'{hours}' if minutes == '00' else f'{hours}:{minutes}'
    return f' UTC {"plus" if written[0] == "+" else "minus"} {said}'


def day_of(first: int, second: int) -> str:
    """The day of a month without a year, "11/25" or "25/11"; empty if there is no such day."""
    if 1 <= first <= 12 and 1 <= second <= 31:
        return f'{_MONTHS[first - 1]} {ordinal(second)}'
    if 13 <= first <= 31 and 1 <= second <= 12:
        return f'{_MONTHS[second - 1]} {ordinal(first)}'
    return ''


def day_name(core: str, tail: str, context: Context) -> str:
    """The name of a day whose short form is no other word here; empty if it is none."""
    name = _SHORT_DAYS.get(core)
    if name is None:
        return ''
    if core in ('Tue', 'Tues', 'Thu', 'Thur', 'Thurs'):
        return name
    following = context.right()
    dated = (
        following[:1].isdigit()
        or following.rstrip(TAIL) in DAYS
        or following.rstrip(TAIL) in _MONTHS
    )
    return name if dated and tail in ('', ',', ':', '.') else ''


def _day(year: str, month: int, day: int) -> str | None:
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    return f'{_MONTHS[month - 1]} {ordinal(day)}, {year}'


def clock_time(core: str, tail: str, context: Context) -> str | None:
    """A clock time, a span of them or of ordinals; None if it is none."""
    if found := re.fullmatch(r'(\d+(?:st|nd|rd|th)?)[-–](\d+(?:st|nd|rd|th))', core):
        return f'{found[1]} to {found[2]}'
    if found := re.fullmatch(r'(1?\d|2[0-3])\.([0-5]\d)([ap]m)?', core, re.IGNORECASE):
        following = '' if found[3] or tail else context.right().rstrip(TAIL).lower()
        if found[3] or following in ('am', 'pm', 'a.m', 'p.m'):
            return f'{found[1]}:{found[2]}{found[3] or ""}'
    if found := re.fullmatch(r'(\d\d:\d\d)(?::\d\d(?:\.\d+)?)?(Z|\+\d\d:?\d\d)', core):
        return found[1] + _zone(found[2])
    if core[-3:] == ':00' and _TIME.fullmatch(core[:-3]) and _DATE.fullmatch(context.left):
        return core[:-3]
    if found := _TIMES.fullmatch(core):
        return f'{found[1]} to {found[2]}'
    if _TIME.fullmatch(core) and not _is_ratio(context):
        return core
    return None


def _is_ratio(context: Context) -> bool:
    """Whether the words around tell that "3:10" is no time."""
    words = ('ratio', 'odds', 'scale', 'aspect', 'mix', 'proportion', 'score')
    if any(word.rstrip(TAIL).lower() in words for word in context.before[-3:]):
        return True
    return context.right().rstrip(TAIL).lower() in words


def ratio(core: str, tail: str, context: Context) -> str | None:
    """A ratio like "3:1" as it is said, or None."""
    found = _RATIO.fullmatch(core)
    return core.replace(':', ' to ') if found else None
