"""Parameters of a node as a table, checked before anything is started."""

from __future__ import annotations

import difflib
import math
from dataclasses import dataclass
from typing import Any

from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
)
from rclpy.node import Node
from rclpy.parameter import Parameter

from kame_ros.values import WrongType, typed

# Parameters that rclpy itself declares or understands.
_FOREIGN = ('use_sim_time', 'start_type_description_service', 'qos_overrides.')


class BadParameter(ValueError):
    """A parameter has a value that the node cannot work with."""


@dataclass(frozen=True)
class Param:
    """One parameter: its name, default (which gives the type), meaning and limits.

    `low` and `high` are inclusive. `choices` lists the only values of a text. `live` parameters
    may change while the node is active; the others are read when it is configured.
    """

    name: str
    default: Any
    description: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    live: bool = False

    def checked(self, value: Any) -> Any:
        """The value in the parameter's type.

        Raises BadParameter with a sentence that says what would be right.
        """
        try:
            value = typed(value, type(self.default), self.choices)
        except WrongType as error:
            raise BadParameter(f'{self.name} is {error}') from error
        if self.choices and value not in self.choices:
            close = difflib.get_close_matches(str(value), self.choices, 1)
            hint = f' (did you mean {close[0]!r}?)' if close else ''
            raise BadParameter(
                f'{self.name} is one of {", ".join(self.choices)}, not {value!r}{hint}'
            )
        below = self.low is not None and value < self.low
        above = self.high is not None and value > self.high
        if below or above or value in (math.inf, -math.inf) or value != value:
            raise BadParameter(f'{self.name} is {self._limits()}, not {value!r}')
        return value

    def _limits(self) -> str:
        if self.low is None:
            return 'a finite number' if self.high is None else f'at most {self.high}'
        if self.high is None:
            return f'at least {self.low}'
        return f'between {self.low} and {self.high}'

    def descriptor(self) -> ParameterDescriptor:
        """What `ros2 param describe` shows."""
        choices = f' One of: {", ".join(self.choices)}.' if self.choices else ''
        when = '' if self.live else ' Read when the node is configured.'
        described = ParameterDescriptor(
            description=self.description + choices + when,
            # A whole number is fine where a number is asked for; checked() keeps the type.
            dynamic_typing=isinstance(self.default, float | list),
        )
        if self.low is not None and self.high is not None:
            if isinstance(self.default, float):
                described.floating_point_range = [
                    FloatingPointRange(from_value=float(self.low), to_value=float(self.high))
                ]
            elif isinstance(self.default, int):
                described.integer_range = [
                    IntegerRange(from_value=int(self.low), to_value=int(self.high))
                ]
        return described


def refuse_unknown(given: set[str], table: tuple[Param, ...]) -> None:
    """Refuses parameters that no row of the table declares.

    ROS itself ignores them, so that a slip of the pen would go unnoticed.

    Raises BadParameter that names the nearest parameter there is.
    """
    known = [param.name for param in table]
    for name in sorted(given - set(known)):
        if name.startswith(_FOREIGN):
            continue
        close = difflib.get_close_matches(name, known, 1)
        hint = f'; did you mean {close[0]}?' if close else f'; there are {", ".join(known)}'
        raise BadParameter(f'there is no parameter {name}{hint}')


def declare(node: Node, table: tuple[Param, ...]) -> None:
    """Declares the table on a node.

    Raises BadParameter for a value from the command line or a file that cannot be right.
    """
    overrides = node._parameter_overrides  # rclpy offers no public way to see them
    refuse_unknown(set(overrides), table)
    for param in table:
        if param.name in overrides:
            value = param.checked(overrides[param.name].value)
            overrides[param.name] = Parameter(param.name, value=value)
        node.declare_parameter(param.name, param.default, param.descriptor())


def converted(parameters: list[Parameter], table: tuple[Param, ...]) -> list[Parameter]:
    """Parameters that are about to be set, each in its own type where it can be read so."""
    rows = {row.name: row for row in table}
    return [_converted(parameter, rows.get(parameter.name)) for parameter in parameters]


def _converted(parameter: Parameter, row: Param | None) -> Parameter:
    if row is None or parameter.type_ == Parameter.Type.NOT_SET:
        return parameter
    try:
        value = typed(parameter.value, type(row.default), row.choices)
    except WrongType:
        return parameter  # it is refused in words when it is checked
    return Parameter(parameter.name, value=value)
