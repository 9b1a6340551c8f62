"""Those who follow the conversation of a graph that a command starts: its option --consumer."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

from rich.markup import escape

from kame_ros.commands.show import console
from kame_ros.consumers.consumer import Consumer
from kame_ros.consumers.door import make_consumer
from kame_ros.consumers.queued import Queued
from kame_ros.graph.description import Graph
from kame_ros.graph.names import BadConfig
from kame_ros.nodes.visitor.listener import TopicListener
from kame_ros.nodes.visitor.running_graph import RunningGraph
from kame_ros.runtime.faults import RAISED_BY_OTHERS
from kame_ros.text.well_formed import printable_lines

Named = tuple[str, Consumer]


def consumers(wanted: Sequence[str], graph: Graph) -> list[Named]:
    """The consumers of the option, by name; raises BadConfig for one that cannot be made."""
    made = []
    for text in wanted:
        try:
            made.append(make_consumer(text, graph.namespace, graph.names))
        except RAISED_BY_OTHERS as error:  # of another package: it may raise what it likes
            reason = error if isinstance(error, ValueError | ImportError | OSError) else repr(error)
            raise BadConfig(f'--consumer {text}: {reason}') from error
    return made


@contextlib.contextmanager
def following(
    run: RunningGraph, named: Sequence[Named], first: Sequence[Consumer] = ()
) -> Iterator[list[Queued]]:
    """Tells consumers of the graph in this block: `first` in this thread, the others in theirs."""
    queued = [Queued(name, consumer, _tell) for name, consumer in named]
    try:
        if first or queued:
            TopicListener(run.node, run.graph, [*first, *queued])
        yield queued
    finally:
        for each in queued:
            each.close()


def _tell(text: str) -> None:
    console.print(f'[yellow]consumer[/]: {escape(printable_lines(text))}')
