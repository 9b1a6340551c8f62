"""`kame doctor`: what this machine has, and what it lacks."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict, fields

from kame_ros.doctor import LACK, OK, WARN, Finding, examine, examine_fit, examine_packages
from kame_ros.graph.description import DEFAULT_CONFIG, Graph, NodeSpec, load_graph, parse_overrides
from kame_ros.graph.early import BAD_SETTING
from kame_ros.graph.names import BadConfig
from kame_ros.graph.surroundings import rmw_problem
from kame_ros.oracle.llm.backend import parse_backend
from kame_ros.oracle.llm.backend_names import BackendNames
from kame_ros.runtime import weights
from kame_ros.text.os_errors import in_words

_LAMPS = {OK: '[green]●[/]', WARN: '[yellow]○[/]', LACK: '[red]✗[/]'}


def doctor(args: argparse.Namespace) -> int:
    """Prints the findings; 1 if something that the demo, or the configuration, needs is missing."""
    try:
        with contextlib.redirect_stdout(sys.stderr):  # libraries print what spoils the JSON
            findings = list(_look(args))
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


def _look(args: argparse.Namespace) -> Iterator[Finding]:
    if not (args.config or args.set):
        yield from examine()
        return
    graph = _graph(args)
    refused = list(_refused(graph))
    yield from refused
    yield from examine_packages(graph)
    if not any(finding.level == LACK for finding in refused):
        yield from examine_fit(graph)


def _refused(graph: Graph) -> Iterator[Finding]:
    """What the nodes would refuse of their parameters; they are asked, which needs ROS."""
    unasked = 'their values are not looked at'
    if problem := rmw_problem(os.environ):
        yield Finding('fit', 'parameters', WARN, f'{unasked}: {problem}', 'see kame doctor')
        return
    try:
        from kame_ros.nodes.common.tables import problems
    except ImportError as error:
        detail = f'{unasked}: {error.name or "a module"} is not installed'
        yield Finding('fit', 'parameters', WARN, detail, 'see kame doctor')
        return
    for spec in graph.nodes:
        try:
            backends = _backend_problems(spec) if spec.name == 'oracle' else ()
            wrong = [*problems(spec), *backends]
            for sentence in wrong or _meaningless(spec):
                yield Finding('fit', spec.name, LACK, sentence, 'see docs/parameters.md')
        except ImportError as error:
            detail = f'there is no {error.name}' if error.name == spec.module else str(error)
            yield Finding('fit', spec.name, LACK, detail, 'see kame doctor')


def _backend_problems(spec: NodeSpec) -> Iterator[str]:
    for name in _backends(spec):
        try:
            parse_backend(name)
        except ValueError as error:
            yield str(error)


def _meaningless(spec: NodeSpec) -> Iterator[str]:
    """Names of weights and files that mean nothing, whatever is installed."""
    for name, kind in _weights(spec):
        try:
            weights.look_up(name, kind)
        except (weights.MissingWeights, ValueError, OSError) as error:
            yield str(error)
    if spec.name == 'oracle' and (settings := str(spec.values.get('settings', ''))):
        from kame_ros.oracle.settings import read_settings

        try:
            read_settings(settings)
        except (OSError, ValueError) as error:
            yield in_words(error)


def _weights(spec: NodeSpec) -> Iterator[tuple[str, str]]:
    """The names of weights that a node is told of, and their kinds."""
    values = spec.values
    if spec.name == 'stt' and values.get('engine', 'whisper') == 'whisper' and 'model' in values:
        yield str(values['model']), 'stt'
    if spec.name == 's2s' and values.get('front_end', 'tts') == 'tts' and 'tts.voice' in values:
        yield str(values['tts.voice']), 'tts'
    if spec.name == 'oracle':
        for backend in _backends(spec):
            kind, _, model = backend.partition(':')
            if kind == 'embedded':
                yield model, 'llm'


def _backends(spec: NodeSpec) -> list[str]:
    rows = (field.name for field in fields(BackendNames))
    told = {name: str(spec.parameters[name]) for name in rows if name in spec.parameters}
    return BackendNames(**told).names


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
