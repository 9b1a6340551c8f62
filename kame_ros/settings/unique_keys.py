"""YAML in which a key that is given twice is an error: PyYAML forgets all but the last."""

from __future__ import annotations

from typing import Any

import yaml

_MERGE = 'tag:yaml.org,2002:merge'


class UniqueKeys(yaml.SafeLoader):
    """The safe loader; a repeated key is a YAMLError that names it and its line."""

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
