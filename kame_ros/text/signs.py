"""Signs that mean something spoken, as words: "−5 °C", "2^10", "60 km/h", "$3.50", "Henry VIII".

Plain numbers, ordinals, years, clock times and month names stay as they are written: voices read
these right (measured with hibari; and moshi was trained on them). All else becomes words here, so
that every front-end is given the same.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kame_ros.text.amounts import (
    CURRENCIES,
    CURRENCY,
    IS_UNIT,
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
from kame_ros.text.lists import word_set

OPENERS = '("\'“‘«„¿¡'
CLOSERS = '"\'”’)»'
_TAIL = '.,;:!?…' + CLOSERS
_ORDINAL = {1: 'first', 2: 'second', 3: 'third', 5: 'fifth', 8: 'eighth', 9: 'ninth', 12: 'twelfth'}
_ONES = [
    'zero',
    'one',
    'two',
    'three',
    'four',
    'five',
    'six',
    'seven',
    'eight',
    'nine',
    'ten',
    'eleven',
    'twelve',
    'thirteen',
    'fourteen',
    'fifteen',
    'sixteen',
    'seventeen',
    'eighteen',
    'nineteen',
]
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
_DIGITS_BEFORE = word_set(
    """
    phone telephone tel number no code pin id call dial ring extension ext fax hotline account
    zip password postcode passcode serial
    """
)
_RULERS = word_set(
    """
    pope king queen emperor tsar czar henry louis edward george william charles james richard
    elizabeth napoleon pius benedict leo paul ramses ramesses frederick philip alexander
    nicholas peter catherine ivan umberto emmanuel gustav christian ferdinand mary anne john
    robert david darius xerxes ptolemy thutmose amenhotep seti cleopatra constantine justinian
    basil michael otto wilhelm friedrich franz joseph leopold albert baldwin innocent gregory
    clement urban boniface sixtus julius alfonso carlos felipe juan haakon harald olaf
    margrethe margaret isabella stephen suleiman mehmed murad selim pedro manuel maximilian
    rudolf victor oscar karl adolf haile artaxerxes mithridates hormizd theodosius andronicus
    rama valdemar eric erik magnus canute malcolm-iii sancho ramiro casimir sigismund
    ladislaus vladislav bela shapur cyrus
    """
)
_ROMAN = re.compile(r'(?=[IVXLC])M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})')
_ROMAN_WORTH = {'I': 1, 'V': 5, 'X': 10, 'L': 50, 'C': 100, 'D': 500, 'M': 1000}
_COUNTED = word_set(
    """
    war chapter part act scene section volume vol book phase article mark type level stage
    class grade bowl apollo gemini fantasy episode round rocky title figure table appendix
    olympiad factor group division corps army generation gen v windows ps option category tier
    schedule amendment league quest street wars
    """
)
_COMPARED = word_set(
    """
    faster slower more less larger smaller bigger better cheaper higher longer lower stronger
    as the
    """
)
_DAYS = {
    'Mon': 'Monday', 'Tue': 'Tuesday', 'Wed': 'Wednesday', 'Thu': 'Thursday', 'Fri': 'Friday',
    'Sat': 'Saturday', 'Sun': 'Sunday', 'Jan': 'January', 'Feb': 'February', 'Mar': 'March',
    'Apr': 'April', 'May': 'May', 'Jun': 'June', 'Jul': 'July', 'Aug': 'August',
    'Sep': 'September', 'Oct': 'October', 'Nov': 'November', 'Dec': 'December',
}  # fmt: skip
_AFTER_I = word_set(
    """
    am have had think believe know want like love need hope guess mean said say can could
    would will should shall may might must do did don't can't won't wouldn't feel see go went
    """
)
_LETTERS = {
    'α': 'alpha', 'β': 'beta', 'γ': 'gamma', 'δ': 'delta', 'ε': 'epsilon', 'ζ': 'zeta', 'η': 'eta',
    'θ': 'theta', 'ι': 'iota', 'κ': 'kappa', 'λ': 'lambda', 'μ': 'mu', 'ν': 'nu', 'ξ': 'xi',
    'π': 'pi', 'ρ': 'rho', 'σ': 'sigma', 'τ': 'tau', 'φ': 'phi', 'χ': 'chi', 'ψ': 'psi',
    'ω': 'omega', 'ϕ': 'phi',
}  # fmt: skip
_LATIN = {
    'ł': 'l', 'Ł': 'L', 'ø': 'o', 'Ø': 'O', 'ß': 'ss', 'æ': 'ae', 'Æ': 'Ae', 'œ': 'oe', 'Œ': 'Oe',
    'đ': 'd', 'Đ': 'D', 'ð': 'th', 'þ': 'th', 'Þ': 'Th', 'ı': 'i', 'ẞ': 'SS',
}  # fmt: skip
_SIGNS = {
    '+': 'plus', '−': 'minus', '±': 'plus or minus', '∓': 'minus or plus', '×': 'times',
    '·': 'times', '⋅': 'times', '∙': 'times', '÷': 'divided by', '=': 'equals',
    '≠': 'is not equal to', '≈': 'is about', '≅': 'is about', '≡': 'is identical to',
    '<': 'less than', '>': 'greater than', '≤': 'less than or equal to',
    '≥': 'greater than or equal to', '<=': 'less than or equal to',
    '>=': 'greater than or equal to', '!=': 'is not equal to', '==': 'equals', '->': 'to',
    '=>': 'to', '→': 'to', '⇒': 'to', '↔': 'to', '←': 'from', '↑': 'up', '↓': 'down',
    '√': 'the square root of', '∛': 'the cube root of', '∞': 'infinity', '%': 'percent',
    '‰': 'per mille', '&': 'and', '@': 'at', '°': 'degrees', '§': 'section', '©': 'copyright',
    '№': 'number', '∑': 'the sum of', '∏': 'the product of', '∫': 'the integral of', '∈': 'in',
    '∪': 'union', '∩': 'intersection', '∂': 'partial', '∀': 'for all', '^': 'to the power of',
    '**': 'to the power of', '*': 'times', '$': 'dollars', '€': 'euros', '£': 'pounds', '¥': 'yen',
    '¢': 'cents', '℃': 'degrees Celsius', '℉': 'degrees Fahrenheit', '¬': 'not', '∧': 'and',
    '∨': 'or', 'µ': 'micro',
}  # fmt: skip
_BEFORE_NUMBER = {
    '-': 'minus', '−': 'minus', '–': 'minus', '+': 'plus', '~': 'about', '≈': 'about',
    '<': 'less than', '>': 'more than', '≤': 'at most', '≥': 'at least', '<=': 'at most',
    '>=': 'at least', '±': 'plus or minus', '#': 'number',
}  # fmt: skip
_POWERS = {'2': 'squared', '3': 'cubed'}
_SUPERS = str.maketrans('⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ', '0123456789+-n')
_SUPER = re.compile(r'[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ]+')
_VULGARS = ''.join(VULGAR)
_NUM = r'(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+,\d{1,2}(?![\d,])|\d+(?:\.\d+)?|\.\d+)'
_AMOUNT = rf'(?:{_NUM}?[{_VULGARS}]|{_NUM})'
_QUANTITY = re.compile(
    rf'(?P<sign><=|>=|[-−–+~≈<>≤≥±#])?(?P<pre>{CURRENCY})?(?P<a>{_AMOUNT})'
    rf'(?:(?P<first>{UNIT})?(?P<to>[-–—~]|\.\.\.?|…)(?P<minus>[−])?(?:{CURRENCY})?(?P<b>{_AMOUNT}))?'
    rf'(?:(?P<scale>[kKmMbBT]|mn|bn|tn)(?![\w])|(?P<unit>{UNIT})|(?P<post>{CURRENCY}))?'
    r'(?:/(?P<per>[a-zA-Z]{1,7}))?'
)
_DATE = re.compile(
    r'(\d{4})-(\d{2})-(\d{2})(?:T(\d{2}:\d{2})(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?'
)
_DOT_DATE = re.compile(r'(\d{1,2})\.(\d{1,2})\.(\d{4})')
_PHONE = re.compile(
    r'\+?\d{1,4}(?:[-.]\d{2,4}){2,4}|\d{3}-\d{4}|0\d{1,4}/\d{4,9}|\d{1,7}(?:-\d{1,7}){3,5}|\(\d{2,5}\)-?\d{2,4}(?:[-.]?\d{2,4}){0,3}|\+\d{8,15}'
)
_GROUP = re.compile(r'\(?\d{1,8}\)?(?:[-.]\d{2,5}){0,3}')  # of a phone number that goes on
_VERSION = re.compile(
    r'([vV])\.?(\d+(?:\.\d+)*)((?:-?(?:rc|alpha|beta|a|b)\.?\d*)?)|(\d+(?:\.\d+){2,5})'
)
_TIME = re.compile(r'(?:[01]?\d|2[0-4]):[0-5]\d(?::[0-5]\d)?(?:\s?[aApP]\.?[mM]\.?)?')
_TIMES = re.compile(
    rf'({_TIME.pattern}|\d{{1,2}}(?:[aApP][mM])?)[-–—]({_TIME.pattern}|\d{{1,2}}[aApP][mM])'
)
_RATIO = re.compile(r'(\d{1,5}(?:\.\d+)?)((?::\d{1,5}(?:\.\d+)?){1,4})')
_FRACTION = re.compile(r'(\d{1,4})[/⁄](\d{1,4})')
_FEET = re.compile(r"(\d{1,3})['′’](?:(\d{1,2}(?:\.\d+)?)[\"″”])?")
_INCHES = re.compile(rf'({_NUM})[\"″”]')
_URL = re.compile(r'(?:https?|ftp|file)://(?:www\.)?|www\.', re.IGNORECASE)
_EMAIL = re.compile(r'[^@\s]+@[^@\s]+\.[^@\s]+')
_DOMAIN = re.compile(
    r'(?:[a-z0-9](?:[a-z0-9-]{0,40}[a-z0-9])?\.){1,4}'
    r'(?:com|org|net|edu|gov|io|ai|dev|app|de|uk|fr|jp|eu|us|ca|info|tv|me|co|ch|at|nl|it|es|in)'
    r'(?:/[^\s]*)?',
    re.IGNORECASE,
)
_FILE = re.compile(r'[\w~-]*(?:[./\\][\w~-]+)*\.[a-z][a-z0-9]{0,4}')
_DECADE = re.compile(r"'\d0s")
_WHOLE = re.compile(r'\d+')
_NUMBER = re.compile(
    rf'[-−+]?(?:{_AMOUNT}(?:[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻]+|\^-?\d+)?|\d{{1,4}}/\d{{1,4}}|{_NUM}[-–—~]{_NUM})'
)
_SCIENTIFIC = re.compile(rf'([-−+]?{_NUM})[eE]([-−+]?)(\d{{1,3}})')
_CODE = re.compile(r'(?=.{2,10}\Z)[A-Za-z]*(?:\d{1,4}[A-Za-z]+|[A-Za-z]\d{1,4})[A-Za-z0-9]*')
_SLASHED_DATE = re.compile(r'(\d{1,2})/(\d{1,2})/(\d{4}|\d{2})')
_LETTER = rf'[^\W\d_⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ{_VULGARS}]'
_PIECES = re.compile(
    rf'{_NUM}|[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ]+|[{_VULGARS}]|{_LETTER}+(?:[\'’]{_LETTER}+)*|\*\*|<=|>=|!=|==|->|=>|\S'
)
_MATH = frozenset('+=×÷±∓^*√∛≤≥≠≈<>−·⋅°∞∑∫∈→⇒↔←&@%§©№≅≡¬∧∨µ⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ$€£¥¢' + _VULGARS)
_MOST_DIGITS = 12  # of a number that is read as a number
_GROUPED = 3


class Wait(Exception):
    """The word cannot be said before more of the text is known."""


@dataclass
class Context:
    """The words around the one that is said: those `before` it, nearest last, and after it."""

    before: Sequence[str]
    after: Callable[[int], str]  # the nth word after it, '' at the end of the text; raises Wait
    quoted: bool = False  # a quotation is open

    @property
    def left(self) -> str:
        """The word before, without brackets; '' at the start of the text."""
        return self.before[-1].lstrip(OPENERS) if self.before else ''

    def right(self, n: int = 1) -> str:
        """A word after. Raises Wait."""
        return self.after(n).lstrip(OPENERS)


def is_number(word: str) -> bool:
    """Whether the word is a number, a fraction or a range of numbers."""
    return bool(_NUMBER.fullmatch(word))


def spoken(token: str, context: Context) -> str:
    """The word as it is said; '' if it is a sign that means nothing here. Raises Wait."""
    token = _plain_signs(token)
    token = re.sub(r'^(\(?)(?:\+/-|\+-|-/\+)', r'\1±', token)
    if token == ':' and is_number(context.left) and is_number(context.right().rstrip(_TAIL)):
        return 'to'
    if token[:2] in ('..', '…') or token[:1] == '…':
        token = token.lstrip('.…') or token
    lead = token[: len(token) - len(token.lstrip(OPENERS))]
    body = token[len(lead) :]
    if body[:1] in '0123456789' and (said := _length(body, context.quoted)):
        return lead + said
    if _DECADE.fullmatch(token.rstrip('.,;:!?')):
        return token[1:]
    core = body.rstrip(_TAIL)
    tail = body[len(core) :]
    if lead and _PHONE.fullmatch(token.rstrip('.,;:!?')):
        core, lead, tail = token.rstrip('.,;:!?'), '', token[len(token.rstrip('.,;:!?')) :]
    elif core and lead.endswith('(') and core.isdigit() and tail == ')' and _goes_on(context):
        return _digits(core) + ','
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


def _plain_signs(token: str) -> str:
    """Compatible forms of characters, but not those that would lose their meaning."""
    if token.isascii():
        return token
    keep = set(_VULGARS) | set('⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ…№℃℉µ')
    said = []
    for c in token.replace('\u2011', '-').replace('\u2012', '–').replace('―', '—'):
        if c in keep:
            said.append(c)
        elif c.isdecimal():
            said.append(str(unicodedata.decimal(c)))
        else:
            said.append(_LATIN.get(c) or unicodedata.normalize('NFKC', c))
    return unicodedata.normalize('NFC', ''.join(said)).replace('Ω', 'Ω').replace('μ', 'µ')


# -- words of letters ---------------------------------------------------------------------------


def _word(core: str, tail: str, context: Context) -> str:
    left = context.left
    if core == 'in' and is_number(left) and context.before[-2:-1] in (['ft'], ['feet'], ['foot']):
        return 'inches'
    if core in UNITS:
        if number := _quantity_left(left):
            return unit(core, number in ('1', '½', 'one'))
        if core in SURE and core not in ('mm',):
            return unit(core, False)
        return core
    if core in CURRENCIES:
        if is_number(left) and not left.endswith(tuple(_TAIL)):
            return CURRENCIES[core][left not in ('1', 'one')]
        return '' if context.right()[:1].isdigit() else core
    if core in SCALE_WORDS and (sign := _currency_left(left)):
        return f'{SCALES.get(core, core)} {CURRENCIES[sign][1]}'
    if core.isupper() and _ROMAN.fullmatch(core):
        return _roman(core, tail, context)
    if core in ('x', 'X') and is_number(left) and is_number(context.right().rstrip(_TAIL)):
        return 'times' if '=' in (context.right(2), left) else 'by'
    return core


def _roman(core: str, tail: str, context: Context) -> str:
    left = context.left
    name = left.lower()
    worth = _worth(core)
    ruler = name in _RULERS
    if name in _COUNTED and (len(core) > 1 or core in 'VX' or name in ('war', 'part', 'type')):
        return str(worth)
    if not left.isalpha() or not left[:1].isupper() or left.isupper():
        return core
    if len(core) == 1 and not ruler:
        return core
    if core == 'I' and not tail and context.right().rstrip(_TAIL).lower() in _AFTER_I:
        return core
    if core in ('MD', 'CD', 'DC', 'MC', 'MI', 'DI', 'CV', 'LC', 'XL', 'DIV', 'MIX', 'CIV', 'DIM'):
        return core
    return f'the {ordinal(worth)}' if ruler else str(worth)


def _worth(numeral: str) -> int:
    total = 0
    for sign, following in zip(numeral, numeral[1:] + ' ', strict=True):
        worth = _ROMAN_WORTH[sign]
        total += -worth if _ROMAN_WORTH.get(following, 0) > worth else worth
    return total


def ordinal(number: int) -> str:
    """An ordinal below 100 in words, others in figures."""
    tens = ['twenty', 'thirty', 'forty', 'fifty', 'sixty', 'seventy', 'eighty', 'ninety']
    if number in _ORDINAL:
        return _ORDINAL[number]
    if number < 20:
        return f'{_ONES[number]}th'
    if number < 100:
        ten, one = tens[number // 10 - 2], number % 10
        return f'{ten}-{ordinal(one)}' if one else f'{ten[:-1]}ieth'
    ending = {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10 * (number // 10 % 10 != 1), 'th')
    return f'{number}{ending}'


def _quantity_left(left: str) -> str:
    """The number that the word before ends with, if a unit may follow it."""
    if is_number(left):
        return left
    return left if left in ('one', 'half') else ''


def _currency_left(left: str) -> str:
    """The currency of an amount like "$5" before "million"."""
    found = _QUANTITY.fullmatch(left)
    return (found['pre'] or '') if found else ''


# -- signs alone --------------------------------------------------------------------------------


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
        return '' if context.right()[:1].isdigit() else _SIGNS.get(core, '')
    if core in UNITS:
        return unit(core, left == '1')
    if core in ('*', '**', '/', '~', '#', '|', '\\', '_', '.', '`', '$$'):
        return _loose(core, left, numbers, context)
    if core == '=' and left[-1:].isdigit() and is_number(context.right().rstrip(_TAIL)):
        return 'is'
    if not left and core in _BEFORE_NUMBER and context.right()[:1].isdigit():
        return _BEFORE_NUMBER[core]
    if core in ('<', '>') and (not left or not context.right()):
        return ''
    if not left and not context.right():
        return ''
    if core in _SIGNS:
        return _SIGNS[core]
    said = [_SIGNS[c] for c in core if c in _SIGNS and c not in '*^$°']
    return ' '.join(said) if len(core) <= 3 else ''


def _dash(core: str, numbers: bool, context: Context) -> str:
    following = context.right().rstrip(_TAIL)
    if not _QUANTITY.fullmatch(context.left) or not _QUANTITY.fullmatch(following):
        single = len(context.left) == 1 and context.left.isalpha() and core == '-'
        return 'minus' if single and (is_number(following) or following == 'b') else ''
    after = context.right(2).rstrip(_TAIL).lower() if not context.right().endswith('.') else ''
    return 'minus' if after in ('=', 'is', 'equals') else 'to'


def _loose(core: str, left: str, numbers: bool, context: Context) -> str:
    if core == '*':
        single = len(left) == 1 and left.isalpha()
        return 'times' if numbers or single or left.endswith(')') else ''
    if core == '**':
        return _SIGNS[core] if numbers else ''
    if core == '/':
        return 'divided by' if numbers and is_number(context.right().rstrip(_TAIL)) else ''
    if core == '~':
        return 'about' if context.right()[:1].isdigit() else ''
    return 'number' if core == '#' and context.right()[:1].isdigit() else ''


# -- words with signs or figures ----------------------------------------------------------------


def _mixed(core: str, tail: str, context: Context) -> str:
    if address := _address(core):
        return address
    if core in CURRENCIES:
        return _sign(core, context)
    if (
        core[0].isdigit()
        or core[0] in '+(-−–.~≈<>≤≥±#$€£¥₹₩₽₺₴₿¢'
        or core[0] in VULGAR
        or core[-1].isdigit()
    ):
        for rule in (_date, _phone, _version, _clock, _ratio, _fraction_of, _quantity):
            said = rule(core, tail, context)
            if said is not None:
                return said
    if (context.left and core in SURE) or IS_UNIT.fullmatch(core):
        number = _quantity_left(context.left)
        if number or core in ('m/s', 'm/s²') or core.split('/')[0] in SURE or core[-1] in '²³':
            return unit(core, number in ('1', '½', 'one'))
    if core.lower().rstrip('.') in ('w/', 'w/o'):
        return 'without' if 'o' in core else 'with'
    if core in ('C#', 'F#', 'c#'):
        return f'{core[0]} sharp'
    if found := _SCIENTIFIC.fullmatch(core):
        minus = 'minus ' if found[2] in ('-', '−') else ''
        return f'{_expression(found[1], context)} times 10 to the power of {minus}{found[3]}'
    if re.fullmatch(rf'{_NUM}(?:[xX]{_NUM}){{1,2}}', core):
        return re.sub('[xX]', ' by ', core)
    if re.fullmatch(r'\d+[xX]', core) and context.right().rstrip(_TAIL).lower() in _COMPARED:
        return f'{core[:-1]} times'
    if found := re.fullmatch(r'(\d{1,3})/(\d{1,3})-([a-z]+)', core):
        return f'{_fraction_of(f"{found[1]}/{found[2]}", "", context)} {found[3]}'
    found = re.fullmatch(r'([A-Z][a-z]{2})[-–]([A-Z][a-z]{2})', core)
    if found and {found[1], found[2]} <= _DAYS.keys():
        return f'{_DAYS[found[1]]} to {_DAYS[found[2]]}'
    if found := re.fullmatch(r'(noon|midnight)[-–](\d.*)|(\d.*)[-–](noon|midnight)', core):
        return re.sub('[-–]', ' to ', core)
    if _CODE.fullmatch(core):
        return core  # "mp3", "H2O", "4K": the voice spells what has to be spelt
    return _expression(core, context)


def _address(core: str) -> str:
    if (address := _URL.match(core)) is not None:
        host = re.split(r'[/?#]', core[address.end() :])[0]
        return _dotted(host) or 'a link'
    if '@' in core and _EMAIL.fullmatch(core):
        return _dotted(core.replace('@', ' at '))
    if '.' in core and _DOMAIN.fullmatch(core) and not re.search(r'[a-z]\.[A-Z]', core):
        return _dotted(core.rstrip('/').replace('/', ' slash '))
    if (
        '.' in core
        and _FILE.fullmatch(core)
        and re.search(r'[A-Za-z]', core.split('.')[0][-1:] + '0')
    ):
        name, _, ending = core.rpartition('.')
        if len(name) > 1 and not name.replace('.', '').isdigit() and len(ending) > 1:
            return _dotted(re.sub(r'[/\\]', ' slash ', core.lstrip('~./')))
    return ''


def _dotted(text: str) -> str:
    said = (
        text.replace('.', ' dot ')
        .replace('+', ' plus ')
        .replace('_', ' underscore ')
        .replace('-', ' dash ')
    )
    said = re.sub(r'[^\w\s]', ' ', said)
    said = re.sub(r'\d{5,}', lambda found: ' '.join(found[0]), said)
    return ' '.join(said.split())


def _date(core: str, tail: str, context: Context) -> str | None:
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


def _phone(core: str, tail: str, context: Context) -> str | None:
    if _PHONE.fullmatch(core) and not _looks_like_version(core):
        return _digits(core)
    in_phone = _in_phone(context)
    if in_phone and _GROUP.fullmatch(core):
        goes_on = not tail and _GROUP.fullmatch(context.right().rstrip(_TAIL))
        return _digits(core) + ',' * bool(goes_on)
    three = re.compile(r'\d{3}')
    middle = three.fullmatch(core) and three.fullmatch(context.left) and not tail
    if middle and re.fullmatch(r'\d{4}', context.right().rstrip(_TAIL)):
        return _digits(core) + ','
    if (
        re.fullmatch(r'\+\d{1,3}', core)
        and not tail
        and _GROUP.fullmatch(context.right().rstrip(_TAIL))
    ):
        return (
            _digits(core) + ','
            if context.after(1)[:1].isdigit() or context.after(1)[:1] == '('
            else None
        )
    if not core.isdigit():
        return None
    if core == '911':
        return _digits(core)
    if (core[0] == '0' and len(core) > 1) or (len(core) >= 10 and not core.endswith('000')):
        return _digits(core)
    if len(core) >= 3 and any(_is_digits_word(word) for word in context.before[-4:]):
        return _digits(core)
    if len(core) == 3 and not tail and re.fullmatch(r'\d{3}', context.right()):
        return (
            _digits(core) + ',' if re.fullmatch(r'\d{4}', context.right(2).rstrip(_TAIL)) else None
        )
    return None


def _looks_like_version(core: str) -> bool:
    """Not a telephone number: "3.11.10", "192.168.10.21", "10.12.2024"."""
    groups = core.split('.')
    return len(groups) > 1 and not re.fullmatch(r'\d{3}\.\d{3}\.\d{4}', core)


def _is_digits_word(word: str) -> bool:
    bare = word.rstrip(_TAIL).lower()
    return (bare in _DIGITS_BEFORE and not word.endswith(('.', '!', '?'))) or word == 'No.'


def _goes_on(context: Context) -> bool:
    return bool(re.fullmatch(r'\d{3}[-.]\d{4}|\d{3,8}', context.right().rstrip(_TAIL)))


def _in_phone(context: Context) -> bool:
    """Whether the words before are the first groups of a telephone number."""
    for number, word in enumerate(reversed(context.before[-5:])):
        if word.endswith(('.', '!', '?', ',', ';', ':')):
            return False
        if re.fullmatch(r'\+\d{1,3}', word) or (_PHONE.fullmatch(word) and word[0] in '+('):
            return True
        if re.fullmatch(r'\(\d{2,5}\)', word) or re.fullmatch(r'0\d{2,5}', word):
            return True
        if (
            number == 1
            and re.fullmatch(r'\d{3}', word)
            and re.fullmatch(r'\d{3}', context.before[-1])
        ):
            return True
        if not _GROUP.fullmatch(word):
            return False
        if number == 0 and re.fullmatch(r'\d{3}', word) and len(context.before) > 1:
            continue
    return False


def _digits(core: str) -> str:
    """Digit by digit, with pauses between the groups."""
    plus = 'plus ' if core.startswith('+') else ''
    groups = re.findall(r'\d+', core)
    if len(groups) == 1 and len(groups[0]) > 6:
        whole = groups[0]
        cut = len(whole) % _GROUPED or _GROUPED
        groups = [whole[:cut], *(whole[i : i + _GROUPED] for i in range(cut, len(whole), _GROUPED))]
    return plus + ', '.join(' '.join(group) for group in groups)


def _version(core: str, tail: str, context: Context) -> str | None:
    if port := re.fullmatch(r'(\d+(?:\.\d+){3}):(\d+)', core):
        return f'{port[1].replace(".", " dot ")}, port {port[2]}'
    found = _VERSION.fullmatch(core)
    if found is None:
        return None
    numbers = found[2] or found[4]
    dot = ' dot ' if numbers.count('.') == 3 and not found[1] else ' point '
    said = re.sub(r'\d{5,}', lambda long: _digits(long[0]), numbers.replace('.', dot))
    if found[3]:
        said += ' ' + re.sub(r'[-.]', ' ', found[3]).strip().replace('rc', 'R.C. ')
    return f'version {said}'.strip() if found[1] and context.left.lower() != 'version' else said


def _clock(core: str, tail: str, context: Context) -> str | None:
    if found := re.fullmatch(r'(\d+(?:st|nd|rd|th)?)[-–](\d+(?:st|nd|rd|th))', core):
        return f'{found[1]} to {found[2]}'
    if found := _TIMES.fullmatch(core):
        return f'{found[1]} to {found[2]}'
    if _TIME.fullmatch(core) and not _is_ratio(core, context):
        return core
    return None


def _is_ratio(core: str, context: Context) -> bool:
    words = ('ratio', 'odds', 'scale', 'aspect', 'mix', 'proportion', 'score')
    if any(word.rstrip(_TAIL).lower() in words for word in context.before[-3:]):
        return True
    return context.right().rstrip(_TAIL).lower() in words


def _ratio(core: str, tail: str, context: Context) -> str | None:
    found = _RATIO.fullmatch(core)
    return core.replace(':', ' to ') if found else None


def _fraction_of(core: str, tail: str, context: Context) -> str | None:
    found = _FRACTION.fullmatch(core)
    if found is None:
        return None
    above, below = int(found[1]), int(found[2])
    if core in ('24/7', '9/11'):
        return core.replace('/', ' ')
    if below == 0:
        return f'{above} over {below}'
    if (above == below and above in (50, 100)) or (below in (10, 100) and above <= below):
        return f'{above} {below}' if above == below == 50 else f'{above} out of {below}'
    whole = bool(_WHOLE.fullmatch(context.left)) and above < below
    return fraction(above, below, whole)


def _quantity(core: str, tail: str, context: Context) -> str | None:
    found = _QUANTITY.fullmatch(core)
    if found is None:
        return None
    if found['unit'] and found['unit'] in NOT_GLUED:
        return None
    currency = found['pre'] or found['post'] or _left_currency(context)
    if found['scale'] and not currency:
        return None
    said = _amount(found, tail, currency, context)
    sign = _BEFORE_NUMBER.get(found['sign'] or '', '')
    if found['sign'] == '-' and is_number(context.left) and not context.left.endswith(','):
        sign = 'minus'
    if per := found['per']:
        said += f' per {UNITS.get(per, (per, per))[0]}'
    return f'{sign} {said}'.strip()


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
        said += f' to {"minus " * bool(found["minus"])}{number(second)}'
    if found['unit']:
        few = (second or first) in ('1', '½', '¼', '¾', '⅓', '⅔')
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
    if not tail and found['pre'] and context.right().rstrip(_TAIL) in SCALE_WORDS:
        return f'{to}{number(last)}'  # the next word says the currency
    if last[-1] in VULGAR or len(re.sub(r'\D', '', last)) > _MOST_DIGITS:
        return f'{to}{number(last)} {CURRENCIES[currency][1]}'
    return to + money(currency, re.sub(r',(?=\d{1,2}$)', '.', last))


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
        whole = _digits(whole)
    elif len(whole) > 3 and ',' not in whole and len(whole) > 4:
        whole = f'{int(whole):,}' if whole[0] != '0' else ' '.join(whole)
    if not part:
        return whole
    if len(part) > 6 or whole == '':
        return f'{whole or "zero"} point {_digits(part) if len(part) > 6 else " ".join(part)}'
    return f'{whole}.{part}'


def _length(body: str, quoted: bool) -> str:
    """Feet and inches, whose signs are those of quotes; `quoted`: a quote is open."""
    bare = body.rstrip('.,;:!?)')
    tail = body[len(bare) :]
    if (found := _FEET.fullmatch(bare)) and (found[2] or bare[-1] in '′'):
        feet = f'{found[1]} {"foot" if found[1] == "1" else "feet"}'
        inches = f' {found[2]} {"inch" if found[2] == "1" else "inches"}' if found[2] else ''
        return feet + inches + tail
    if (found := _INCHES.fullmatch(bare)) and not quoted:
        return f'{found[1]} {"inch" if found[1] == "1" else "inches"}{tail}'
    return ''


# -- expressions --------------------------------------------------------------------------------


def _expression(core: str, context: Context) -> str:
    """What no rule knows as a whole, piece by piece: "x²+y²=z²", "and/or", "F-16", "word—word"."""
    math = any(c in _MATH for c in core)
    letters = any(c.isalpha() for c in core)
    pieces = _PIECES.findall(core)
    if not math and len(pieces) == 1:
        return _letters(core, context)
    said: list[str] = []
    for place, piece in enumerate(pieces):
        before = pieces[place - 1] if place else ''
        after = pieces[place + 1] if place + 1 < len(pieces) else ''
        said.append(_piece(piece, before, after, math, letters, context))
    text = ' '.join(part for part in said if part)
    text = re.sub(r'\s*\u2060\s*', '', text)
    return re.sub(r'\s+([,.;:!?)])', r'\1', re.sub(r'\(\s+', '(', text))


def _piece(piece: str, before: str, after: str, math: bool, letters: bool, context: Context) -> str:
    if _SUPER.fullmatch(piece):
        return _power(piece.translate(_SUPERS))
    if piece[0] in VULGAR:
        return fraction(*VULGAR[piece], after_whole=before[:1].isdigit())
    if before in ('^', '**') and piece in _POWERS:
        return _power(piece)
    if piece[0].isdigit() or (piece[0] == '.' and len(piece) > 1):
        return _glue(before) + number(piece) + _glued_after(after)
    if piece[0].isalpha() and piece[0] not in 'ªº':
        return _glue(before) + _letters(piece, context, math)
    if piece in ('^', '**') and after:
        return '' if after in _POWERS else 'to the power of'
    if piece == '=':
        return (
            'is'
            if before[-1:].isdigit() and after[:1].isdigit()
            else 'equals' * bool(after or before)
        )
    return _inner_sign(piece, before, after, math, letters)


def _glue(before: str) -> str:
    return '\u2060' if before in ("'", '’') else ''


def _glued_after(after: str) -> str:
    return '\u2060' if after in ('st', 'nd', 'rd', 'th', 's', 'am', 'pm') else ''


def _inner_sign(piece: str, before: str, after: str, math: bool, letters: bool) -> str:
    if piece in ('-', '–'):
        if math:
            return 'minus' if after and (after[0].isalnum() or after in '(√') else ''
        if before[-1:].isdigit() and after[:1].isdigit():
            return 'to' if not letters else ''
        if piece == '-' and before[-1:].isalpha() and after[:1].isalpha():
            return '\u2060-\u2060'
        return ''
    if piece == '—':
        return ','
    if piece in '.,' and before[-1:].isalnum() and after[:1].isalpha():
        return '\u2060' + piece + ('\u2060' if len(before) == 1 or len(after) == 1 else '')
    if piece == "'" or piece == '’':
        return "\u2060'\u2060" if after else ''
    if piece == '/':
        number_there = before[-1:].isdigit() and after[:1].isdigit()
        return ('divided by' if math else 'slash') if number_there else ''
    if piece == '~':
        return 'to' if before[-1:].isdigit() else 'about' if after[:1].isdigit() else ''
    if piece == '#':
        return 'number' if after[:1].isdigit() else 'hashtag' if after and not before else ''
    if piece == '°' and after in ('C', 'F'):
        return 'degrees'
    if piece == '√':
        return 'times the square root of' if before[-1:].isalnum() else 'the square root of'
    if piece == '*' and not (before and after):
        return ''
    if piece in '<>' and len(piece) == 1 and not after[:1].isalnum():
        return ''
    if piece == '$' and not (before[-1:].isdigit() or after[:1].isdigit()):
        return ''
    if piece in '():;!?,.…"':
        return piece if piece in '()' or before else ''
    return _SIGNS.get(piece, '')


def _power(exponent: str) -> str:
    if exponent in _POWERS:
        return _POWERS[exponent]
    said = exponent.replace('-', 'minus ').replace('+', 'plus ')
    return f'to the power of {said}'


def _letters(piece: str, context: Context, math: bool = False) -> str:
    """Letters that the voice knows; Greek ones by their names."""
    said = ''
    for c in piece:
        if c.isascii() or c in "'’-":
            said += c
        elif name := _LETTERS.get(c.lower().replace('µ', 'μ')):
            said += f' {name} '
        elif unicodedata.name(c, '').startswith(('LATIN', 'COMBINING')):
            said += c
    said = ' '.join(said.split())
    if math and len(said) == 2 and said.isalpha() and not set(said.lower()) & set('aeiou'):
        return ' '.join(said)  # mc² is m c squared
    return said
