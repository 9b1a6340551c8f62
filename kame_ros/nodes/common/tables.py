"""What parameters a node has, by the name of the node."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterator
from typing import Any

from kame_ros.graph.description import NodeSpec
from kame_ros.nodes.common.base import NICENESS, KameNode
from kame_ros.nodes.common.parameters import refuse_unknown
from kame_ros.settings.param import BadParameter, Param


def parameter_table(module: str) -> tuple[Param, ...]:
    """The rows of the node in a Python module, which is imported: raises ImportError."""
    return (*_node(module).PARAMETERS, NICENESS)


def reader(spec: NodeSpec) -> Callable[[str], Any]:
    """Reads the parameters of a node as it would itself; raises ImportError.

    What it gives raises BadParameter for a value that cannot be.
    """
    table = {row.name: row for row in parameter_table(spec.module)}
    given = spec.values

    def read(name: str) -> Any:
        return table[name].checked(given.get(name, table[name].default))

    return read


def _node(module: str) -> type[KameNode]:
    found = importlib.import_module(module)
    for _, node in inspect.getmembers(found, inspect.isclass):
        if issubclass(node, KameNode) and node.__module__ == module:
            found_node: type[KameNode] = node
            return found_node
    raise ImportError(f'{module} has no node', name=module)


def problems(spec: NodeSpec) -> Iterator[str]:
    """What the node itself would refuse of what it is told, a sentence each; raises ImportError."""
    table = parameter_table(spec.module)
    idle = _node(spec.module).idle_parameters(spec.values)
    rows = {row.name: row for row in table}
    for name, value in spec.values.items():
        try:
            if name in spec.parameters:
                refuse_unknown({name}, table, idle)
            if name in rows:
                rows[name].checked(value)
        except BadParameter as error:
            yield str(error)
