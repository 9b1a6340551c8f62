"""Roman numerals behind names, and ordinals: "Henry VIII", "World War II"."""

from __future__ import annotations

import re

from kame_ros.text.context import TAIL, Context
from kame_ros.text.lists import word_set

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
ROMAN = re.compile(
    r'(?=[IVXLC]|M{1,3}[CDXLVI]{2})'
    r'M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})'
)
_ROMAN_WORTH = {'I': 1, 'V': 5, 'X': 10, 'L': 50, 'C': 100, 'D': 500, 'M': 1000}
_COUNTED = word_set(
    """
    war chapter part act scene section volume vol book phase article mark type level stage
    class grade bowl apollo gemini fantasy episode round rocky title figure table appendix
    olympiad factor group division corps army generation gen v windows ps option category tier
    schedule amendment league quest street wars lesson unit module season theorem
    """
)
_AFTER_I = word_set(
    """
    am have had think believe know want like love need hope guess mean said say can could
    would will should shall may might must do did don't can't won't wouldn't feel see go went
    read wrote found thought knew told used made got took saw liked loved wanted tried started
    asked never always also just really already mentioned described explained showed
    """
)


def roman_numeral(core: str, tail: str, context: Context) -> str:
    """A word that may be a Roman numeral, as it is said behind the name before it."""
    left = context.left
    name = left.lower()
    worth = _worth(core)
    ruler = name in _RULERS
    if len(core) > 1 and not tail and context.right().rstrip(TAIL).lower() == 'century':
        return ordinal(worth)
    if core == 'I' and name in _COUNTED and not ruler:
        return '1' if _numbers_it(left, tail, context) else core
    if name in _COUNTED and (len(core) > 1 or core in 'VX'):
        return str(worth)
    if core[0] == 'M' and len(core) > 3:
        return str(worth)
    if not left.isalpha() or not left[:1].isupper() or left.isupper():
        return core
    if len(core) == 1 and not ruler:
        return core
    if core == 'I' and not tail and context.right().rstrip(TAIL).lower() in _AFTER_I:
        return core
    if core in ('MD', 'CD', 'DC', 'MC', 'MI', 'DI', 'CV', 'LC', 'XL', 'DIV', 'MIX', 'CIV', 'DIM'):
        return core
    return f'the {ordinal(worth)}' if ruler else str(worth)


def _numbers_it(left: str, tail: str, context: Context) -> bool:
    """Whether an "I" behind what is counted is a number, and not who speaks."""
    if left.lower() in ('war', 'part', 'type') and left[0].isupper():
        return True
    if tail or not context.right():
        return True
    return left[0].isupper() and context.right().rstrip(TAIL).lower() not in _AFTER_I


def small_numeral(core: str, context: Context) -> str:
    """A numeral in small letters behind what is counted, as in "chapter xii"."""
    counted = context.left.lower() in _COUNTED and context.left.lower() != 'v'
    numeral = core.upper()
    return str(_worth(numeral)) if counted and ROMAN.fullmatch(numeral) else core


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
