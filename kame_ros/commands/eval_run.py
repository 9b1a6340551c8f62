"""`kame eval run`: the conversations of a suite, led through the real graph."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from kame_ros.audio.wav import BadAudio, read_wav
from kame_ros.commands.ask import counters
from kame_ros.commands.bring_up import (
    bring_up,
    explain,
    first_listeners,
    load,
    no_loudspeaker,
    trial,
)
from kame_ros.commands.eval_check import refusals, unreadable
from kame_ros.commands.show import console, fail, refuse
from kame_ros.evaluation.run_folder import BadRun, RunFolder, RunPlace, describe
from kame_ros.evaluation.suite import BadSuite, Item, Suite
from kame_ros.evaluation.suite import load as load_suite
from kame_ros.graph.description import Graph, load_graph
from kame_ros.graph.early import BAD_SETTING
from kame_ros.graph.names import BadConfig
from kame_ros.graph.processes import Taken
from kame_ros.graph.surroundings import BadSurroundings
from kame_ros.nodes.visitor.conductor import BringUpError
from kame_ros.nodes.visitor.interview import Interview, Led
from kame_ros.nodes.visitor.running_graph import RunningGraph, Stopped
from kame_ros.text.os_errors import in_words
from kame_ros.trust.private_folder import NoPrivateFolder

_CALLS, _TOKENS_IN, _TOKENS_OUT = 3, 220, 30  # of a turn and of a call, only for the estimate


def run(args: argparse.Namespace) -> int:
    """Leads what is not done yet; what was led stays, whatever happens."""
    try:
        suite = load_suite(args.suite)
        items = suite.chosen(args.items)
        graph = _graph(args)
    except (BadSuite, BadConfig) as error:
        return refuse(error)
    except (OSError, UnicodeDecodeError) as error:
        return fail(escape(in_words(error)))
    folder = RunFolder(args.output)
    todo = [
        (item, RunPlace(item.id, number))
        for number in range(1, args.repeat + 1)
        for item in items
        if not folder.is_done(RunPlace(item.id, number))
    ]
    bad = [] if args.text_only else list(unreadable(suite, [item for item, _ in todo]))
    for sentence in bad:
        fail(escape(sentence))
    if not bad:
        _tell_plan(suite, items, todo, args)
    if args.dry_run:
        return _check(args, folder, suite, graph) or int(bool(bad))
    if bad:
        return 1
    if args.text_only:
        from kame_ros.commands.eval_text import run_text_only

        return run_text_only(args, suite, items, graph)
    try:
        folder.open(describe(suite, graph.config, _parameters(graph)))
    except (BadRun, OSError) as error:
        return fail(escape(in_words(error)))
    if not todo:
        folder.close()
        console.print(f'all of it is done: kame eval score {args.output}')
        return 0
    return _lead(args, folder, suite, graph, todo)


def _check(args: argparse.Namespace, folder: RunFolder, suite: Suite, graph: Graph) -> int:
    """Says what the run would be refused for; nothing is started or written."""
    from kame_ros.commands.eval_text import written_run

    told = describe(suite, graph.config, _parameters(graph))
    try:
        folder.check(written_run(suite, graph) if args.text_only else told)
    except (BadRun, BadSuite, OSError) as error:
        return fail(escape(in_words(error)))
    if args.text_only:  # no other node is started
        graph = replace(graph, nodes=tuple(s for s in graph.nodes if s.name == 'oracle'))
    refused = list(refusals(graph))
    for sentence in refused:
        fail(escape(sentence))
    return BAD_SETTING if refused else 0


def _graph(args: argparse.Namespace) -> Graph:
    """The configuration, with the player in the place of the microphone."""
    names = load_graph(args.config, namespace=args.namespace).names
    if args.hold:
        args.set = [*args.set, f's2s.hold_s={args.hold:g}']
    args.set = [
        *args.set,
        'audio_capture.source=topic',
        'audio_capture.topic=audio/in',
        'audio_capture.echo_cancellation=off',
        f'audio_capture.wait_for_listeners={first_listeners(names, args.record)}',
    ]
    return load(args, no_loudspeaker(names))


def _parameters(graph: Graph) -> dict[str, dict[str, Any]]:
    """What a run was led with, by node: equal in each process that goes on with it."""
    nodes = {spec.name: spec.values for spec in graph.nodes}
    nodes.get('audio_capture', {}).pop('wait_for_listeners', None)  # it names this process
    return nodes


def _tell_plan(
    suite: Suite,
    items: tuple[Item, ...],
    todo: list[tuple[Item, RunPlace]],
    args: argparse.Namespace,
) -> None:
    seconds = suite.about_s(item for item, _ in todo)
    minutes = '' if args.text_only else f', about {seconds / 60:.0f} minutes in real time'
    each = 1 if args.text_only else _CALLS
    calls = each * sum(cue.asks for item, _ in todo for cue in item.cues)
    console.print(
        f'{suite.name}: {len(items)} conversations, {args.repeat} time{"s" * (args.repeat > 1)}; '
        f'{len(todo)} to lead{minutes}; about {calls} calls of the LLM, '
        f'{calls * _TOKENS_IN / 1000:.0f} k + {calls * _TOKENS_OUT / 1000:.0f} k tokens'
    )


def _lead(
    args: argparse.Namespace,
    folder: RunFolder,
    suite: Suite,
    graph: Graph,
    todo: list[tuple[Item, RunPlace]],
) -> int:
    done, failed, late, spent = 0, 0, 0, 0.0
    try:
        with trial(graph, args) as graph_run:
            try:
                bring_up(graph_run, args.patience)
                with _bar(len(todo)) as show, Interview(graph_run, show.tick) as interview:
                    for item, place in todo:
                        if args.budget is not None and spent >= args.budget:
                            console.print(f'the budget is spent ({spent:.4f})')
                            break
                        show.begin(place)
                        before = counters(graph_run)
                        sounds = [read_wav(suite.path(cue)).samples for cue in item.cues]
                        led = interview.lead(item, sounds)
                        _keep(folder, item, place, led, graph_run, before)
                        spent += sum(float(b.get('cost', 0)) for b in led.record.books.values())
                        failed += led.outcome not in ('answered', 'nothing heard')
                        done, late = done + 1, interview.late
                        show.done()
            except BringUpError as error:
                return explain(graph_run, error)
    except (Taken, BadSurroundings, NoPrivateFolder, BadAudio, BadSuite, OSError) as error:
        return fail(escape(in_words(error)))
    except Stopped:
        console.print(f'stopped; {done} conversations were led and are kept: run it again to go on')
        return 1
    finally:
        with contextlib.suppress(BadRun, OSError):
            folder.close(player_frames_late=late)
    console.print(
        f'{done} conversations led, {failed} without a regular end'
        + (f', {late} frames of the player late: the machine was busy' if late else '')
        + (f', {spent:.4f} spent on the LLM' if spent else '')
    )
    console.print(f'next: kame eval score {args.output}', style='dim')
    return 0


def _keep(
    folder: RunFolder,
    item: Item,
    place: RunPlace,
    led: Led,
    run: RunningGraph,
    before: dict[str, int],
) -> None:
    record, t0 = led.record, led.record.t0
    after = counters(run)
    generations = [
        {
            'generation': g.number - record.generations.first,
            'utterance': g.utterance,
            'transcript': g.transcript,
            'text': g.text,
            'started_at_s': round(g.started_at - t0, 3),
            'state': g.state,
            'error': g.error,
        }
        for g in record.generations.by_number.values()
    ]
    finals = sorted(record.finals.values(), key=lambda final: final.start)
    session = {
        'config': run.graph.config,
        'outcome': led.outcome,
        'seconds': round(led.seconds, 2),
        'heard': [
            {
                'utterance': f.utterance,
                'text': f.text,
                'start_s': round(f.start - t0, 3),
                'end_s': round(f.end - t0, 3),
            }
            for f in finals
        ],
        'monologue': record.said(t0, float('inf')),
        'generations': generations,
        'books': list(record.books.values()),
        'transcribed': 'stt' in run.graph.names,
        'thinks': 'oracle' in run.graph.names,
        'counters': {name: after[name] - before.get(name, 0) for name in after},
        'events_left_out': led.journal.left_out,
    }
    labels = {
        'item': item.id,
        'kind': item.kind,
        'category': item.category,
        'voice': item.voice,
        'tags': dict(item.tags),
        'cues': [
            {
                'role': said.cue.role,
                'text': said.cue.text,
                'question': said.cue.question or said.cue.text,
                'accepted': list(said.cue.accepted),
                'start_s': None if said.t is None else round(said.t - t0, 4),
                'speech': []
                if said.t is None
                else [
                    [round(said.t - t0 + a, 4), round(said.t - t0 + b, 4)]
                    for a, b in said.cue.speech
                ],
            }
            for said in led.said
        ],
    }
    folder.put(place, led.user, led.robot, led.journal.lines(t0), session, labels)


class _Shown:
    """A bar with what is being asked."""

    def __init__(self, bars: Progress, total: int) -> None:
        self._bars = bars
        self._task = bars.add_task('', total=total, text='')

    def begin(self, place: RunPlace) -> None:
        """The next conversation."""
        self._bars.update(self._task, description=escape(place.item), text='')

    def tick(self, text: str) -> None:
        """What is being heard."""
        self._bars.update(self._task, text=escape(text[-50:]))

    def done(self) -> None:
        """It was led."""
        self._bars.advance(self._task)


@contextlib.contextmanager
def _bar(total: int) -> Iterator[_Shown]:
    with Progress(
        TextColumn('{task.description}'),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn('[dim]{task.fields[text]}[/]'),
        console=console,
    ) as bars:
        yield _Shown(bars, total)
