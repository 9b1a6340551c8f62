"""YAML without two traps: a key that is given twice, and aliases that stand for very much.

PyYAML forgets all but the last value of such a key, and aliases of aliases fill the memory.
"""

from __future__ import annotations

from typing import Any

import yaml

_MOST_VALUES = 100_000  # that a file may stand for, its aliases written out
_MERGE = 'tag:yaml.org,2002:merge'


class UniqueKeys(yaml.SafeLoader):
    """The safe loader; a repeated key is a YAMLError that names it and its line."""

    def get_single_node(self) -> yaml.Node | None:
        """As PyYAML does it, after it was counted for how many values the node stands."""
        node: yaml.Node | None = super().get_single_node()
        if node is not None and _values(node, {}) > _MOST_VALUES:
            problem = f'its aliases stand for more than {_MOST_VALUES} values'
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark)
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """As PyYAML does it, after the keys were compared as they are written."""
        seen: set[str] = set()
        for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            if key.tag == _MERGE or not isinstance(key, yaml.ScalarNode):
                continue
            if key.value in seen:
                problem = f'{key.value[:100]!r} is given twice'
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def _values(node: yaml.Node, known: dict[yaml.Node, int]) -> int:
    """For how many values a node stands; an alias inside what it stands for adds none."""
    if node in known:
        return known[node]
    known[node] = 0
    inner: list[yaml.Node] = []
    if isinstance(node, yaml.MappingNode):
        inner = [part for pair in node.value for part in pair]
    elif isinstance(node, yaml.SequenceNode):
        inner = node.value
    known[node] = 1 + sum(_values(part, known) for part in inner)
    return known[node]
