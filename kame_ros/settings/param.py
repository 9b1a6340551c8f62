"""A parameter, described where it is used: in a field of a configuration. No ROS.

Name, default, meaning, limits, unit and what it names are written once:

    @dataclass(frozen=True)
    class GateConfig:
        min_silence_s: float = setting(0.4, 'Speech ends after so much silence.', low=0.2, high=5.0)

        def __post_init__(self) -> None:
            check_settings(self)

`Param.of(GateConfig)` gives its rows, which a node declares and the reference page shows, and
`filled(GateConfig, read)` makes the configuration of their values. A configuration may hold others,
whose rows are its own, too.
"""

from __future__ import annotations

import difflib
import math
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass, replace
from typing import Any

from kame_ros.settings.values import WrongType, shown, typed

# What the value of a parameter names: see kame_ros.nodes.common.trusted_parameters.
FILE, MODEL, RECORDING, SERVER, PACKAGE = 'file', 'model', 'recording', 'server', 'package'
OPTIONS = 'options'  # each of which may name a file or a server
HOST = 'host'  # an address of this machine that a server is to be found at
_LINES = '\n\r\t'
_MOST_ITEMS = 100
_UNITS = {'s': 's', 'ms': 'ms', 'db': 'dB', 'tokens': 'tokens', 'words': 'words'}
_SETTING, _PREFIX = 'kame_ros.setting', 'kame_ros.prefix'


class BadParameter(ValueError):
    """A parameter has a value that nobody can work with."""


@dataclass(frozen=True)
class Param:
    """One parameter: its name, default (which gives the type), meaning and limits.

    `low` and `high` are inclusive. `choices` lists the only values of a text. `live` parameters
    may change while the node is active; the others are read when it is configured. `names` is the
    kind of thing that a text names, if a parameter must not reach all things of this kind.
    `longest` is in characters, of each item in a list. `unit` is needed where the name does not
    end with it.
    """

    name: str
    default: Any
    description: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    live: bool = False
    names: str = ''
    longest: int = 1_000
    unit: str = ''

    def __post_init__(self) -> None:
        if not self.unit and isinstance(self.default, int | float):
            unit = _UNITS.get(self.name.rpartition('_')[2], '')
            object.__setattr__(self, 'unit', '' if isinstance(self.default, bool) else unit)

    @classmethod
    def of(cls, config: type, prefix: str = '', *, live: bool = False) -> tuple[Param, ...]:
        """The rows of a configuration, each named `prefix` and its field."""
        return tuple(
            replace(row, name=name, live=live or row.live) for name, row in _rows(config, prefix)
        )

    def checked(self, value: Any) -> Any:
        """The value in the parameter's type.

        Raises BadParameter with a sentence that says what would be right.
        """
        try:
            value = typed(value, type(self.default), self.choices)
        except WrongType as error:
            raise BadParameter(f'{self.name} is {error}') from error
        self._check_texts(value if isinstance(value, list) else [value])
        if self.choices and value not in self.choices:
            close = difflib.get_close_matches(str(value), self.choices, 1)
            hint = f' (did you mean {close[0]!r}?)' if close else ''
            raise BadParameter(
                f'{self.name} is one of {", ".join(self.choices)}, not {shown(value)}{hint}'
            )
        below = self.low is not None and value < self.low
        above = self.high is not None and value > self.high
        if below or above or value in (math.inf, -math.inf) or value != value:
            raise BadParameter(f'{self.name} is {self._limits()}, not {shown(value)}')
        return value

    def _check_texts(self, values: list[Any]) -> None:
        """Raises BadParameter for texts that are too long or that cannot be written."""
        if len(values) > _MOST_ITEMS:
            raise BadParameter(f'{self.name} has {len(values)} items of at most {_MOST_ITEMS}')
        for text in values:
            if not isinstance(text, str):
                continue
            if len(text) > self.longest:
                raise BadParameter(
                    f'{self.name} has {len(text)} characters of at most {self.longest}'
                )
            if any(unicodedata.category(c) in ('Cc', 'Cs') and c not in _LINES for c in text):
                raise BadParameter(f'{self.name} holds a control character: {shown(text)}')

    def _limits(self) -> str:
        return self.limits or 'a finite number'

    @property
    def limits(self) -> str:
        """The range of a number in words; empty: there is none."""
        if self.low is None:
            return '' if self.high is None else f'at most {self.high}'
        if self.high is None:
            return f'at least {self.low}'
        return f'between {self.low} and {self.high}'


def setting(
    default: Any,
    description: str,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
    names: str = '',
    longest: int = 1_000,
    unit: str = '',
) -> Any:
    """A field of a configuration that is a parameter: see Param."""
    row = Param(
        '', default, description, low, high, choices, names=names, longest=longest, unit=unit
    )
    return field(default=default, metadata={_SETTING: row})


def prefixed(prefix: str) -> dict[str, str]:
    """The metadata of a field that holds another configuration: `prefix` is before the names of its
    parameters. Where there is none, `field(default_factory=Config)` is enough.
    """
    return {_PREFIX: prefix}


def filled(config: type, read: Callable[[str], Any], prefix: str = '', **others: Any) -> Any:
    """The configuration that the parameters tell, each read by its name.

    `others` are fields that are no parameters. Raises ValueError for what cannot be.
    """
    told: dict[str, Any] = {}
    for row in fields(config):
        if row.name in others:
            continue
        if _SETTING in row.metadata:
            told[row.name] = read(prefix + row.name)
        elif inner := _inner(row):
            told[row.name] = filled(inner, read, prefix + row.metadata.get(_PREFIX, ''))
    return config(**told, **others)


def check_settings(config: Any) -> None:
    """Raises BadParameter for a field that is outside its limits."""
    for row in fields(config):
        if described := row.metadata.get(_SETTING):
            replace(described, name=row.name).checked(getattr(config, row.name))


def _rows(config: type, prefix: str) -> Iterator[tuple[str, Param]]:
    for row in fields(config):
        if described := row.metadata.get(_SETTING):
            yield prefix + row.name, described
        elif inner := _inner(row):
            yield from _rows(inner, prefix + row.metadata.get(_PREFIX, ''))


def _inner(row: Field[Any]) -> type | None:
    """The configuration that a field holds, if it is one."""
    made = row.default_factory
    if made is MISSING or not isinstance(made, type) or not is_dataclass(made):
        return None
    return made if any(_rows(made, '')) else None
