"""ROS parameter files with each value as it was typed, where rcl and PyYAML would guess a type."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from kame_ros.settings.unique_keys import UniqueKeys
from kame_ros.settings.values import plain


class BadParameterFile(ValueError):
    """A file that is no ROS parameter file; the text is one sentence that names it."""


class _Twice(ValueError):
    """A parameter is given in two spellings: `a.b: 1` and `a: {b: 2}`."""


@dataclass(frozen=True)
class Section:
    """What a file says to the nodes whose full name fits `pattern`, such as `/**/stt`."""

    pattern: str
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def for_all(self) -> bool:
        """Whether it names no node: each takes from it what it knows."""
        return self.name in ('*', '**')

    @property
    def name(self) -> str:
        """The last part of the pattern: the name of a node, or a wildcard."""
        return self.pattern.rsplit('/', 1)[-1]

    def fits(self, full_name: str) -> bool:
        """Whether a node such as `/robot/stt` is meant; a bare name is one in any namespace."""
        if '/' not in self.pattern:
            return self.for_all or self.pattern == full_name.rsplit('/', 1)[-1]
        return _fits(self.pattern.strip('/').split('/'), full_name.strip('/').split('/'))


def _fits(pattern: list[str], parts: list[str]) -> bool:
    if not pattern:
        return not parts
    if pattern[0] == '**':
        return _fits(pattern[1:], parts) or (bool(parts) and _fits(pattern, parts[1:]))
    return (
        bool(parts) and fnmatch.fnmatchcase(parts[0], pattern[0]) and _fits(pattern[1:], parts[1:])
    )


class _AsTyped(UniqueKeys):
    """Every scalar is the text that was typed."""


class _Plain(_AsTyped):
    """Unquoted words keep their spelling, unless they are plainly a number or a truth value."""


def _scalar(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> Any:
    return plain(str(node.value)) if node.style is None else str(node.value)


# No word has a type by its looks. The merge key `<<` is the one that stays YAML's own.
_AsTyped.yaml_implicit_resolvers = {'<': yaml.SafeLoader.yaml_implicit_resolvers['<']}
_Plain.yaml_implicit_resolvers = _AsTyped.yaml_implicit_resolvers
_Plain.add_constructor('tag:yaml.org,2002:str', _scalar)


class _Dumper(yaml.SafeDumper):
    """Quotes every text: rcl takes more words for numbers than PyYAML does, such as 1e3."""


_Dumper.add_representer(
    str, lambda dumper, text: dumper.represent_scalar('tag:yaml.org,2002:str', text, style='"')
)


def read(path: Path, *, as_typed: bool = False) -> list[Section]:
    """The sections of a file, those for all nodes first, as ROS applies them.

    `as_typed` leaves numbers and truth values as texts, too. Raises BadParameterFile.
    """
    try:
        text = path.read_text(encoding='utf-8')
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, 'strerror', None) or str(error)
        raise BadParameterFile(f'{path} cannot be read: {reason}') from error
    return parse(text, str(path), as_typed=as_typed)


def parse(text: str, name: str, *, as_typed: bool = False) -> list[Section]:
    """The sections of a text; `name` is what errors call it. Raises BadParameterFile."""
    try:
        content = yaml.load(text, _AsTyped if as_typed else _Plain)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise BadParameterFile(f'{name} is not understood: {_one_line(error)}') from error
    except (AttributeError, LookupError) as error:  # PyYAML's own, of a tag: `!!bool maybe`
        raise BadParameterFile(f'{name} has a value that its YAML tag does not fit') from error
    if not isinstance(content, dict) or not content:
        raise BadParameterFile(f'{name} is no ROS parameter file: it names no node')
    sections: list[Section] = []
    try:
        for key, value in content.items():
            sections += _sections(str(key), value, name)
    except _Twice as error:
        raise BadParameterFile(f'{name}: {error}') from error
    except RecursionError as error:
        raise BadParameterFile(f'{name} has an alias inside what it stands for') from error
    return sorted(sections, key=lambda section: not section.for_all)  # stable


def _sections(key: str, value: Any, name: str) -> list[Section]:
    """The sections under a key; namespaces may be nested: `robot: {stt: {ros__parameters: …}}`."""
    if isinstance(value, dict) and 'ros__parameters' not in value and value:
        if not all(isinstance(inner, dict) for inner in value.values()):
            raise BadParameterFile(f'{name}: {key} has no ros__parameters')
        return [s for inner in value for s in _sections(f'{key}/{inner}', value[inner], name)]
    parameters = value.get('ros__parameters') if isinstance(value, dict) else None
    if (parameters or None) is not None and not isinstance(parameters, dict):
        raise BadParameterFile(f'{name}: {key} has ros__parameters that are no table')
    if (value and parameters is None) or not isinstance(value or {}, dict):
        raise BadParameterFile(f'{name}: {key} has no ros__parameters')
    return [Section(key, flattened(parameters or {}))]


def flattened(parameters: Mapping[Any, Any], prefix: str = '') -> dict[str, Any]:
    """Nested parameters under their dotted names, as ROS declares them. Raises ValueError."""
    flat: dict[str, Any] = {}
    for key, value in parameters.items():
        full = f'{prefix}{key}'
        found = flattened(value, f'{full}.') if isinstance(value, dict) else {full: value}
        if twice := flat.keys() & found.keys():
            raise _Twice(f'{min(twice)} is given twice')
        flat.update(found)
    return flat


def write(sections: Iterable[Section]) -> str:
    """The sections as the text of a file."""
    content = {s.pattern: {'ros__parameters': dict(s.parameters)} for s in sections}
    return yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True)


def _one_line(error: Exception) -> str:
    problem, mark = getattr(error, 'problem', None), getattr(error, 'problem_mark', None)
    if problem and mark:
        return f'{problem}, line {mark.line + 1}'
    return ' '.join(str(error).split())
