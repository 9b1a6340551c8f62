"""What `kame eval` prints: the tables of runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table as RichTable

from kame_ros.commands.show import console
from kame_ros.evaluation.measures import Score
from kame_ros.evaluation.summary import Summary, summarise
from kame_ros.evaluation.tables import Table, judge_table, main_table, scene_table
from kame_ros.text.os_errors import in_words
from kame_ros.text.well_formed import printable

Scored = Mapping[str, tuple[list[Score], Mapping[str, Any]]]


def all_tables(summaries: Mapping[str, Summary], scorings: Mapping[str, Any]) -> list[Table]:
    """Those in which there is something."""
    out = [main_table(summaries)]
    if any(s.scenes for s in summaries.values()):
        out.append(scene_table(summaries))
    if any(s.judged for s in summaries.values()):
        judges = {name: str(told.get('judge', '')) for name, told in scorings.items()}
        stts = {name: str(told.get('stt', '')) for name, told in scorings.items()}
        out.append(judge_table(summaries, judges, stts))
    return out


def tables(scored: Scored, scoring: Mapping[str, Any]) -> Iterator[RenderableType]:
    """For the screen."""
    summaries = {name: summarise(scores) for name, (scores, _) in scored.items()}
    for table in all_tables(summaries, dict.fromkeys(scored, scoring)):
        yield rich(table)
    for name, summary in summaries.items():
        if summary.irregular:
            yield f'[yellow]{escape(name)}: {summary.irregular} without a regular end[/]'


class LeftOut(dict[str, str]):
    """Recordings that cannot be used, by name, and why: an OnBad."""

    def __call__(self, name: str, error: Exception) -> None:
        """One more."""
        self[name] = printable(in_words(error))


def tell_left_out(bad: Mapping[str, str]) -> None:
    """Which recordings are not in the figures, and why."""
    for name, why in bad.items():
        console.print(f'[yellow]left out:[/] {escape(f"{name}: {why}")}', soft_wrap=True)


def rich(table: Table) -> RenderableType:
    """A table upright if it has few lines and many columns, with its notes."""
    if len(table.rows) <= 2 and len(table.columns) > 6:
        shown = RichTable('', *(row[0] for row in table.rows), title=table.title)
        for number, column in enumerate(table.columns[1:], 1):
            shown.add_row(column, *(escape(row[number]) for row in table.rows))
    else:
        shown = RichTable(*table.columns, title=table.title)
        for row in table.rows:
            shown.add_row(*(escape(cell) for cell in row))
    notes = [f'[dim]{escape(note)}[/]' for note in table.notes]
    return Group(shown, *notes)
