"""What the commands that start a graph share."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from rich.live import Live
from rich.markup import escape

from kame_ros.commands.show import console, fail, health_table
from kame_ros.graph import parse_override
from kame_ros.nodes.conductor import BringUpError
from kame_ros.nodes.running_graph import RunningGraph


def overrides(texts: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The parameters given by `--set`, by node; raises BadConfig."""
    values: dict[str, dict[str, Any]] = {}
    for text in texts:
        node, parameter, value = parse_override(text)
        values.setdefault(node, {})[parameter] = value
    return values


def bring_up(run: RunningGraph, patience: float) -> None:
    """Brings a graph up, with the state of its nodes on the screen; raises BringUpError."""
    began = time.monotonic()
    with Live(console=console, transient=True, auto_refresh=False) as live:

        def show() -> None:
            live.update(health_table(run.conductor.health), refresh=True)

        run.conductor.bring_up(patience, show)
    console.print(
        f'[green]●[/] {len(run.graph.nodes)} nodes are up after {time.monotonic() - began:.1f} s '
        f'[dim](namespace /{run.graph.namespace}, ROS_DOMAIN_ID {run.domain})[/]'
    )


def explain(run: RunningGraph, error: BringUpError) -> int:
    """Says why a node did not come up: its own words, or the end of what it printed."""
    process = next((p for p in run.processes.nodes if p.spec.name == error.node), None)
    status = fail(escape(str(error)))
    if process is not None and not process.running:
        console.print(escape(process.tail()), style='dim')
    return status
