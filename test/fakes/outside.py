"""A package of somebody else that brings what kame_ros has a door for."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

RECIPES = (Path(__file__).parents[2] / 'CONTRIBUTING.md').read_text(encoding='utf-8')


def recipe(door: str) -> str:
    """The example of a door in CONTRIBUTING.md."""
    found = re.search(rf'<!-- door: {door} -->\n```python\n(.*?)```', RECIPES, re.DOTALL)
    assert found, f'no recipe of {door}'
    return found[1]


def path_with(folder: Path) -> str:
    """A PYTHONPATH with what is installed in a folder."""
    return os.pathsep.join([str(folder), *filter(None, [os.environ.get('PYTHONPATH')])])


def run(folder: Path, code: str) -> subprocess.CompletedProcess[str]:
    """Code in a process of its own, with what is installed in a folder when it starts."""
    return subprocess.run(
        [sys.executable, '-c', code],
        env={**os.environ, 'PYTHONPATH': path_with(folder)},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=120,
    )


def install(folder: Path, group: str, code: str, **points: str) -> None:
    """Writes a package into a folder that is, or comes, on the path: a module and its entry points.

    `points` are names at the door, with `_` for `-`, and what of the module they lead to.
    """
    module = f'toys_of_{group.replace(".", "_")}'
    lines = [f'{name.replace("_", "-")} = {module}:{what}' for name, what in points.items()]
    install_package(folder, module, {module: code}, '\n'.join([f'[{group}]', *lines, '']))


def install_package(folder: Path, name: str, modules: Mapping[str, str], points: str) -> None:
    """What pip does, as far as it counts: modules by name, and `points` as entry_points.txt."""
    for module, code in modules.items():
        (folder / f'{module}.py').write_text(code, encoding='utf-8')
    info = folder / f'{name.replace("-", "_")}-1.0.dist-info'
    info.mkdir()
    (info / 'METADATA').write_text(f'Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n')
    (info / 'entry_points.txt').write_text(points.lstrip())
