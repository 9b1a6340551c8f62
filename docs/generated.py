"""What the pages take from the code, so that they cannot drift: a mark in a page, a text for it.

A page says `<!-- generated: parameters -->`, and gets what `parameters()` returns, as Markdown.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / 'kame_ros'
_MARK = re.compile(r'^<!-- generated: (\w+) -->$', re.MULTILINE)
_NOTHING = '\N{EM DASH}'


def fill_in(app: Any, page: str, source: list[str]) -> None:
    """Sphinx has read a page: puts the generated text in the place of each mark."""
    source[0] = filled(source[0])


def filled(page: str) -> str:
    """The page with the generated texts in it. Raises KeyError for a mark that is not known."""
    return _MARK.sub(lambda mark: TEXTS[mark[1]](), page)


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A table in Markdown."""
    lines = [head, tuple('---' for _ in head), *rows]
    return '\n'.join('| ' + ' | '.join(_cell(c) for c in row) + ' |' for row in lines) + '\n'


def _cell(text: str) -> str:
    return ' '.join(text.split()).replace('|', r'\|')


# Parameters ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """A parameter, as a reader wants to know it."""

    name: str
    default: str
    limits: str
    unit: str
    live: bool
    text: str


def node_parameters() -> list[tuple[str, str, list[Row]]]:
    """Each node with what it is and its parameters: the one place that knows how nodes say this.

    Needs rclpy and the messages of the package. Raises ImportError.
    """
    found = []
    for path in sorted((PACKAGE / 'nodes').glob('*_node.py')):
        module = importlib.import_module(f'kame_ros.nodes.{path.stem}')
        for _, node in inspect.getmembers(module, inspect.isclass):
            if node.__module__ == module.__name__ and getattr(node, 'PARAMETERS', None):
                base = importlib.import_module(node.__mro__[1].__module__)
                rows = [_row(param) for param in (*node.PARAMETERS, base.NICENESS)]
                found.append((path.stem.removesuffix('_node'), _summary(node), rows))
    return found


def _summary(node: type) -> str:
    return (inspect.getdoc(node) or '').split('\n\n')[0].replace('\n', ' ')


def _row(param: Any) -> Row:
    low, high = param.low, param.high
    if param.choices:
        limits = ', '.join(f'`{choice}`' for choice in param.choices)
    elif low is not None and high is not None:
        limits = f'{low:g} to {high:g}'
    elif low is not None or high is not None:
        limits = f'at least {low:g}' if high is None else f'at most {high:g}'
    else:
        limits = ''
    return Row(param.name, _value(param.default), limits, param.unit, param.live, param.description)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return f'`{str(value).lower()}`'
    if isinstance(value, str):
        return f'`{value}`' if value else 'empty'
    return f'`{value}`'


def parameters() -> str:
    """A table for each node."""
    try:
        nodes = node_parameters()
    except ImportError as error:
        from sphinx.util import logging

        logging.getLogger(__name__).warning(
            'the tables of parameters are left out, as the nodes cannot be imported (%s): build '
            'the package, or use `make docs`',
            error,
        )
        return 'The tables are missing here. `ros2 param describe` shows the same, of a node.\n'
    parts = []
    for name, what, rows in nodes:
        cells = [
            (
                f'`{row.name}`',
                row.default,
                row.limits or _NOTHING,
                row.unit or _NOTHING,
                'yes' if row.live else _NOTHING,
                row.text,
            )
            for row in rows
        ]
        head = ('parameter', 'default', 'values', 'unit', 'live', 'what')
        parts.append(f'## {name}\n\n{what}\n\n{table(head, cells)}')
    return '\n'.join(parts)


# Messages --------------------------------------------------------------------------------


@dataclass
class Part:
    """One part of an interface: a message, or the goal, result or feedback of an action."""

    text: list[str]
    fields: list[tuple[str, str, str]]  # name, type and default, meaning
    constants: list[tuple[str, str, str]]  # name, value, meaning


def read_interface(path: Path) -> list[Part]:
    """The parts of a .msg, .srv or .action file, with their comments."""
    parts = [Part([], [], [])]
    target: list[tuple[str, str, str]] | None = None
    above: list[str] = []
    for line in path.read_text().splitlines():
        part = parts[-1]
        code, _, comment = line.partition('#')
        code, comment = code.strip(), comment.strip()
        if code == '---':
            parts.append(Part([], [], []))
            target, above = None, []
        elif code:
            kind, rest = code.split(maxsplit=1)
            name, equals, value = rest.partition('=')
            meaning = ' '.join([*above, comment])
            if equals:
                target = part.constants
                target.append((name.strip(), value.strip(), meaning))
            else:
                target = part.fields
                name, _, default = rest.partition(' ')
                kind += f', default {default.strip()}' if default.strip() else ''
                target.append((name, kind, meaning))
            above = []
        elif line[:1].isspace() and target:  # a comment that goes on below its field
            name, kind, meaning = target[-1]
            target[-1] = name, kind, f'{meaning} {comment}'
        elif comment and not part.fields and not part.constants:
            part.text.append(comment)
        elif comment:
            above.append(comment)
    return parts


def messages() -> str:
    """Each message, from the comments in its file."""
    return '\n'.join(_interface(path, ('',)) for path in sorted(ROOT.glob('msg/*.msg')))


def services() -> str:
    """Each service of the package's own; and each action."""
    found = [_interface(path, ('request', 'answer')) for path in sorted(ROOT.glob('srv/*.srv'))]
    names = ('goal', 'result', 'feedback')
    found += [_interface(path, names) for path in sorted(ROOT.glob('action/*.action'))]
    return '\n'.join(found)


def _interface(path: Path, names: tuple[str, ...]) -> str:
    out = [f'### {path.stem}\n']
    for name, part in zip(names, read_interface(path), strict=True):
        if part.text:
            out.append(' '.join(part.text) + '\n')
        if name:
            out.append(f'**{name.capitalize()}**\n')
        if part.fields:
            rows = [(f'`{n}`', f'`{k}`', text) for n, k, text in part.fields]
            out.append(table(('field', 'type', 'what'), rows))
        if part.constants:
            rows = [(f'`{n}`', v, text) for n, v, text in part.constants]
            out.append(table(('constant', 'value', 'what'), rows))
    return '\n'.join(out)


# Configurations --------------------------------------------------------------------------


def configurations() -> str:
    """Each configuration: its first comment, and what it sets."""
    out = []
    for path in sorted(ROOT.glob('config/*.yaml')):
        if '# Foxglove' in (text := path.read_text()) or 'ros__parameters' not in text:
            continue
        comment, rest = _split_comment(text)
        out.append(f'## {path.stem}\n\n{comment}\n\n```yaml\n{rest.strip()}\n```\n')
    return '\n'.join(out)


def _split_comment(text: str) -> tuple[str, str]:
    lines = text.splitlines()
    end = next(i for i, line in enumerate(lines) if not line.startswith('#'))
    return ' '.join(line[1:].strip() for line in lines[:end]), '\n'.join(lines[end:])


# Rooms -----------------------------------------------------------------------------------


def imports_of_rooms() -> dict[str, set[str]]:
    """Which room imports which, read from the code; imports for type checkers count too.

    A module that lies in no folder is a room of its own name.
    """
    found: dict[str, set[str]] = defaultdict(set)
    for path in PACKAGE.rglob('*.py'):
        found[room_of(path)] |= imports_of(path)
    return dict(found)


def room_of(path: Path) -> str:
    """The room that a file of the package lies in."""
    return path.relative_to(PACKAGE).parts[0].removesuffix('.py')


def imports_of(path: Path) -> set[str]:
    """The other rooms that a file imports, at its top or in a function.

    Raises ValueError for a relative import, which hides which room is meant.
    """
    names = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise ValueError(f'{path}: a relative import hides which room is meant')
            names += [f'{node.module}.{alias.name}' for alias in node.names]
    return {_room(name) for name in names} - {room_of(path), ''}


def _room(module: str) -> str:
    """The room of `kame_ros.room.…`; empty for what is generated or not of the package."""
    first, _, rest = module.partition('.')
    room = rest.partition('.')[0]
    there = (PACKAGE / room).is_dir() or (PACKAGE / f'{room}.py').is_file()
    return room if first == 'kame_ros' and room and there else ''


def rooms() -> str:
    """A table of the rooms, with what each imports today."""
    every = imports_of_rooms()
    folders = {name for name in every if (PACKAGE / name).is_dir()}
    rows = []
    for name in sorted(folders, key=lambda name: (len(every[name] & folders), name)):
        text = ast.get_docstring(ast.parse((PACKAGE / name / '__init__.py').read_text())) or ''
        others = ', '.join(f'`{other}`' for other in sorted(every[name] & folders)) or _NOTHING
        rows.append((f'`{name}`', text.split('\n')[0], others))
    return table(('room', 'what is in it', 'imports'), rows)


TEXTS = {
    'parameters': parameters,
    'messages': messages,
    'services': services,
    'configurations': configurations,
    'rooms': rooms,
}
