"""`kame doctor`: what this machine has, and what it lacks."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict

from kame_ros.doctor import LACK, OK, WARN, Finding, examine, examine_fit
from kame_ros.graph.description import DEFAULT_CONFIG, Graph, load_graph, parse_overrides
from kame_ros.graph.early import BAD_SETTING
from kame_ros.graph.names import BadConfig

_LAMPS = {OK: '[green]●[/]', WARN: '[yellow]○[/]', LACK: '[red]✗[/]'}


def doctor(args: argparse.Namespace) -> int:
    """Prints the findings; 1 if something that the demo, or the configuration, needs is missing."""
    try:
        findings = list(examine_fit(_graph(args)) if args.config or args.set else examine())
    except BadConfig as error:
        print(f'error: {error}', file=sys.stderr)
        return BAD_SETTING
    if args.json:
        print(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        try:
            _print_table(findings)
        except Exception:  # whatever is broken, and be it rich: what was found is told
            for f in findings:
                print(' | '.join(filter(None, (f.level, f.area, f.what, f.detail, f.remedy))))
    return int(any(finding.level == LACK for finding in findings))


def _graph(args: argparse.Namespace) -> Graph:
    return load_graph(args.config or DEFAULT_CONFIG, overrides=parse_overrides(args.set))


def _print_table(findings: list[Finding]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    area = ''
    for finding in findings:
        table.add_row(
            _LAMPS[finding.level],
            f'[bold]{finding.area}[/]' if finding.area != area else '',
            escape(finding.what),
            f'[dim]{escape(finding.detail)}[/]',
            escape(finding.remedy),
        )
        area = finding.area
    Console(highlight=False).print(table)
