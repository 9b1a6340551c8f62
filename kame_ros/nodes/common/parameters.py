"""Declares parameters on a node, checked before anything is started."""

from __future__ import annotations

import difflib
from collections.abc import Collection

from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
)
from rclpy.node import Node
from rclpy.parameter import Parameter

from kame_ros.settings.param import BadParameter, Param
from kame_ros.settings.values import WrongType, shown, typed

# Parameters that rclpy itself declares or understands.
_FOREIGN = ('use_sim_time', 'start_type_description_service', 'qos_overrides.')


def descriptor(param: Param) -> ParameterDescriptor:
    """What `ros2 param describe` shows."""
    choices = f' One of: {", ".join(param.choices)}.' if param.choices else ''
    when = '' if param.live else ' Read when the node is configured.'
    described = ParameterDescriptor(
        description=param.description + choices + when,
        additional_constraints=' '.join(filter(None, (param.limits, param.unit))),
        # A whole number is fine where a number is asked for; checked() keeps the type.
        dynamic_typing=isinstance(param.default, float | list),
    )
    if param.low is not None and param.high is not None:
        if isinstance(param.default, float):
            described.floating_point_range = [
                FloatingPointRange(from_value=float(param.low), to_value=float(param.high))
            ]
        elif isinstance(param.default, int):
            described.integer_range = [
                IntegerRange(from_value=int(param.low), to_value=int(param.high))
            ]
    return described


def refuse_unknown(given: set[str], table: tuple[Param, ...], idle: Collection[str] = ()) -> None:
    """Refuses parameters that no row of the table declares.

    ROS itself ignores them, so that a slip of the pen would go unnoticed.

    Raises BadParameter that names the nearest parameter there is, but none that is `idle`: it would
    do nothing.
    """
    known = [param.name for param in table]
    counting = [name for name in known if name not in idle]
    for name in sorted(given - set(known)):
        if name.startswith(_FOREIGN):
            continue
        raise BadParameter(f'there is no parameter {shown(name)[1:-1]}; {_hint(name, counting)}')


def _hint(name: str, known: list[str]) -> str:
    """What was meant, or what there is: of the same part of the node, if it has that part."""
    part = f'{name.rpartition(".")[0]}.' if '.' in name else ''
    same = [other for other in known if other.startswith(part)] if part else []
    if not same:
        close = difflib.get_close_matches(name, known, 1)
        return f'did you mean {close[0]}?' if close else f'there are {", ".join(known)}'
    rest = [other.removeprefix(part) for other in same]
    close = difflib.get_close_matches(name.removeprefix(part), rest, 1)
    return f'did you mean {part}{close[0]}?' if close else f'there are {", ".join(same)}'


def declare(node: Node, table: tuple[Param, ...], idle: Collection[str] = ()) -> None:
    """Declares the table on a node.

    No hint leads to what is `idle`. Raises BadParameter for a value from the command line or a file
    that cannot be right.
    """
    overrides = node._parameter_overrides  # rclpy offers no public way to see them
    refuse_unknown(set(overrides), table, idle)
    for param in table:
        if param.name in overrides:
            value = param.checked(overrides[param.name].value)
            overrides[param.name] = Parameter(param.name, value=value)
        node.declare_parameter(param.name, param.default, descriptor(param))


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
