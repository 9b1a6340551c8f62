"""Numbers with what they count: ranges, fractions, money, units, versions, lengths."""

from __future__ import annotations

import re

from kame_ros.text.amounts import (
    CURRENCIES,
    CURRENCY,
    NOT_GLUED,
    SCALE_WORDS,
    SCALES,
    SURE,
    UNIT,
    UNITS,
    VULGAR,
    fraction,
    money,
    unit,
)
from kame_ros.text.context import AMOUNT, NUM, TAIL, Context, is_number
from kame_ros.text.dates import day_of
from kame_ros.text.lists import word_set
from kame_ros.text.measures import describes
from kame_ros.text.phone import digits
from kame_ros.text.sign_names import BEFORE_NUMBER

QUANTITY = re.compile(
    rf'(?P<sign><=|>=|[-−–+~≈<>≤≥±#])?(?P<pre>{CURRENCY})?(?P<a>{AMOUNT})'
    rf'(?:(?P<first>{UNIT})?(?P<to>[-–—~]|\.\.\.?|…)(?P<minus>[−+])?(?:{CURRENCY})?(?P<b>{AMOUNT}))?'
    rf'(?:(?P<scale>[kKmMbBT]|mn|bn|tn)(?![\w])(?P<after>{CURRENCY})?|(?P<unit>{UNIT})|(?P<post>{CURRENCY}))?'
    r'(?:/(?P<per>[a-zA-Z]{1,7}))?'
)
_VERSION = re.compile(
    r'([vV])\.?(\d+(?:\.\d+)*)((?:-?(?:rc|alpha|beta|a|b)\.?\d*)?)|(\d+(?:\.\d+){2,5})'
)
_FRACTION = re.compile(r'(\d{1,4})[/⁄](\d{1,4})')
_FEET = re.compile(r"(\d{1,3})['′’](?:(\d{1,2}(?:\.\d+)?)[\"″”])?")
_MINUTES = re.compile(r"(\d{1,2}(?:\.\d+)?)['’′]")
_SECONDS = re.compile(r'(\d{1,2}(?:\.\d+)?)(?:["”″]|′′)')
_INCHES = re.compile(rf'({NUM})[\"″”]')
_WHOLE = re.compile(r'\d+')
_PER = {'mo': 'month', 'yr': 'year', 'wk': 'week', 'd': 'day', 'pp': 'person', 'ea': 'piece'}
_DAY_COMES = word_set(
    'on by until till from since due date before after through monday tuesday wednesday thursday '
    'friday saturday sunday mon tue wed thu fri sat sun'
)
_SCORED = word_set('score scored got points right correct marks questions of answers passed')
_SCALED = '[kKmMbBT]|mn|bn|tn'
_SCALED_RANGE = re.compile(
    rf'({CURRENCY})?({NUM})({_SCALED})[-–—~](?:{CURRENCY})?({NUM})({_SCALED})'
)
_PRICE_WORD = re.compile(rf'({CURRENCY})({NUM})[-‑]([a-z]+(?:-[a-z]+)*)')
_UNIT_BEFORE_WORD = re.compile(rf'({NUM})-({UNIT})')
_MIXED_FRACTION = re.compile(r'(\d{1,3})[-–](\d{1,2})/(\d{1,2})')
_FRACTION_INCHES = re.compile(r'(\d{1,2})/(\d{1,2})["″”]')
_TWO_OF = re.compile(rf'({NUM})({UNIT})/({NUM})({UNIT})')
_COUNTED_BY = word_set('km mi m ml mL g kg L l h min s')  # "l/100 km", "mg/5 ml"
_VOLTS = re.compile(rf'{NUM}V,?')
_HOURS_LEFT, _MINUTES_LEFT = re.compile(r'\d{1,2}h'), re.compile(r'\d{1,2}m(?:in)?')
_SIDE = re.compile(rf'({NUM})m')
_WIDE = word_set('long wide high tall deep thick away apart by x ×')
_HOURS = re.compile(r'(\d{1,2})h(\d{1,2})(?:m|min|mins)?')
_MOST_DIGITS = 12  # of a number that is read as a number


def quantity_left(left: str) -> str:
    """The number that the word before ends with, if a unit may follow it."""
    left = left.lstrip('~≈<>≤≥')
    if is_number(left):
        return left
    if found := re.fullmatch(rf'[A-Za-z]{{1,3}}/({NUM})', left):  # "5 V/2 A"
        return found[1]
    return left if left in ('one', 'half') else ''


def currency_left(left: str) -> str:
    """The currency of an amount like "$5" before "million"."""
    found = QUANTITY.fullmatch(left)
    return (found['pre'] or '') if found else ''


def version(core: str, tail: str, context: Context) -> str | None:
    """A version or an address of a machine as it is said, or None."""
    if port := re.fullmatch(r'(\d+(?:\.\d+){3})([:/])(\d+)', core):
        return f'{port[1].replace(".", " dot ")}, {"port" if port[2] == ":" else "slash"} {port[3]}'
    found = _VERSION.fullmatch(core)
    if found is None:
        return None
    numbers = found[2] or found[4]
    dot = ' dot ' if numbers.count('.') == 3 and not found[1] else ' point '
    said = re.sub(r'\d{5,}', lambda long: digits(long[0]), numbers.replace('.', dot))
    if found[3]:
        said += ' ' + re.sub(r'[-.]', ' ', found[3]).strip().replace('rc', 'R.C. ')
    return f'version {said}'.strip() if found[1] and context.left.lower() != 'version' else said


def fraction_of(core: str, tail: str, context: Context) -> str | None:
    """A fraction like "3/4" as it is said, or None."""
    if (mixed := _MIXED_FRACTION.fullmatch(core)) and int(mixed[2]) < int(mixed[3]):
        return f'{mixed[1]} {fraction(int(mixed[2]), int(mixed[3]), after_whole=True)}'
    found = _FRACTION.fullmatch(core)
    if found is None:
        return None
    above, below = int(found[1]), int(found[2])
    day = _is_day(above, below, context)
    if day:
        return day_of(above, below)
    if core in ('24/7', '9/11') or (len(found[1]) == 4 and len(found[2]) in (2, 4)):
        return core.replace('/', ' ')
    if below == 0:
        return f'{above} over {below}'
    if (above == below and above in (50, 100)) or (below in (10, 100) and above <= below):
        return f'{above} {below}' if above == below == 50 else f'{above} out of {below}'
    whole = bool(_WHOLE.fullmatch(context.left)) and above < below
    return fraction(above, below, whole)


def _is_day(first: int, second: int, context: Context) -> bool:
    """Whether "11/25" is a day of a month; fractions have other denominators, or are scores."""
    if not day_of(first, second) or (first, second) == (24, 7):
        return False
    words = [word.rstrip(TAIL).lower() for word in context.before[-2:]]
    if words and words[-1] in _DAY_COMES:
        return (first, second) != (9, 11)
    if set(words) & _SCORED or context.right().rstrip(TAIL).lower() in _SCORED:
        return False
    unlikely = second in (16, 32) or context.left.isdigit()
    following = context.right().rstrip(TAIL)
    return first <= 12 < second and not unlikely and following not in UNITS


def quantity(core: str, tail: str, context: Context) -> str | None:
    """A number with its sign, range, currency or unit as it is said, or None."""
    if (said := _price_before_word(core) or _scaled_range(core)) is not None:
        return said
    if (said := _two_of(core, tail, context) or _hours(core)) is not None:
        return said
    glued = _UNIT_BEFORE_WORD.fullmatch(core)
    if glued and (glued[2] in SURE or len(glued[2]) == 2 or glued[2] == 'min'):
        return f'{number(glued[1])} {unit(glued[2], one=True)}'  # "a 10-kg bag"
    if (said := _glued(core, context)) is not None:
        return said
    found = QUANTITY.fullmatch(core)
    if found is None:
        return None
    degrees = found['unit'] in ('C', 'F') and found['b']
    if found['unit'] and found['unit'] in NOT_GLUED and not degrees:
        return None
    currency = found['pre'] or found['post'] or found['after'] or _left_currency(context)
    if not currency and found['scale'] and context.right().rstrip(TAIL) in CURRENCIES:
        return f'{number(found["a"])} {SCALES[found["scale"]]}'  # the next word says the currency
    if found['scale'] and not currency:
        return _scaled(found)
    said = _amount(found, tail, currency, context)
    sign = BEFORE_NUMBER.get(found['sign'] or '', '')
    if found['sign'] == '#' and found['a'].isdigit() and len(found['a']) > 4:
        return f'number {digits(found["a"])}'
    if found['sign'] == '-' and is_number(context.left) and not context.left.endswith(','):
        sign = 'minus'
    if per := found['per']:
        said += f' per {_PER.get(per) or UNITS.get(per, (per, per))[0]}'
    return f'{sign} {said}'.strip()


def _two_of(core: str, tail: str, context: Context) -> str | None:
    """Two amounts with a slash between them: "5V/2A", "6.5l/100km"."""
    found = _TWO_OF.fullmatch(core)
    if found is None or {found[2], found[4]} & {'s', 't', 'B', 'K'}:
        return None
    one = not tail and describes(context, 1)
    first = f'{number(found[1])} {unit(found[2], one or found[1] == "1")}'
    second = f'{number(found[3])} {unit(found[4], one or found[3] == "1")}'
    return f'{first}{between(found[2], found[4])} {second}'


def between(first: str, second: str) -> str:
    """What is said for the slash between amounts of two units."""
    return ' per' if second in _COUNTED_BY and first != second else ','


def _glued(core: str, context: Context) -> str | None:
    """A unit that is one only beside its like: "5V, 2A", "2h 15m", "15m 30s", "3m x 4m", "3.2s"."""
    found = re.fullmatch(rf'({NUM})([Ams])', core)
    if found is None:
        return None
    left = context.left
    if left in ('/', 'at', '@', 'and'):
        left = context.before[-2] if len(context.before) > 1 else ''
    if found[2] == 'A':
        means = 'A' if _VOLTS.fullmatch(left) else ''
    elif found[2] == 's':
        minutes = _MINUTES_LEFT.fullmatch(context.left)
        means = 's' if minutes or ('.' in found[1] and found[1][-1] != '.') else ''
    elif _HOURS_LEFT.fullmatch(context.left) or re.fullmatch(r'\d{1,2}s', _right(context)):
        means = 'min'
    else:
        means = 'm' if {_right(context), context.left} & _WIDE else ''
    return f'{number(found[1])} {unit(means, found[1] == "1")}' if means else None


def _right(context: Context) -> str:
    return context.right().rstrip(TAIL)


def _hours(core: str) -> str | None:
    """A span of time in one word: "1h30", "2h30min", "1h30m"."""
    found = _HOURS.fullmatch(core)
    if found is None:
        return None
    hours = f'{found[1]} {unit("h", found[1] == "1")}'
    return f'{hours} {int(found[2])}' + f' {unit("min", found[2] == "1")}' * (found[2] != '')


def _price_before_word(core: str) -> str | None:
    """A price before what it is of: "$100-a-night", "$5-million"."""
    found = _PRICE_WORD.fullmatch(core)
    if found is None:
        return None
    one, words = CURRENCIES[found[1]][0], found[3].replace('-', ' ')
    if words in SCALE_WORDS:
        return f'{number(found[2])} {words} {one}'
    return f'{number(found[2])} {one} {words}'


def _scaled_range(core: str) -> str | None:
    """A span of prices that both have a scale: "$1.5M-2M"."""
    found = _SCALED_RANGE.fullmatch(core)
    if found is None or not (found[1] or {found[3], found[5]} <= set('kKMB')):
        return None
    sign, first, scale, second, other = found.groups()
    low, high = f'{number(first)} {SCALES[scale]}', f'{number(second)} {SCALES[other]}'
    return f'{low} to {high} {CURRENCIES[sign][1] if sign else ""}'.strip()


def _scaled(found: re.Match[str]) -> str | None:
    """A decimal with a scale: "1.2k", "3.5M"; "1.80m" is a length. Whole ones ("5G") are not."""
    if '.' not in found['a'] or found['b'] or found['pre'] or found['sign']:
        return None
    scale = 'meters' if found['scale'] == 'm' else SCALES[found['scale']]
    return f'{number(found["a"])} {scale}'


def _left_currency(context: Context) -> str:
    return context.left if context.left in CURRENCIES else ''


def _amount(found: re.Match[str], tail: str, currency: str, context: Context) -> str:
    first, second = found['a'], found['b']
    if currency:
        return _price(found, tail, currency, context)
    said = number(first, _WHOLE.fullmatch(context.left) is not None)
    if second and not found['unit'] and _falls(first, second):
        said += f' {number(second)}'  # "Boeing 747-400" is no range
    elif second:
        said += f' to {"minus " * (found["minus"] == "−")}{number(second)}'
    if found['unit']:
        few = (second or first) in ('1', '½', '¼', '¾', '⅓', '⅔')
        few = few or (not tail and not found['per'] and describes(context, 1))
        said += f' {unit(found["unit"], few)}'
    return said


def _falls(first: str, second: str) -> bool:
    """Whether two numbers are no range, as the first is larger, and too large for a score."""
    return len(first) == len(second) > 2 and first.isdigit() and first > second


def _price(found: re.Match[str], tail: str, currency: str, context: Context) -> str:
    first, second = found['a'], found['b']
    to = f'{number(first)} to ' if second else ''
    last = second or first
    scale = SCALES.get(found['scale'] or '', '')
    if scale:
        return f'{to}{number(last)} {scale} {CURRENCIES[currency][1]}'
    if not tail and not found['post'] and context.right().rstrip(TAIL) in SCALE_WORDS:
        return f'{to}{number(last)}'  # the next word says the currency
    if last[-1] in VULGAR or len(re.sub(r'\D', '', last)) > _MOST_DIGITS:
        return f'{to}{number(last)} {CURRENCIES[currency][1]}'
    one = not tail and not found['per'] and last.isdigit() and describes(context, 1)
    return to + money(currency, re.sub(r',(?=\d{1,2}$)', '.', last), one)


def number(written: str, after_whole: bool = False) -> str:
    """A number as the voice is given it: in figures, if it is not too long for that."""
    if written[-1] in VULGAR:
        whole = number(written[:-1]) if written[:-1] else ''
        part = fraction(*VULGAR[written[-1]], after_whole=bool(whole) or after_whole)
        return f'{whole} {part}'.strip()
    if re.fullmatch(r'\d+,\d{1,2}', written):
        written = written.replace(',', '.')  # as in most of Europe
    whole, _, part = written.partition('.')
    if len(whole.replace(',', '')) > _MOST_DIGITS:
        whole = digits(whole)
    elif len(whole) > 3 and ',' not in whole and len(whole) > 4:
        whole = f'{int(whole):,}' if whole[0] != '0' else ' '.join(whole)
    if not part:
        return whole
    if len(part) > 6 or whole == '':
        return f'{whole or "zero"} point {digits(part) if len(part) > 6 else " ".join(part)}'
    return f'{whole}.{part}'


def length_of(body: str, context: Context) -> str:
    """Feet and inches, whose signs are those of quotes; not where a quote is open."""
    bare = body.rstrip('.,;:!?)')
    tail = body[len(bare) :]
    if said := _part_of_angle(bare, context):
        return said + tail
    open_feet = re.fullmatch(r"\d{1,2}['’]", bare) and not tail
    if open_feet and re.match(r'(?:\d|1[01])["”″]', context.right()):
        return f'{bare[:-1]} {"foot" if bare[:-1] == "1" else "feet"}'
    if (found := _FEET.fullmatch(bare)) and (found[2] or bare[-1] in '′'):
        feet = f'{found[1]} {"foot" if found[1] == "1" else "feet"}'
        inches = f' {found[2]} {"inch" if found[2] == "1" else "inches"}' if found[2] else ''
        return feet + inches + tail
    if (found := _FRACTION_INCHES.fullmatch(bare)) and not context.quoted and int(found[2]):
        return f'{fraction(int(found[1]), int(found[2]))} inch{tail}'
    if (found := _INCHES.fullmatch(bare)) and not context.quoted:
        one = found[1] == '1' or (not tail and describes(context, 1))
        return f'{found[1]} {"inch" if one else "inches"}{tail}'
    return ''


def _part_of_angle(bare: str, context: Context) -> str:
    """Minutes and seconds of an angle that is written with blanks: "40° 26' 46" N"."""
    whole = context.before[-2] if len(context.before) > 1 else ''
    if (found := _MINUTES.fullmatch(bare)) and context.left.endswith('°'):
        name = 'minute'
    elif (found := _SECONDS.fullmatch(bare)) and _MINUTES.fullmatch(context.left):
        name = 'second' if whole.endswith('°') else ''
    else:
        return ''
    return f'{found[1]} {name}{"s" * (found[1] != "1")}' if name else ''
