"""What the command `kame` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table

if TYPE_CHECKING:
    from kame_ros.dialogue.session import Turn
    from kame_ros.nodes.conductor import Health

console = Console(stderr=True, highlight=False)
_LAMPS = {'active': '[green]●[/]', 'inactive': '[yellow]●[/]', 'configuring': '[yellow]◌[/]'}


def health_table(health: dict[str, Health]) -> Table:
    """The state of each node, a line each."""
    table = Table.grid(padding=(0, 2))
    for name, node in health.items():
        lamp = '[red]●[/]' if node.level >= 2 else _LAMPS.get(node.state, '[dim]◌[/]')
        note = node.message if node.message != node.state else ''
        model = (node.values or {}).get('model', '')
        table.add_row(lamp, name, node.state, f'[dim]{model or note}[/]')
    return table


def turn_table(turns: list[Turn]) -> Table:
    """What was heard and said in each turn."""
    table = Table(title=None, show_lines=True)
    table.add_column('turn', justify='right')
    table.add_column('heard')
    table.add_column('said')
    table.add_column('latency', justify='right')
    for number, turn in enumerate(turns, 1):
        latency = '-' if turn.latency is None else f'{turn.latency:+.2f} s'
        table.add_row(str(number), turn.user_text, turn.robot_text or '[dim]nothing[/]', latency)
    return table


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


def fail(message: str) -> int:
    """Prints an error; returns the exit status of a failure."""
    console.print(f'[red]error:[/] {message}', markup=True, soft_wrap=True)
    return 1
