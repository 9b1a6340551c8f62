"""The ROS arguments of a process, with each parameter as it was typed.

rcl reads `-p language:=no` as false and `-p model:=007` as 7 before a node is asked. Here the
values of the node's own parameters are quoted first, on the command line and in parameter files,
so that they reach it as texts; each is then read in its own type (kame_ros.settings.values).
"""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from kame_ros.settings.parameter_file import BadParameterFile, Section, read, write
from kame_ros.settings.values import WrongType, plain, truth
from kame_ros.trust import temporary_folder

_SWITCHES = ('use_sim_time', 'start_type_description_service')  # truth values of rclpy itself


@contextlib.contextmanager
def quoted(args: Sequence[str], names: set[str]) -> Iterator[list[str]]:
    """The arguments with the values of the parameters `names` as texts, for as long as it lasts."""
    folder = temporary_folder.make('arguments-')
    try:
        yield list(_rewritten(args, names, folder))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _rewritten(args: Sequence[str], names: set[str], folder: Path) -> Iterator[str]:
    in_ros, before = False, ''
    for number, arg in enumerate(args):
        if arg in ('--ros-args', '--'):
            in_ros = arg == '--ros-args'
        elif in_ros and before in ('-p', '--param'):
            arg = _quoted_rule(arg, names)
        elif in_ros and before == '--params-file':
            arg = _quoted_file(Path(arg), names, folder / f'{number}.yaml')
        before = arg
        yield arg


def _quoted_rule(rule: str, names: set[str]) -> str:
    left, assigned, value = rule.partition(':=')
    name = left.rsplit(':', 1)[-1]  # `node:name:=value` is for one node
    if not assigned:
        return rule
    if name in names and not _is_quoted(value):
        return f'{left}:={json.dumps(value, ensure_ascii=False)}'
    return f'{left}:={_switch(value)}' if name in _SWITCHES else rule


def _is_quoted(value: str) -> bool:
    """Whether it is a text in YAML's quotes, as people write for ROS: '"007"' or "'off'"."""
    return len(value) > 1 and value[0] == value[-1] and value[0] in '\'"'


def _switch(value: str) -> str:
    try:
        return str(truth(value)).lower()
    except WrongType:
        return value  # rclpy refuses it in its own words


def _quoted_file(path: Path, names: set[str], target: Path) -> str:
    try:
        sections = [_quoted_section(s, names) for s in read(path, as_typed=True)]
    except BadParameterFile:
        return str(path)  # rcl says what is wrong with it
    target.write_text(write(sections), encoding='utf-8')
    return str(target)


def _quoted_section(section: Section, names: set[str]) -> Section:
    values: dict[str, Any] = {}
    for name, value in section.parameters.items():
        if name in names:
            values[name] = value
        elif name in _SWITCHES and isinstance(value, str):
            values[name] = plain(_switch(value))
        elif not section.for_all:  # what is meant for all nodes need not be known by each
            values[name] = plain(value) if isinstance(value, str) else value
    return Section(section.pattern, values)
