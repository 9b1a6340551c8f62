"""What would keep `kame eval run` from leading its conversations: looked at by --dry-run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kame_ros.audio.wav import BadAudio, read_wav
from kame_ros.evaluation.suite import BadSuite, Item, Suite
from kame_ros.fetch.errors import FetchError
from kame_ros.fetch.needs import needs
from kame_ros.graph.description import Graph, NodeSpec
from kame_ros.nodes.common.tables import problems, reader
from kame_ros.oracle.llm.clients.base import LlmError
from kame_ros.oracle.make import make_backends
from kame_ros.oracle.settings import read_settings
from kame_ros.text.misfit import misfit


def refusals(graph: Graph) -> Iterator[str]:
    """What its nodes would refuse of their parameters, a sentence each."""
    for spec in graph.nodes:
        try:
            found = list(problems(spec))
        except ImportError as error:
            found = [f'there is no {error.name}' if error.name == spec.module else str(error)]
        if not found and spec.name == 'oracle':
            found = list(_of_llms(spec))
        yield from (f'{spec.name}: {sentence}' for sentence in found)
    try:
        for need in needs(graph):
            yield f'{need.node}: {need.why}'
    except FetchError as error:
        yield str(error)


def _of_llms(spec: NodeSpec) -> Iterator[str]:
    """What is wrong with the oracle's settings, and what its LLMs lack."""
    read = reader(spec)
    try:
        for backend in make_backends(read, read_settings(read('settings'))):
            backend.check()
    except OSError as error:
        yield f'settings: {misfit(error)}'
    except (ValueError, LlmError) as error:
        yield str(error)


def unreadable(suite: Suite, items: Iterable[Item]) -> Iterator[str]:
    """The recordings that cannot be played, and why."""
    for path in sorted({suite.path(cue) for item in items for cue in item.cues}):
        try:
            read_wav(path)
        except (BadAudio, BadSuite, OSError) as error:
            yield str(error)
