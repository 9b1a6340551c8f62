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
from kame_ros.text.context import CLOSERS, NUM, OPENERS, TAIL, VULGARS, Context, is_number
from kame_ros.text.dates import DAYS, clock_time, date, ratio
from kame_ros.text.expressions import expression
from kame_ros.text.lists import word_set
from kame_ros.text.phone import PHONE, digits, goes_on, phone_number
from kame_ros.text.quantities import (
    QUANTITY,
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
    faster slower more less larger smaller bigger better cheaper higher longer lower stronger
    as the
    """
)
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
    if token == ':' and is_number(context.left) and is_number(context.right().rstrip(TAIL)):
        return 'to'
    if token[:2] in ('..', '…') or token[:1] == '…':
        token = token.lstrip('.…') or token
    lead = token[: len(token) - len(token.lstrip(OPENERS))]
    body = token[len(lead) :]
    if body[:1] in '0123456789' and (said := length_of(body, context.quoted)):
        return lead + said
    if _DECADE.fullmatch(token.rstrip('.,;:!?')):
        return token[1:]
    core = body.rstrip(TAIL)
    tail = body[len(core) :]
    if lead and PHONE.fullmatch(token.rstrip('.,;:!?')):
        core, lead, tail = token.rstrip('.,;:!?'), '', token[len(token.rstrip('.,;:!?')) :]
    elif core and lead.endswith('(') and core.isdigit() and tail == ')' and goes_on(context):
        return digits(core) + ','
    if not core:
        return token if any(c.isalnum() for c in token) else ''
    if core.isascii() and core.isalpha():
        said = _word(core, tail, context)
        return f'{lead}{said}{tail}'
    said = (
        _sign(core, context) if not any(c.isalnum() for c in core) else _mixed(core, tail, context)
    )
    if not said:
        return ''
    return f'{lead}{said}{tail}'


def _thousands(tail: str, context: Context) -> str | None:
    """The last group of "1 000 000" says how many thousands these are; others say nothing."""
    groups = 1
    while groups < 5 and context.before[-groups:] and context.before[-groups] == '000':
        groups += 1
    first = context.before[-groups] if len(context.before) >= groups else ''
    if groups > 4 or not re.fullmatch(r'[-−+$€£¥]?[1-9]\d{0,2}', first):
        return None
    if (
        len(context.before) > groups
        and context.before[-groups - 1].lstrip('+(').rstrip(')').isdigit()
    ):
        return None  # a telephone number
    if not tail and context.right().rstrip(TAIL) == '000':
        return ''
    scale = ('thousand', 'million', 'billion', 'trillion')[groups - 1]
    return f'{scale} {CURRENCIES[first[0]][1]}' if first[0] in CURRENCIES else scale


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
    if core == 'in' and is_number(left) and tail[:1] == '.' and context.right()[:1].islower():
        return 'inch' if '/' in left or left == '1' else 'inches'
    if core == 'in' and is_number(left) and context.before[-2:-1] in (['ft'], ['feet'], ['foot']):
        return 'inches'
    if core in UNITS:
        if number := quantity_left(left):
            return unit(core, number in ('1', '½', 'one'))
        if core in SURE and core not in ('mm',):
            return unit(core, False)
        return core
    if core in CURRENCIES:
        if is_number(left) and not left.endswith(tuple(TAIL)):
            return CURRENCIES[core][left not in ('1', 'one')]
        return '' if context.right()[:1].isdigit() else core
    sign = currency_left(left)
    if not sign and is_number(left) and context.before[-2:-1]:
        sign = context.before[-2] if context.before[-2] in CURRENCIES else ''
    if core in SCALE_WORDS and sign:
        return f'{SCALES.get(core, core)} {CURRENCIES[sign][1]}'
    if core.isupper() and ROMAN.fullmatch(core):
        return roman_numeral(core, tail, context)
    if len(core) > 1 and not set(core) - set('ivx'):
        return small_numeral(core, context)
    if core in ('x', 'X') and is_number(left) and is_number(context.right().rstrip(TAIL)):
        return 'times' if '=' in (context.right(2), left) else 'by'
    return core


def _sign(core: str, context: Context) -> str:
    left = context.left.rstrip(CLOSERS)
    numbers = is_number(left)
    if core in ('-', '–', '—', '--'):
        return _dash(core, numbers, context)
    if core == '−':
        return 'minus' if context.right()[:1].isalnum() or context.right()[:1] in '√(' else ''
    if core in CURRENCIES:
        if numbers:
            return CURRENCIES[core][left != '1']
        return '' if context.right()[:1].isdigit() else SIGNS.get(core, '')
    if core in UNITS:
        return unit(core, left == '1')
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


def _dash(core: str, numbers: bool, context: Context) -> str:
    following = context.right().rstrip(TAIL)
    clock = re.compile(r'\d{1,2}(?::\d\d)?(?:[ap]m)?', re.IGNORECASE)
    if clock.fullmatch(context.left) and clock.fullmatch(following) and 'm' in following.lower():
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
    if core == '/':
        return 'divided by' if numbers and is_number(context.right().rstrip(TAIL)) else ''
    if core == '~':
        return 'about' if context.right()[:1].isdigit() else ''
    return 'number' if core == '#' and context.right()[:1].isdigit() else ''


def _mixed(core: str, tail: str, context: Context) -> str:
    if address := address_of(core):
        return address
    if core in CURRENCIES:
        return _sign(core, context)
    if core[-1] in '-–—' and QUANTITY.fullmatch(core.rstrip('.-–—')):
        core = core.rstrip('.-–—')  # "$5.-"
    if core == '000' and (said := _thousands(tail, context)) is not None:
        return said
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
        return f'{expression(found[1], context)} times 10 to the power of {minus}{found[3]}'
    if re.fullmatch(rf'{NUM}(?:[xX]{NUM}){{1,2}}', core):
        return re.sub('[xX]', ' by ', core)
    if re.fullmatch(r'\d+[xX]', core) and context.right().rstrip(TAIL).lower() in _COMPARED:
        return f'{core[:-1]} times'
    if found := re.fullmatch(r'(\d{1,3})/(\d{1,3})-([a-z]+)', core):
        return f'{fraction_of(f"{found[1]}/{found[2]}", "", context)} {found[3]}'
    found = re.fullmatch(r'([A-Z][a-z]{2})[-–]([A-Z][a-z]{2})', core)
    if found and {found[1], found[2]} <= DAYS.keys():
        return f'{DAYS[found[1]]} to {DAYS[found[2]]}'
    if found := re.fullmatch(r'(noon|midnight)[-–](\d.*)|(\d.*)[-–](noon|midnight)', core):
        return re.sub('[-–]', ' to ', core)
    if _CODE.fullmatch(core):
        return core  # "mp3", "H2O", "4K": the voice spells what has to be spelt
    return expression(core, context)
