"""`kame up`: the graph, until Ctrl-C."""

from __future__ import annotations

import argparse
import os
import time
from typing import Any

from rich.markup import escape

from kame_ros.commands.bring_up import bring_up, explain, overrides
from kame_ros.commands.show import console, fail
from kame_ros.graph import BadConfig, load_graph
from kame_ros.nodes.conductor import BringUpError
from kame_ros.nodes.running_graph import RunningGraph, Stopped, running
from kame_ros.running_graphs import Note, noted


def up(args: argparse.Namespace) -> int:
    """Runs a graph and revives its nodes, until it is stopped."""
    try:
        graph = load_graph(args.config, namespace=args.namespace, overrides=overrides(args.set))
    except BadConfig as error:
        return fail(escape(str(error)))
    domain = args.domain
    if domain is None and os.environ.get('ROS_DOMAIN_ID', '').isdigit():
        domain = int(os.environ['ROS_DOMAIN_ID'])
    try:
        with running(graph, domain=domain, discovery=args.discovery) as run:
            note = Note(os.getpid(), graph.config, graph.namespace, run.domain, args.discovery)
            try:
                with noted(note):
                    bring_up(run, args.patience)
                    return _watch(run, args.duration)
            except BringUpError as error:
                return explain(run, error)
    except Stopped:
        console.print('stopped')
        return 0


def _watch(run: RunningGraph, duration: float | None) -> int:
    console.print('say something, or: [bold]kame say "Hello."[/]   [dim]Ctrl-C ends[/]')
    console.print(
        f'[dim]other nodes join with: export ROS_DOMAIN_ID={run.domain} '
        f'ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST[/]'
    )
    end = None if duration is None else time.monotonic() + duration
    warned: dict[str, Any] = {}
    while end is None or time.monotonic() < end:
        run.spin(0.5)
        run.revive()
        for name, health in run.conductor.health.items():
            if health.level and warned.get(name) != health.message:
                warned[name] = health.message
                console.print(f'[yellow]{name}[/]: {escape(health.message)}')
    return 0
