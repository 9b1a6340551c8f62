"""`kame up`: the graph, until Ctrl-C."""

from __future__ import annotations

import argparse
import os
import re
import time

from rich.markup import escape

from kame_ros.commands.bring_up import bring_up, explain, load
from kame_ros.commands.show import console, fail
from kame_ros.names import BadConfig, check_domain
from kame_ros.nodes.conductor import BringUpError
from kame_ros.nodes.running_graph import RunningGraph, Stopped, running
from kame_ros.private_folder import NoPrivateFolder
from kame_ros.processes import Taken
from kame_ros.running_graphs import Note, noted
from kame_ros.surroundings import BadSurroundings

_LOOK_S = 0.5
_DOUBLE = 'there are two of this name: another robot runs in this namespace'
_KINDS = 200  # of problems that are remembered


def up(args: argparse.Namespace) -> int:
    """Runs a graph and revives its nodes, until it is stopped."""
    try:
        graph = load(args)
        if args.domain is None:
            args.domain = check_domain(os.environ.get('ROS_DOMAIN_ID', ''))
    except BadConfig as error:
        return fail(escape(str(error)))
    try:
        with running(graph, domain=args.domain, discovery=args.discovery) as run:
            note = Note(os.getpid(), graph.config, graph.namespace, run.domain, args.discovery)
            try:
                with noted(note):
                    bring_up(run, args.patience)
                    return _watch(run, args.duration, args.discovery)
            except BringUpError as error:
                return explain(run, error)
    except (Taken, BadSurroundings, NoPrivateFolder, OSError) as error:
        return fail(escape(str(error)))
    except Stopped:
        console.print('stopped')
        return 0


def _watch(run: RunningGraph, duration: float | None, discovery: str) -> int:
    console.print('say something, or: [bold]kame say "Hello."[/]   [dim]Ctrl-C ends[/]')
    console.print(
        f'[dim]other nodes join with: export ROS_DOMAIN_ID={run.domain} '
        f'ROS_AUTOMATIC_DISCOVERY_RANGE={discovery}[/]'
    )
    end = None if duration is None else time.monotonic() + duration
    told = Told()
    while end is None or time.monotonic() < end:
        run.spin(_LOOK_S)
        run.revive()
        double = run.conductor.doubled
        if double and told.is_news(time.monotonic(), double, _DOUBLE):
            console.print(f'[yellow]{double}[/]: {_DOUBLE}')
        for name, health in run.conductor.health.items():
            if health.level and told.is_news(time.monotonic(), name, health.message):
                console.print(f'[yellow]{name}[/]: {escape(health.message)}')
    return 0


class Told:
    """Which problems were told: each kind once, and again when it was gone for `quiet_s` seconds.

    Two messages are of one kind if they differ in their numbers only.
    """

    def __init__(self, quiet_s: float = 60.0) -> None:
        self._quiet_s = quiet_s
        self._seen: dict[tuple[str, str], float] = {}

    def is_news(self, t: float, name: str, message: str) -> bool:
        """Whether to tell what the node `name` says of itself at `t`."""
        kind = name, re.sub(r'[-+]?\d[\d.,:e+-]*', '#', message)
        before = self._seen.get(kind)
        if len(self._seen) >= _KINDS and before is None:
            del self._seen[min(self._seen, key=self._seen.__getitem__)]
        self._seen[kind] = t
        return before is None or t - before > self._quiet_s
