"""Puts the figures of benchmarks/results/ into README.md and docs/, where figures.yaml names them.

    python benchmarks/figures.py           # writes what drifted, lists what was typed by hand
    python benchmarks/figures.py --check   # writes nothing; 1 if a figure has drifted

The Markdown stays as it is read: figures.yaml holds the words around each figure, so that no marks
are needed. A figure whose result file is not there yet, or was written while other programs
computed beside the benchmark (`busy`), is typed by hand, and only listed. The tables of
`evaluation_tables.py` are put whole between two marks, and say themselves if the machine was busy.
"""

from __future__ import annotations

import argparse
import difflib
import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import evaluation_tables
import yaml

ROOT = Path(__file__).resolve().parent.parent
PLACES = ROOT / 'benchmarks' / 'figures.yaml'
RESULTS = ROOT / 'benchmarks' / 'results'
_PLACE = re.compile(r'\{(\w+)\.([\w.-]+):([^{}]+)\}')
_NUMBER = r'([-+−]?\d[\d,]*(?:\.\d+)?(?: %)?)'


class FigureError(Exception):
    """A place that is not in its file, or a name that is not in its result file."""


@dataclass(frozen=True)
class Figure:
    """One number in a text, and what it is in a result file."""

    result: str
    name: str
    form: str

    @property
    def measured(self) -> bool:
        """Whether the result file is there, and was measured on a quiet machine."""
        return self._path.is_file() and not self._read().get('busy')

    @property
    def source(self) -> str:
        """The result file, from the root of the repository."""
        return str(self._path.relative_to(ROOT))

    def written(self) -> str:
        """The figure as the text has it; raises FigureError."""
        value: Any = self._read()['figures']
        for key in self.name.split('.'):
            if not isinstance(value, Mapping) or key not in value:
                raise FigureError(f'{self.source} has no figure {self.name}')
            value = value[key]
        if not isinstance(value, int | float):
            raise FigureError(f'{self.name} of {self.source} is {value!r}, and no number')
        return format(value, self.form).replace('%', ' %')

    def _read(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self._path.read_text(encoding='utf-8'))
        return content

    @property
    def _path(self) -> Path:
        return RESULTS / f'{self.result}.json'


@dataclass(frozen=True)
class Place:
    """The words around some figures, in a file."""

    file: Path
    words: str

    @cached_property
    def figures(self) -> list[Figure]:
        """The figures, in the order of the words."""
        return [Figure(*match.groups()) for match in _PLACE.finditer(self.words)]

    def filled(self, text: str) -> str:
        """The text of the file with these figures in it.

        Raises FigureError if the words do not stand in it, or more than once.
        """
        parts = _PLACE.sub('\0', self.words).split('\0')
        pattern = _NUMBER.join(r'\s+'.join(map(re.escape, re.split(r'\s+', p))) for p in parts)
        found = list(re.finditer(pattern, text))
        if len(found) != 1:
            times = 'not' if not found else f'{len(found)} times'
            raise FigureError(f'{self.file.name}: {times} found: {" ".join(self.words.split())}')
        for number, figure in reversed(list(enumerate(self.figures, 1))):
            if figure.measured:
                begin, end = found[0].span(number)
                text = text[:begin] + figure.written() + text[end:]
        return text


def places() -> dict[Path, list[Place]]:
    """All places, by file."""
    said = yaml.safe_load(PLACES.read_text(encoding='utf-8'))
    return {
        ROOT / name: [Place(ROOT / name, words) for words in texts] for name, texts in said.items()
    }


def drifted() -> Iterator[tuple[Path, str, str]]:
    """Each file with wrong figures: its path, its text, and what is right."""
    said, blocks = places(), evaluation_tables.blocks(RESULTS)
    for path in dict.fromkeys([*said, *(ROOT / name for name in blocks)]):
        before = after = path.read_text(encoding='utf-8')
        for place in said.get(path, ()):
            after = place.filled(after)
        if block := blocks.get(path.relative_to(ROOT).as_posix()):
            try:
                after = evaluation_tables.filled(after, block)
            except evaluation_tables.BlockError as error:
                raise FigureError(f'{path.name}: {error}') from error
        if after != before:
            yield path, before, after


def typed_by_hand() -> list[tuple[Place, Figure]]:
    """The figures that no result file has from a quiet machine."""
    return [
        (place, figure)
        for group in places().values()
        for place in group
        for figure in place.figures
        if not figure.measured
    ]


def main() -> int:
    """Fills or checks; prints a line for each drift and each figure without a result."""
    parser = argparse.ArgumentParser(description=(__doc__ or '').splitlines()[0])
    parser.add_argument('--check', action='store_true', help='write nothing; 1 if one drifted')
    options = parser.parse_args()
    found = False
    try:
        for path, before, after in drifted():
            found = True
            print(f'{path.relative_to(ROOT)}:')
            for line in difflib.ndiff(before.splitlines(), after.splitlines()):
                if line.startswith(('- ', '+ ')):
                    print(f'  {line}')
            if not options.check:
                path.write_text(after, encoding='utf-8')
    except FigureError as error:
        print(f'error: {error}', file=sys.stderr)
        return 1
    for place, figure in typed_by_hand():
        print(f'typed by hand: {figure.result}.{figure.name} in {place.file.relative_to(ROOT)}')
    return int(found and options.check)


if __name__ == '__main__':
    sys.exit(main())
