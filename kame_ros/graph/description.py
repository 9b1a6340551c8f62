"""The graph as data: which nodes there are and with which parameters.

`kame up`, `kame ask` and `launch/kame.launch.py` all start what this module describes, so that
they cannot differ.
"""

from __future__ import annotations

import difflib
import os
import sysconfig
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kame_ros.graph.names import BadConfig, check_namespace
from kame_ros.settings.values import plain

if TYPE_CHECKING:
    from kame_ros.settings.parameter_file import Section

PACKAGE = 'kame_ros'
DEFAULT_CONFIG = 'tandem'
DEFAULT_NAMESPACE = 'robot'
# The mouth before the voice, the voice before the thought, the ear last: a frame that is
# heard finds everyone awake.
BRING_UP_ORDER = ('audio_playback', 's2s', 'oracle', 'stt', 'audio_capture')

# Short names for what is changed most often: arguments of the launch file.
SHORTCUTS = {
    'front_end': ('s2s', 'front_end'),
    'weights': ('s2s', 'moshi.weights'),
    'oracle_backend': ('oracle', 'backend'),
    'stt_model': ('stt', 'model'),
    'source': ('audio_capture', 'source'),
    'microphone': ('audio_capture', 'device'),
    'sink': ('audio_playback', 'sink'),
    'loudspeaker': ('audio_playback', 'device'),
}


@dataclass(frozen=True)
class NodeSpec:
    """One node: its name, which is also the name of its program, and its parameters.

    It takes from `for_all` what it knows; each of `parameters` it must know.
    """

    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    for_all: Mapping[str, Any] = field(default_factory=dict)

    @property
    def module(self) -> str:
        """The Python module to run."""
        return f'kame_ros.nodes.{self.name}_node'

    @property
    def values(self) -> dict[str, Any]:
        """All that it is given, by name; its own `parameters` outrank what is for all."""
        return {**self.for_all, **self.parameters}


@dataclass(frozen=True)
class Graph:
    """The nodes in the order in which they are brought up."""

    config: str
    namespace: str
    nodes: tuple[NodeSpec, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the nodes."""
        return tuple(node.name for node in self.nodes)

    def path(self, name: str) -> str:
        """The full name of a node or topic in this graph."""
        return _path(self.namespace, name)


def config_folder() -> Path:
    """Where the configurations are: beside the source, or where they were installed."""
    source = Path(__file__).resolve().parents[2] / 'config'
    if (Path(__file__).resolve().parents[2] / 'package.xml').is_file() and source.is_dir():
        return source
    for root in _prefixes():
        folder = root / 'share' / PACKAGE / 'config'
        if folder.is_dir():
            return folder
    raise BadConfig('the configurations of kame_ros are not installed')


def _prefixes() -> list[Path]:
    # lib/python3.X/site-packages/kame_ros/graph/description.py lies five folders below the prefix.
    return [Path(__file__).resolve().parents[5], Path(sysconfig.get_path('data'))]


def config_names() -> list[str]:
    """The names that --config takes."""
    return sorted(path.stem for path in config_folder().glob('*.yaml'))


def find_config(name_or_path: str) -> Path:
    """The file of a configuration, from its name or path.

    Raises BadConfig that lists the names there are.
    """
    path = Path(name_or_path)
    if path.suffix in ('.yaml', '.yml') or path.parent != Path('.'):
        if not path.is_file():
            raise BadConfig(f'there is no file {path}')
        return path
    names = config_names()
    if name_or_path in names:
        return config_folder() / f'{name_or_path}.yaml'
    close = difflib.get_close_matches(name_or_path, names, 1)
    hint = f'; did you mean {close[0]}?' if close else ''
    raise BadConfig(f'there is no configuration {name_or_path!r} among {", ".join(names)}{hint}')


def load_graph(
    config: str = DEFAULT_CONFIG,
    *,
    namespace: str = DEFAULT_NAMESPACE,
    overrides: Mapping[str, Mapping[str, Any]] | None = None,
    params_file: str = '',
    also: Iterable[str] = (),
) -> Graph:
    """Reads a configuration, a ROS parameter file whose nodes are the nodes of the graph.

    A file that names no node, only `/**`, changes the default configuration. `params_file` outranks
    the configuration; what it says of nodes that are not in the graph is passed over. `overrides`
    are parameters by node name that outrank both. `also` are nodes that the graph has although
    the configuration may not name them.

    Raises BadConfig for a file that is none, for a name that is none, and for an override of a
    node that is not in the graph.
    """
    check_namespace(namespace)
    path = find_config(config)
    sections = _read(path)
    if all(section.for_all for section in sections):
        sections = [*_read(find_config(DEFAULT_CONFIG)), *sections]
    nodes = _nodes_of(sections, path, namespace)
    for name in also:
        if name not in nodes:
            for_all = [section for section in sections if section.for_all]
            nodes[name] = [s for s in for_all if s.fits(_path(namespace, name))]
    if params_file:
        for section in _read(Path(os.path.expanduser(params_file))):
            for name, said in nodes.items():
                if section.fits(_path(namespace, name)):
                    said.append(section)
    specs = {name: _spec(name, said) for name, said in nodes.items()}
    for name, values in (overrides or {}).items():
        if name not in specs:
            raise BadConfig(f'{path.stem} has no node {name}; it has {", ".join(specs)}')
        spec = specs[name]
        specs[name] = NodeSpec(name, {**spec.parameters, **values}, spec.for_all)
    order = {name: place for place, name in enumerate(BRING_UP_ORDER)}
    ordered = sorted(specs, key=lambda name: order.get(name, -1))
    return Graph(path.stem, namespace, tuple(specs[name] for name in ordered))


def _read(path: Path) -> list[Section]:
    from kame_ros.settings import parameter_file

    try:
        return parameter_file.read(path)
    except parameter_file.BadParameterFile as error:
        raise BadConfig(str(error)) from error


def _path(namespace: str, name: str) -> str:
    return '/'.join(('', *filter(None, (namespace.strip('/'), name))))


def _nodes_of(sections: list[Section], path: Path, namespace: str) -> dict[str, list[Section]]:
    """What each node of the namespace is told, in the order of the file."""
    names = dict.fromkeys(section.name for section in sections if not section.for_all)
    nodes = {
        name: [section for section in sections if section.fits(_path(namespace, name))]
        for name in names
    }
    here = {name: said for name, said in nodes.items() if not all(s.for_all for s in said)}
    if not here:
        patterns = ', '.join(s.pattern for s in sections if not s.for_all)
        raise BadConfig(f'{path} has no node in /{namespace.strip("/")}, only {patterns}')
    return here


def _spec(name: str, said: list[Section]) -> NodeSpec:
    own: dict[str, Any] = {}
    for_all: dict[str, Any] = {}
    for section in said:
        (for_all if section.for_all else own).update(section.parameters)
        if section.for_all:  # what comes later outranks what came before
            own.update({key: v for key, v in section.parameters.items() if key in own})
    return NodeSpec(name, own, for_all)


def parameter_file(spec: NodeSpec) -> str:
    """The parameters of a node as the text of a ROS parameter file."""
    from kame_ros.settings.parameter_file import Section, write

    for_all = [Section('/**', spec.for_all)] if spec.for_all else []
    return write([*for_all, Section(f'/**/{spec.name}', spec.parameters)])


def parse_override(text: str) -> tuple[str, str, Any]:
    """Splits `node.parameter=value`; the value keeps its spelling until its type is known.

    Raises BadConfig for anything else.
    """
    name, equals, value = text.partition('=')
    node, dot, parameter = name.strip().partition('.')
    if not (equals and dot and node and parameter):
        raise BadConfig(f'{text!r} is not of the form node.parameter=value, as in stt.step_s=0.4')
    if not text.isprintable() and any(0xD800 <= ord(c) <= 0xDFFF or c == '\0' for c in text):
        raise BadConfig(f'{node}.{parameter} is set to what is no text in UTF-8')
    return node, parameter, plain(value)


def parse_overrides(texts: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The parameters that `--set` gives, by node; raises BadConfig."""
    values: dict[str, dict[str, Any]] = {}
    for text in texts:
        node, parameter, value = parse_override(text)
        values.setdefault(node, {})[parameter] = value
    return values


def shortcut_overrides(given: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """The parameters that shortcuts set, by node; empty texts set nothing."""
    values: dict[str, dict[str, Any]] = {}
    for shortcut, (node, parameter) in SHORTCUTS.items():
        if given.get(shortcut):
            values.setdefault(node, {})[parameter] = given[shortcut]
    return values
