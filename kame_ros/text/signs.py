"""Signs that mean something spoken, as words: "−5 °C", "2^10", "60 km/h", "$3.50", "Henry VIII".

Plain numbers, ordinals, years, clock times and month names stay as they are written: voices read
these right (measured with hibari; and moshi was trained on them). All else becomes words here, so
that every front-end is given the same.
"""

from __future__ import annotations

import re
import unicodedata

from kame_ros.text.addresses import address_of
from kame_ros.text.amounts import (
    CURRENCIES,
    CURRENCY,
    IS_UNIT,
    SCALE_WORDS,
    SCALES,
    SURE,
    UNITS,
    VULGAR,
    unit,
)
from kame_ros.text.codes import code_of
from kame_ros.text.context import CLOSERS, NUM, OPENERS, TAIL, VULGARS, Context, is_number
from kame_ros.text.dates import DAYS, clock_time, date, day_name, ratio
from kame_ros.text.expressions import expression
from kame_ros.text.lists import word_set
from kame_ros.text.measures import describes
from kame_ros.text.phone import PHONE, digits, phone_number
from kame_ros.text.quantities import (
    QUANTITY,
    between,
    currency_left,
    fraction_of,
    length_of,
    quantity,
    quantity_left,
    version,
)
from kame_ros.text.roman import ROMAN, roman_numeral, small_numeral
from kame_ros.text.sign_names import BEFORE_NUMBER, LATIN, SIGNS

_COMPARED = word_set(
    """
    daily weekly monthly yearly
    faster slower more less larger smaller bigger better cheaper higher longer lower stronger
    as the
    """
)
_COMPASS = {
    'N': 'north', 'S': 'south', 'E': 'east', 'W': 'west',
    'NE': 'northeast', 'NW': 'northwest', 'SE': 'southeast', 'SW': 'southwest',
}  # fmt: skip
_ARROW = re.compile(r'<?[-=~]{1,5}>|<[-=~]{1,5}|[→⇒➜➔]')
_ANGLE = re.compile(
    r'(\d{1,3}(?:\.\d+)?)°(?:\s?(\d{1,2}(?:\.\d+)?)[\'’′])?'
    r'(?:(\d{1,2}(?:\.\d+)?)[\"”″])?([NSEW])?'
)
_HALF_DAYS = word_set('am pm a.m p.m noon midnight')
_LENGTHS = word_set('m cm mm km ft in yd')
_OFTEN = re.compile(r'(\d{1,2})[xX×]/(day|week|month|year|hour)')
_ZONE = re.compile(r'(UTC|GMT)([-−–])(\d{1,2}(?::\d\d)?)')
_NUMBERED = re.compile(r'#(?=[A-Z0-9-]*\d)([A-Z][A-Z0-9-]*)')
_ZIP = re.compile(r'\d{5}(?:-\d{4})?')
_AMOUNT_ELSEWHERE = re.compile(r'\d{1,3}(?:\.\d{3})+(?:,\d{1,2})?')
_EUROS = re.compile(r'\(?(€)?[1-9]\d{0,2}\.\d{3}(?:(?<=\d)(€)|(?![\d.,]\d|\w))')
_OXIDE = re.compile(r'([CNSH])(O)(\d)')
_FUNCTION = re.compile(r'([fghFGP])\(([a-zA-Z0-9])\)')
_WEIGHED = word_set('g kg mg ml mL l L cl oz lb lbs tbsp tsp')
_WORLD_WARS = {
    'WWI': 'World War 1',
    'WWII': 'World War 2',
    'WW1': 'World War 1',
    'WW2': 'World War 2',
}
_DECADE = re.compile(r"'\d0s")
_SCIENTIFIC = re.compile(rf'([-−+]?{NUM})[eE]([-−+]?)(\d{{1,3}})')
# A million as it is written elsewhere: 1.000.000, 1'000'000, 1_000_000.
_GROUPED = re.compile(
    r"(?<![\w.,'’-])(?:(?!192\.168)[1-9]\d{0,2}(?:\.\d{3}){2}|[1-9]\d{0,2}(?:['’]\d{3})+|[1-9]\d{0,2}(?:_\d{3})+)"
    r"(?![\w'’-]|\.\d)"
)
_CODE = re.compile(r'(?=.{2,10}\Z)[A-Za-z]*(?:\d{1,4}[A-Za-z]+|[A-Za-z]\d{1,4})[A-Za-z0-9]*')


def spoken(token: str, context: Context) -> str:
    """The word as it is said; '' if it is a sign that means nothing here. Raises Wait."""
    token = _plain_signs(token)
    token = re.sub(r'^(\(?)(?:\+/-|\+-|-/\+)', r'\1±', token)
    token = _without_math_marks(token, context)
    token = re.sub(r'(?<![\d.,])\d{1,3}(?:\.\d{3})+,\d{1,2}(?!\d)', _with_point, token)
    token = _GROUPED.sub(lambda found: re.sub(r'\D', ',', found[0]), token)
    if (euros := _EUROS.match(token)) and (
        euros[1] or euros[2] or context.right().rstrip(TAIL) in CURRENCIES
    ):
        token = token.replace('.', ',', 1)
    if token == ':' and is_number(context.left) and is_number(context.right().rstrip(TAIL)):
        return 'to'
    if token[:2] in ('..', '…') or token[:1] == '…':
        token = token.lstrip('.…') or token
    lead = token[: len(token) - len(token.lstrip(OPENERS))]
    body = token[len(lead) :]
    if body[:1] in '0123456789' and (said := length_of(body, context)):
        return lead + said
    if _DECADE.fullmatch(token.rstrip('.,;:!?')):
        return token[1:]
    if body[:1] in '0123456789' and '°' in body:
        for end in range(len(body), max(len(body) - 3, 0), -1):
            if (said := _angle(body[:end])) and not body[end:].strip(TAIL):
                return f'{lead}{said}{body[end:]}'
    if found := _FUNCTION.fullmatch(body.rstrip('.,;:!?')):
        return f'{lead}{found[1]} of {found[2]}{body[len(found[0]) :]}'
    core = body.rstrip(TAIL)
    tail = body[len(core) :]
    if lead and PHONE.fullmatch(token.rstrip('.,;:!?')):
        core, lead, tail = token.rstrip('.,;:!?'), '', token[len(token.rstrip('.,;:!?')) :]
    if not core:
        return token if any(c.isalnum() for c in token) else ''
    if tail[:1] == '!' and is_factorial(body, context):
        return f'{lead}{core} factorial{tail[1:]}'
    if lead[-1:] == '(' and core in BEFORE_NUMBER and context.right()[:1].isdigit():
        return f'{lead}{BEFORE_NUMBER[core]}'
    if core.isascii() and core.isalpha():
        said = _word(core, tail, context)
        if said != core and tail[:2] == '.,':
            tail = tail[1:]
        return f'{lead}{said}{tail}'
    said = (
        _sign(core, context) if not any(c.isalnum() for c in core) else _mixed(core, tail, context)
    )
    if not said:
        return ''
    return f'{lead}{said}{tail}'


def is_factorial(word: str, context: Context) -> bool:
    """Whether the "!" behind a number or a letter is part of a calculation: "5! = 120"."""
    if not re.fullmatch(r'\(?(?:\d{1,4}|[a-z])!\)?[,;.]?', word):
        return False
    return context.right()[:1] in ('=', '+', '−', '×', '/', '÷', '≈', '<', '*', '·')


def _without_math_marks(token: str, context: Context) -> str:
    """Without the "$" that begin and end a formula: "$x = 5$" costs nothing."""
    begins = re.match(r'\(?\${1,2}(?=[A-Za-z\\(√−])', token)
    if begins:
        token = token.replace('$', '', token.count('$', 0, begins.end()))
    ends = re.search(r'(?<=[\w)²³])\${1,2}(?=[.,;:!?)]*\Z)', token)
    if ends and (begins or any(re.match(r'\(?\${1,2}[A-Za-z\\(√−]', t) for t in context.before)):
        token = token[: ends.start()] + token[ends.end() :]
    return token


def _with_point(found: re.Match[str]) -> str:
    """A number as it is written in most of Europe, "10.000,50", with a decimal point."""
    return found[0].replace('.', '').replace(',', '.')


def _plain_signs(token: str) -> str:
    """Compatible forms of characters, but not those that would lose their meaning."""
    if token.isascii():
        return token
    keep = set(VULGARS) | set('⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ…№℃℉µ')
    said = []
    for c in token.replace('\u2011', '-').replace('\u2012', '–').replace('―', '—'):
        if c in keep:
            said.append(c)
        elif c.isdecimal():
            said.append(str(unicodedata.decimal(c)))
        else:
            said.append(LATIN.get(c) or unicodedata.normalize('NFKC', c))
    return unicodedata.normalize('NFC', ''.join(said)).replace('Ω', 'Ω').replace('μ', 'µ')


def _word(core: str, tail: str, context: Context) -> str:
    left = context.left
    if name := day_name(core, tail, context) or _WORLD_WARS.get(core):
        return name
    if core in _COMPASS and left.endswith(('°', '′', '″', "'", '"')) and left[:1].isdigit():
        return _COMPASS[core]
    if core == 'sq' and is_number(left):
        return 'square'
    if core == 'ft' and left.rstrip('.') == 'sq':
        return 'feet'
    if core in ('Mio', 'Mrd') and is_number(left):
        return SCALES[core]
    if core == 'in' and is_number(left) and tail[:1] == '.' and context.right()[:1].islower():
        return 'inch' if '/' in left or left == '1' else 'inches'
    if core == 'in' and is_number(left) and context.before[-2:-1] in (['ft'], ['feet'], ['foot']):
        return 'inches'
    if core in UNITS:
        if number := quantity_left(left):
            one = number in ('1', '½', 'one') or _below_one(number, context)
            return unit(core, one or (not tail and describes(context, 2)))
        if core in SURE and core not in ('mm',):
            return unit(core, False)
        return core
    if core in CURRENCIES:
        amount = is_number(left) or _AMOUNT_ELSEWHERE.fullmatch(left)
        if amount and not left.endswith(tuple(TAIL)):
            return CURRENCIES[core][left not in ('1', 'one')]
        return '' if context.right()[:1].isdigit() else core
    sign = currency_left(left)
    if not sign and is_number(left) and context.before[-2:-1]:
        sign = context.before[-2] if context.before[-2] in CURRENCIES else ''
    if core in SCALE_WORDS and sign:
        one = not tail and describes(context, 2)
        return f'{SCALES.get(core, core)} {CURRENCIES[sign][not one]}'
    if core.isupper() and ROMAN.fullmatch(core):
        return roman_numeral(core, tail, context)
    if len(core) > 1 and not set(core) - set('ivx'):
        return small_numeral(core, context)
    if (
        core in ('x', 'X')
        and (is_number(left) or re.fullmatch(r'[A-Z]\d{1,3}', left))
        and is_number(context.right().rstrip(TAIL))
    ) or (core in ('x', 'X') and _between_lengths(context)):
        several = context.right(2).rstrip(TAIL) in _WEIGHED or '=' in (context.right(2), left)
        return 'times' if several else 'by'
    return core


def _below_one(number: str, context: Context) -> bool:
    """Whether it is less than one: "1/4 tsp" is one quarter teaspoon."""
    above, _, below = number.partition('/')
    whole = context.before[-2] if len(context.before) > 1 else ''
    return bool(below) and below.isdigit() and int(above) < int(below) and not whole.isdigit()


def _sign(core: str, context: Context) -> str:
    left = context.left.rstrip(CLOSERS)
    numbers = is_number(left)
    if _ARROW.fullmatch(core) and core != '<=':
        return 'to' if left and context.right() and core[-1] in '>→⇒➜➔' else ''
    if core in ('-', '–', '—', '--'):
        return _dash(core, context)
    if core == '−':
        return 'minus' if context.right()[:1].isalnum() or context.right()[:1] in '√(' else ''
    if core in CURRENCIES:
        if numbers:
            return CURRENCIES[core][left != '1']
        return '' if context.right()[:1].isdigit() else SIGNS.get(core, '')
    if core in UNITS:
        return unit(core, left == '1')
    if core == '×' and _between_lengths(context):
        return 'by'
    if core in ('*', '**', '/', '~', '#', '|', '\\', '_', '.', '`', '$$'):
        return _loose(core, left, numbers, context)
    if core == '=' and left[-1:].isdigit() and is_number(context.right().rstrip(TAIL)):
        return 'is'
    if not left and core in BEFORE_NUMBER and context.right()[:1].isdigit():
        return BEFORE_NUMBER[core]
    if core in ('<', '>') and (not left or not context.right()):
        return ''
    if not left and not context.right():
        return ''
    if core in SIGNS:
        return SIGNS[core]
    said = [SIGNS[c] for c in core if c in SIGNS and c not in '*^$°']
    return ' '.join(said) if len(core) <= 3 else ''


def _between_lengths(context: Context) -> bool:
    """Whether a length and a number stand beside this: "3m x 4m", "3 m × 4 m"."""
    number, name = re.fullmatch(r'(.*?)([a-z]*)', context.left).groups()  # type: ignore[union-attr]
    number = number or (context.before[-2] if len(context.before) > 1 else '')
    return name in _LENGTHS and is_number(number) and context.right()[:1].isdigit()


def _dash(core: str, context: Context) -> str:
    following = context.right().rstrip(TAIL)
    clock = re.compile(r'\d{1,2}(?::\d\d)?(?:[ap]m)?', re.IGNORECASE)
    if context.left.rstrip('.').lower() in _HALF_DAYS and following[:1].isdigit():
        return 'to'
    timed = 'm' in following.lower() or (':' in context.left and ':' in following)
    if timed and clock.fullmatch(context.left) and clock.fullmatch(following):
        return 'to'
    if not QUANTITY.fullmatch(context.left) or not QUANTITY.fullmatch(following):
        single = len(context.left) == 1 and context.left.isalpha() and core == '-'
        return 'minus' if single and (is_number(following) or following == 'b') else ''
    after = context.right(2).rstrip(TAIL).lower() if not context.right().endswith('.') else ''
    return 'minus' if after in ('=', 'is', 'equals') else 'to'


def _loose(core: str, left: str, numbers: bool, context: Context) -> str:
    if core == '*':
        single = len(left) == 1 and left.isalpha()
        return 'times' if numbers or single or left.endswith(')') else ''
    if core == '**':
        return SIGNS[core] if numbers else ''
    if core == '/' and re.fullmatch(rf'{NUM}V', left):
        return ''
    if core == '/':
        return 'divided by' if numbers and is_number(context.right().rstrip(TAIL)) else ''
    if core == '~':
        return 'about' if context.right()[:1].isdigit() else ''
    return 'number' if core == '#' and context.right()[:1].isdigit() else ''


def _angle(core: str) -> str:
    """Degrees, minutes and seconds of an angle: "40°26'46"N"; empty if it is none."""
    found = _ANGLE.fullmatch(core)
    if found is None or not (found[2] or found[4]):
        return ''
    parts = zip(found.groups(), ('degree', 'minute', 'second'), strict=False)
    said = [f'{n} {name}{"s" * (n != "1")}' for n, name in parts if n]
    return ' '.join([*said, *([_COMPASS[found[4]]] if found[4] else [])])


def _mixed(core: str, tail: str, context: Context) -> str:
    if found := _OXIDE.fullmatch(core):
        return ' '.join(found.groups())
    if address := address_of(core) or code_of(core):
        return address
    if core in CURRENCIES:
        return _sign(core, context)
    if found := _OFTEN.fullmatch(core):
        return f'{found[1]} times per {found[2]}'
    if found := _ZONE.fullmatch(core):
        return f'{found[1]} minus {found[3]}'
    if found := _NUMBERED.fullmatch(core):
        return f'number {code_of(found[1]) or expression(found[1])}'
    town = context.before[-2] if len(context.before) > 1 else ''
    if _ZIP.fullmatch(core) and re.fullmatch('[A-Z]{2}', context.left) and town.endswith(','):
        return digits(core)
    if core[-1] in '-–—' and QUANTITY.fullmatch(core.rstrip('.-–—')):
        core = core.rstrip('.-–—')  # "$5.-"
    if (found := re.fullmatch(r"([IVXLC]+)(['’]s)", core)) and ROMAN.fullmatch(found[1]):
        return roman_numeral(found[1], found[2], context) + found[2]
    if re.fullmatch(r'[A-F]-|[a-z]-\d+', core):  # a grade; a letter of a formula
        return core.replace('-', ' minus ').strip()
    if re.fullmatch(r'\d{1,2}(?:,\d{1,2}){2,}', core):
        return core.replace(',', ', ')
    if found := re.fullmatch(r'([ap]\.m\.)[-–](\d.*)', core, re.IGNORECASE):
        return f'{found[1]} to {found[2]}'
    if (
        core[0].isdigit()
        or core[0] in '+(-−–.~≈<>≤≥±#$€£¥₹₩₽₺₴₿¢'
        or core[0] in VULGAR
        or re.match(r'[vV]\.?\d', core)
        or re.match(rf'(?:{CURRENCY})\d', core)
        or core[-1].isdigit()
    ):
        for rule in (date, phone_number, version, clock_time, ratio, fraction_of, quantity):
            said = rule(core, tail, context)
            if said is not None:
                return said
    if (context.left and core in SURE) or IS_UNIT.fullmatch(core):
        number = quantity_left(context.left)
        if number or core in ('m/s', 'm/s²') or core.split('/')[0] in SURE or core[-1] in '²³':
            return unit(core, number in ('1', '½', 'one'))
    if core.lower().rstrip('.') in ('w/', 'w/o'):
        return 'without' if 'o' in core else 'with'
    if core in ('C#', 'F#', 'c#'):
        return f'{core[0]} sharp'
    if found := _SCIENTIFIC.fullmatch(core):
        minus = 'minus ' if found[2] in ('-', '−') else ''
        return f'{expression(found[1])} times 10 to the power of {minus}{found[3]}'
    if found := re.fullmatch(rf'({NUM}(?:[xX×]{NUM}){{1,2}})-([a-z]+)', core):
        return f'{re.sub("[xX×]", " by ", found[1])} {found[2]}'
    if re.fullmatch(rf'{NUM}(?:[xX]{NUM}){{1,2}}', core):
        return re.sub('[xX]', ' by ', core)
    found = re.fullmatch(rf'([A-Za-z°%]{{1,4}})/({NUM})', core)
    if found and found[1] in UNITS and is_number(context.left):
        joint = between(found[1], context.right().rstrip(TAIL))
        return f'{unit(found[1], context.left == "1")}{joint} {found[2]}'
    if re.fullmatch(r'\d+[xX]', core) and context.right().rstrip(TAIL).lower() in _COMPARED:
        return f'{core[:-1]} times'
    if found := re.fullmatch(r'(\d{1,3})/(\d{1,3})-([a-z]+)', core):
        return f'{fraction_of(f"{found[1]}/{found[2]}", "", context)} {found[3]}'
    found = re.fullmatch(r'([A-Z][a-z]{2})([-–/])([A-Z][a-z]{2})', core)
    if found and {found[1], found[3]} <= DAYS.keys():
        return f'{DAYS[found[1]]}{"," if found[2] == "/" else " to"} {DAYS[found[3]]}'
    if found := re.fullmatch(r'(noon|midnight)[-–](\d.*)|(\d.*)[-–](noon|midnight)', core):
        return re.sub('[-–]', ' to ', core)
    if _CODE.fullmatch(core):
        return core  # "mp3", "H2O", "4K": the voice spells what has to be spelt
    return expression(core)
