"""Documents with a value of an odd type in each place, and the words that only programmers know."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any

ODD = (None, True, -3, 1.5, 1e400, '', 'x', 'nan', [], [None], ['x'], {}, {'x': 1}, [[[]]])
# What Python, and nobody else, says of a value.
PYTHON = re.compile(
    r'NoneType|object is|has no attribute|subscriptable|indices|iterable|unexpected keyword|'
    r'positional|__init__|unhashable|to unpack|dictionary update|Error\b|expected str|'
    r"invalid literal|could not convert|not supported between|'(int|float|str|list|dict|bool)'|"
    r'Traceback|zip\(\)|\b(str|int|float|dict|list)\b\(|base 10'
)


def documents(good: Any) -> Iterator[tuple[str, Any]]:
    """Of each value of a document: where it is, and the document with an odd one in its place."""
    for place in _places(good):
        for odd in ODD:
            made = copy.deepcopy({'whole': good})
            holder: Any = made
            for step in ('whole', *place[:-1]):
                holder = holder[step] if place else holder
            holder[place[-1] if place else 'whole'] = odd
            yield f'{place}: {odd!r}', made['whole']
        if place and isinstance(place[-1], str):
            made = copy.deepcopy(good)
            holder = made
            for step in place[:-1]:
                holder = holder[step]
            del holder[place[-1]]
            yield f'{place} is left out', made


def _places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield at
    if not isinstance(value, dict | list):
        return
    for key, below in value.items() if isinstance(value, dict) else enumerate(value):
        yield from _places(below, (*at, key))
