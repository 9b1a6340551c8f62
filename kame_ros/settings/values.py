"""Reads a setting in the type that its parameter has, however it was written.

YAML gives words a type before anybody knows what they are for: `no` becomes false, `007` becomes
7. Here a value stays as it was typed until the parameter is known that it is for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

TRUE = ('true', 'yes', 'on', 'y', '1')
FALSE = ('false', 'no', 'off', 'n', '0')
KINDS = {
    bool: 'true or false',
    int: 'a whole number',
    float: 'a number',
    str: 'a text',
    list: 'a list of texts',
}
_SHOWN = 100  # characters of a value in a sentence


class WrongType(ValueError):
    """A value cannot be read in the type that is wanted."""


def shown(value: Any) -> str:
    """A value in a sentence, cut if it is long."""
    text = repr(value)
    return text if len(text) <= _SHOWN else f'{text[:_SHOWN]}…'


def plain(text: str) -> Any:
    """An unquoted word as what it plainly is: true, false, or a number that prints the same.

    All else is a text: `no`, `007`, `1e3` and `1.50` keep their spelling.
    """
    if text in ('true', 'false'):
        return text == 'true'
    for kind in (int, float):
        try:
            number = kind(text)
        except ValueError:
            continue
        if str(number) == text and math.isfinite(number):
            return number
    return text


def truth(text: str) -> bool:
    """Whether a word means true: true, yes, on, y, 1, in any case; raises WrongType for others."""
    word = text.strip().lower()
    if word not in TRUE + FALSE:
        raise WrongType(f'true or false, not {shown(text)}')
    return word in TRUE


def typed(value: Any, kind: type, choices: Iterable[str] = ()) -> Any:
    """A value in the type `kind`; raises WrongType, whose text says what would be right.

    Where a text is wanted and a truth value given, the spelling is lost: it is taken for the one
    that is among `choices`, or else for `yes` or `no`.
    """
    if value is None or kind not in _READERS:
        raise WrongType(f'{KINDS.get(kind, kind.__name__)}, not {shown(value)}')
    try:
        return _READERS[kind](value, tuple(choices))
    except (ValueError, OverflowError) as error:
        raise WrongType(f'{KINDS[kind]}, not {shown(value)}') from error


def _text(value: Any, choices: tuple[str, ...]) -> str:
    if isinstance(value, bool):
        spellings = [w for word in (TRUE if value else FALSE) for w in (word, word.title())]
        fits = [word for word in spellings if word in choices]
        return fits[0] if fits else spellings[2]  # yes, no
    if isinstance(value, str | int | float):
        return str(value)
    if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
        return f'[{", ".join(value)}]'
    raise ValueError


def _bool(value: Any, choices: tuple[str, ...]) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, int) and value in (0, 1):
        return bool(value)
    if isinstance(value, str):
        return truth(value)
    raise ValueError


def _int(value: Any, choices: tuple[str, ...]) -> int:
    if isinstance(value, str):
        try:
            return int(value)
        except ValueError:
            value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        raise ValueError
    return int(value)


def _float(value: Any, choices: tuple[str, ...]) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError
    return float(value)


def _list(value: Any, choices: tuple[str, ...]) -> list[str]:
    if isinstance(value, str):
        value = _items(value)
    if isinstance(value, bytes) or not hasattr(value, '__iter__'):
        raise ValueError
    return [_text(item, ()) for item in value]


def _items(text: str) -> list[str]:
    """`[a, b]` or `a, b`, with or without quotes around the items."""
    text = text.strip()
    if text.startswith('[') != text.endswith(']'):
        raise ValueError
    inner = text[1:-1] if text.startswith('[') else text
    items = [item.strip() for item in inner.split(',')]
    return [
        item[1:-1] if len(item) > 1 and item[0] == item[-1] and item[0] in '\'"' else item
        for item in items
        if item
    ]


_READERS: dict[type, Callable[[Any, tuple[str, ...]], Any]] = {
    str: _text,
    bool: _bool,
    int: _int,
    float: _float,
    list: _list,
}
