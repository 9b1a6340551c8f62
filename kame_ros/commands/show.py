"""What the command `kame` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from kame_ros.graph.early import BAD_SETTING
from kame_ros.text.seconds import in_seconds
from kame_ros.text.well_formed import printable

if TYPE_CHECKING:
    from kame_ros.record.record import RecordedTurn
    from kame_ros.wire.health import Health

console = Console(stderr=True, highlight=False)
_LAMPS = {'active': '[green]●[/]', 'inactive': '[yellow]●[/]', 'configuring': '[yellow]◌[/]'}


def health_table(health: dict[str, Health]) -> Table:
    """The state of each node, a line each."""
    table = Table.grid(padding=(0, 2))
    for name, node in health.items():
        lamp = '[red]●[/]' if node.level >= 2 else _LAMPS.get(node.state, '[dim]◌[/]')
        note = node.message if node.message != node.state else ''
        model = (node.values or {}).get('model', '')
        busy = note if node.state == 'configuring' else ''
        told = '   '.join(filter(None, (model, busy))) or note
        table.add_row(lamp, name, node.state, f'[dim]{escape(told)}[/]')
    return table


def turn_table(turns: list[RecordedTurn]) -> Table:
    """What was heard and said in each turn."""
    table = Table(title=None, show_lines=True)
    table.add_column('turn', justify='right')
    table.add_column('heard')
    table.add_column('said')
    table.add_column('latency', justify='right')
    for number, turn in enumerate(turns, 1):
        heard = escape(turn.heard) or '[dim]no transcriber[/]'
        said = escape(turn.robot_text) or '[dim]nothing[/]'
        table.add_row(str(number), heard, said, in_seconds(turn.latency))
    return table


def warnings(health: dict[str, Health]) -> list[tuple[str, str]]:
    """What nodes warned of since their start: their names, and a line each."""
    return [
        (name, line)
        for name, node in health.items()
        for line in (node.values or {}).get('warnings', '').splitlines()
    ]


def bar(shown: bool = True, percent: bool = False) -> Progress:
    """A bar that says how far a long work is, in steps or in percent."""
    return Progress(
        TextColumn('{task.description}'),
        BarColumn(),
        TaskProgressColumn() if percent else MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not shown,
    )


def fail(message: str, status: int = 1) -> int:
    """Prints an error; returns the exit status of a failure."""
    console.print(f'[red]error:[/] {message}', markup=True, soft_wrap=True)
    return status


def refuse(error: Exception) -> int:
    """Prints what is wrong with the arguments; returns the exit status for that."""
    return fail(escape(printable(str(error))), BAD_SETTING)
