"""The text that says what a message is made of, as a bag holds it beside the messages."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

_LINE = '=' * 80
_BUILT_IN = {
    *('bool', 'byte', 'char', 'string', 'wstring', 'float32', 'float64'),
    *(f'{sign}int{bits}' for sign in ('', 'u') for bits in (8, 16, 32, 64)),
}
_FIELD = re.compile(r'\s*([A-Za-z][\w/]*)(?:<=\d+)?(?:\[[^\]]*\])?\s+[A-Za-z]\w*')
_NAME = re.compile(r'[A-Za-z]\w*(?:/msg)?/[A-Za-z]\w*')


class NoDefinition(ValueError):
    """A message of a package that is not installed."""


def definition(kind: str) -> str:
    """The text of `package/msg/Name` and of all that it is made of, in the form ros2msg.

    Raises NoDefinition where the package is not installed.
    """
    first, texts = _short(kind), {}
    wanted = [first]
    while wanted:
        name = wanted.pop(0)
        if name not in texts:
            texts[name] = _read(name)
            wanted += _parts(name, texts[name])
    rest = [f'{_LINE}\nMSG: {name}\n{text}' for name, text in texts.items() if name != first]
    return '\n'.join([texts[first], *rest])


def _short(kind: str) -> str:
    if not _NAME.fullmatch(kind):
        raise NoDefinition(f'{kind!r} is no name of a message')
    return kind.replace('/msg/', '/')


def _read(name: str) -> str:
    package, _, message = name.partition('/')
    for folder in _folders():
        path = folder / package / 'msg' / f'{message}.msg'
        if path.is_file():
            return path.read_text(encoding='utf-8')
    source = Path(__file__).resolve().parents[2] / 'msg' / f'{message}.msg'
    if package == 'kame_ros' and source.is_file():
        return source.read_text(encoding='utf-8')
    raise NoDefinition(f'the package of the message {name} is not installed')


def _folders() -> list[Path]:
    """Where packages of ROS keep their messages: those of the environment, and of this venv."""
    prefixes = filter(None, os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep))
    return [Path(prefix) / 'share' for prefix in dict.fromkeys((*prefixes, sys.prefix))]


def _parts(name: str, text: str) -> list[str]:
    package = name.partition('/')[0]
    found = []
    for line in text.splitlines():
        field = _FIELD.match(line.partition('#')[0])
        if field and field[1] not in _BUILT_IN:
            kind = field[1].replace('/msg/', '/')
            kind = 'std_msgs/Header' if kind == 'Header' else kind
            found.append(kind if '/' in kind else f'{package}/{kind}')
    return found
