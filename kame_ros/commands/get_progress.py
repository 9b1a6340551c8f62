"""Shows how far a download is: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from kame_ros.fetch.report import FetchReport
from kame_ros.fetch.sizes import in_words
from kame_ros.text.well_formed import printable

_LINE_S = 30.0  # between two lines where nobody watches a bar
_NAME = 40  # letters


class ShownReport(FetchReport):
    """Bytes, speed and time left of each file."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bars = Progress(
            TextColumn('{task.description}'),
            BarColumn(bar_width=24),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            TextColumn('[dim]{task.fields[what]}[/]'),
            console=console,
            disable=not console.is_terminal,
            speed_estimate_period=20.0,
        )
        self._task: TaskID | None = None
        self._name, self._size = '', 0
        self._began, self._first, self._told = 0.0, 0, 0.0

    @contextmanager
    def shown(self) -> Iterator[ShownReport]:
        """Shows it until the block is left."""
        with self._bars:
            yield self

    def begin(self, name: str, size: int, done: int) -> None:
        """See FetchReport.begin."""
        self._name, self._size = printable(name), size
        name = self._name if len(self._name) <= _NAME else f'…{self._name[-_NAME + 1 :]}'
        self._task = self._bars.add_task(escape(name), total=size, completed=done, what='')
        self._began = self._told = time.monotonic()
        self._first = done

    def reached(self, done: int, what: str = '') -> None:
        """See FetchReport.reached."""
        if self._task is None:
            return
        if what:
            text = f'{what}: {in_words(done)}'
            self._bars.update(self._task, what=text)
            self._began, self._first = time.monotonic(), done
        else:
            self._bars.update(self._task, completed=done, what='')
        self._line(done, what)

    def _line(self, done: int, what: str) -> None:
        now = time.monotonic()
        if self._console.is_terminal or now - self._told < _LINE_S:
            return
        self._told = now
        speed = (done - self._first) / max(now - self._began, 1e-9)
        left = f', {(self._size - done) / speed / 60:.0f} min left' if speed and not what else ''
        rate = f', {in_words(speed)}/s' if speed and not what else f', {what}' if what else ''
        self._console.print(
            f'{escape(self._name)}: {in_words(done)} of {in_words(self._size)}{rate}{left}'
        )

    def note(self, text: str) -> None:
        """See FetchReport.note."""
        self._console.print(f'[yellow]○[/] {escape(printable(text))}', soft_wrap=True)

    def end(self) -> None:
        """See FetchReport.end."""
        if self._task is None:
            return
        self._bars.remove_task(self._task)
        self._task = None
        took = time.monotonic() - self._began
        came = self._size - self._first
        speed = f'   {in_words(came / took)}/s' if came > 0 and took > 0.5 else ''
        self._console.print(
            f'[green]●[/] {escape(self._name)}  {in_words(self._size)}[dim]{speed}[/]'
        )
