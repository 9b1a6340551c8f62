"""What the commands that start a graph share."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from rich.live import Live
from rich.markup import escape

from kame_ros.commands.show import console, fail, health_table
from kame_ros.graph.description import Graph, load_graph, parse_overrides
from kame_ros.graph.early import BAD_SETTING
from kame_ros.graph.names import check_discovery, check_domain, visitor_name
from kame_ros.graph.page import NODE as PAGE
from kame_ros.graph.page import page_mode, page_parameters
from kame_ros.graph.processes import Taken
from kame_ros.nodes.visitor.conductor import BringUpError
from kame_ros.nodes.visitor.running_graph import RunningGraph, running
from kame_ros.text.well_formed import printable_lines


def load(args: argparse.Namespace, more: Mapping[str, Mapping[str, Any]] | None = None) -> Graph:
    """The graph that the options ask for; `more` are parameters by node that they can outrank.

    Raises BadConfig.
    """
    values: dict[str, dict[str, Any]] = {node: dict(given) for node, given in (more or {}).items()}
    page = page_parameters(page_mode(getattr(args, 'page', '')), getattr(args, 'page_host', ''))
    for node, given in page.items():
        values.setdefault(node, {}).update(given)
    also = [PAGE] if page else []
    if args.record:
        also.append('recorder')
        values.setdefault('recorder', {})['folder'] = str(Path(args.record).expanduser().resolve())
    for node, given in parse_overrides(args.set).items():
        values.setdefault(node, {}).update(given)
    args.discovery = check_discovery(args.discovery)
    args.may_move = not args.domain.strip()
    args.domain = domain(args)
    return load_graph(
        args.config,
        namespace=args.namespace,
        overrides=values,
        params_file=args.params_file,
        also=also,
    )


def domain(args: argparse.Namespace) -> int | None:
    """The domain that --domain asks for, or else the environment; None: a graph's own.

    Raises BadConfig.
    """
    asked = check_domain(args.domain, '--domain')
    return check_domain(os.environ.get('ROS_DOMAIN_ID', '')) if asked is None else asked


def elsewhere(args: argparse.Namespace) -> Callable[[Taken], None] | None:
    """What `running` is told of a graph that nobody looks for; None: --domain says where it is.

    In the domain of the environment a robot may run already: a trial goes out of its way.
    """

    def tell(taken: Taken) -> None:
        console.print(
            f'a robot runs already as /{escape(taken.namespace)} in ROS_DOMAIN_ID {taken.domain} '
            'of the environment: this graph takes a domain of its own',
            soft_wrap=True,
        )

    return tell if args.may_move else None


def trial(graph: Graph, args: argparse.Namespace) -> AbstractContextManager[RunningGraph]:
    """The graph in the place that `load` read from the arguments, or out of a robot's way."""
    return running(graph, domain=args.domain, discovery=args.discovery, elsewhere=elsewhere(args))


def no_loudspeaker(names: Collection[str]) -> dict[str, dict[str, Any]]:
    """Parameters by node of the graph `names`, where the user is a recording and nobody hears."""
    more: dict[str, dict[str, Any]] = {'audio_playback': {'sink': 'null'}}
    if 'stt' in names:
        more['stt'] = {'echo_guard': False}
    return more


def first_listeners(names: Collection[str], records: object) -> str:
    """The nodes that must hear the first frame of a conversation: `audio_capture` waits for them.

    They are those of the graph `names` that hear the user, this command, and the recorder.
    """
    here = [name for name in ('s2s', 'stt') if name in names]
    return ','.join([*here, *(['recorder'] if records else []), f'/{visitor_name()}'])


def bring_up(run: RunningGraph, patience: float) -> None:
    """Brings a graph up, with the state of its nodes on the screen; raises BringUpError."""
    began = time.monotonic()
    with Live(console=console, transient=True, auto_refresh=False) as live:

        def show() -> None:
            live.update(health_table(run.conductor.health), refresh=True)

        run.bring_up(patience, show)
    console.print(
        f'[green]●[/] {len(run.graph.nodes)} nodes are up after {time.monotonic() - began:.1f} s '
        f'[dim](namespace /{run.graph.namespace}, ROS_DOMAIN_ID {run.domain})[/]'
    )
    if 'recorder' in run.graph.names:
        told = run.conductor.health['recorder'].values or {}
        console.print(
            f'[red]●[/] all that is heard and said is recorded into {escape(told.get("bag", ""))}',
            soft_wrap=True,
        )


def explain(run: RunningGraph, error: BringUpError) -> int:
    """Says why a node did not come up: its own words, or the end of what it printed."""
    if error.bad_setting:
        return fail(escape(str(error)), BAD_SETTING)
    process = next((p for p in run.processes.nodes if p.spec.name == error.node), None)
    status = fail(escape(str(error)))
    if process is not None and not process.running:
        console.print(escape(printable_lines(process.tail())), style='dim')
        if process.exit_status == BAD_SETTING:
            return BAD_SETTING
    return status
