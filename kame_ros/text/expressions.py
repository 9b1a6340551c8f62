"""What no rule knows as a whole, piece by piece: "x²+y²=z²", "F-16"."""

from __future__ import annotations

import re
import unicodedata

from kame_ros.text.amounts import VULGAR, fraction
from kame_ros.text.context import NUM, VULGARS
from kame_ros.text.quantities import number
from kame_ros.text.sign_names import LETTERS, MATH, POWERS, SIGNS, SUPER, SUPERS

_LETTER = rf'[^\W\d_⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ{VULGARS}]'
_PIECES = re.compile(
    rf'{NUM}|[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ]+|[{VULGARS}]|{_LETTER}+(?:[\'’]{_LETTER}+)*|\*\*|<=|>=|!=|==|->|=>|\S'
)


def expression(core: str) -> str:
    """What no rule knows as a whole, piece by piece: "x²+y²=z²", "and/or", "F-16", "word—word"."""
    math = any(c in MATH for c in core)
    letters = any(c.isalpha() for c in core)
    pieces = _PIECES.findall(core)
    if not math and len(pieces) == 1:
        return _letters(core)
    said: list[str] = []
    for place, piece in enumerate(pieces):
        before = pieces[place - 1] if place else ''
        after = pieces[place + 1] if place + 1 < len(pieces) else ''
        said.append(_piece(piece, before, after, math, letters))
    text = ' '.join(part for part in said if part)
    text = re.sub(r'\s*\u2060\s*', '', text)
    return re.sub(r'\s+([,.;:!?)])', r'\1', re.sub(r'\(\s+', '(', text))


def _piece(piece: str, before: str, after: str, math: bool, letters: bool) -> str:
    if SUPER.fullmatch(piece):
        return _power(piece.translate(SUPERS))
    if piece[0] in VULGAR:
        return fraction(*VULGAR[piece], after_whole=before[:1].isdigit())
    if before == '°' and piece in ('C', 'F'):
        return 'Celsius' if piece == 'C' else 'Fahrenheit'
    if before in ('^', '**') and piece in POWERS:
        return _power(piece)
    if piece[0].isdigit() or (piece[0] == '.' and len(piece) > 1):
        return _glue(before) + number(piece) + _glued_after(after)
    if piece[0].isalpha() and piece[0] not in 'ªº':
        return _glue(before) + _letters(piece, math)
    if piece in ('^', '**') and after:
        return '' if after in POWERS else 'to the power of'
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
        if before.lower() in ('am', 'pm') and after[:1].isdigit():
            return 'to'
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
    return SIGNS.get(piece, '')


def _power(exponent: str) -> str:
    if exponent in POWERS:
        return POWERS[exponent]
    said = exponent.replace('-', 'minus ').replace('+', 'plus ')
    return f'to the power of {said}'


def _letters(piece: str, math: bool = False) -> str:
    """Letters that the voice knows; Greek ones by their names."""
    said = ''
    for c in piece:
        if c.isascii() or c in "'’-":
            said += c
        elif name := LETTERS.get(c.lower().replace('µ', 'μ')):
            said += f' {name} '
        elif unicodedata.name(c, '').startswith(('LATIN', 'COMBINING')):
            said += c
    said = ' '.join(said.split())
    if math and len(said) == 2 and said.isalpha() and not set(said.lower()) & set('aeiou'):
        return ' '.join(said)  # mc² is m c squared
    return said
