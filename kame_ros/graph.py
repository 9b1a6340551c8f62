"""The graph as data: which nodes there are and with which parameters.

`kame up`, `kame ask` and `launch/kame.launch.py` all start what this module describes, so that
they cannot differ.
"""

from __future__ import annotations

import difflib
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

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


class BadConfig(ValueError):
    """A configuration that does not exist or does not describe a graph."""


@dataclass(frozen=True)
class NodeSpec:
    """One node: its name, which is also the name of its program, and its parameters."""

    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def module(self) -> str:
        """The Python module to run."""
        return f'kame_ros.nodes.{self.name}_node'


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
        return '/'.join(('', *filter(None, (self.namespace.strip('/'), name))))


def config_folder() -> Path:
    """Where the configurations are: beside the source, or where they were installed."""
    source = Path(__file__).resolve().parent.parent / 'config'
    if (Path(__file__).resolve().parent.parent / 'package.xml').is_file() and source.is_dir():
        return source
    for root in _prefixes():
        folder = root / 'share' / PACKAGE / 'config'
        if folder.is_dir():
            return folder
    raise BadConfig('the configurations of kame_ros are not installed')


def _prefixes() -> list[Path]:
    # lib/python3.X/site-packages/kame_ros/graph.py lies four folders below the prefix.
    return [Path(__file__).resolve().parents[4], Path(sysconfig.get_path('data'))]


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
) -> Graph:
    """Reads a configuration, a ROS parameter file whose nodes are the nodes of the graph.

    `overrides` are parameters by node name that outrank the file's.

    Raises BadConfig for a file that is none, and for an override of a node that is not in it.
    """
    path = find_config(config)
    try:
        content = yaml.safe_load(path.read_text(encoding='utf-8'))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise BadConfig(f'{path} cannot be read: {error}') from error
    nodes = {name: dict(values) for name, values in _nodes_of(content, path).items()}
    for name, values in (overrides or {}).items():
        if name not in nodes:
            raise BadConfig(f'{path.stem} has no node {name}; it has {", ".join(nodes)}')
        nodes[name].update(values)
    order = {name: place for place, name in enumerate(BRING_UP_ORDER)}
    ordered = sorted(nodes, key=lambda name: order.get(name, -1))
    return Graph(path.stem, namespace, tuple(NodeSpec(name, nodes[name]) for name in ordered))


def _nodes_of(content: Any, path: Path) -> dict[str, dict[str, Any]]:
    if not isinstance(content, dict) or not content:
        raise BadConfig(f'{path} is no ROS parameter file: it names no node')
    nodes = {}
    for key, value in content.items():
        name = str(key).rsplit('/', 1)[-1]
        parameters = value.get('ros__parameters') if isinstance(value, dict) else None
        if not isinstance(parameters, dict | None) or (value and parameters is None):
            raise BadConfig(f'{path}: {key} has no ros__parameters')
        nodes[name] = _flattened(parameters or {})
    return nodes


def _flattened(parameters: Mapping[str, Any], prefix: str = '') -> dict[str, Any]:
    """Nested parameters under their dotted names, as ROS declares them."""
    flat: dict[str, Any] = {}
    for key, value in parameters.items():
        if isinstance(value, dict):
            flat.update(_flattened(value, f'{prefix}{key}.'))
        else:
            flat[f'{prefix}{key}'] = value
    return flat


def parameter_file(spec: NodeSpec) -> str:
    """The parameters of a node as the text of a ROS parameter file."""
    return yaml.safe_dump({'/**': {'ros__parameters': dict(spec.parameters)}}, sort_keys=False)


def parse_override(text: str) -> tuple[str, str, Any]:
    """Splits `node.parameter=value`; the value is read as YAML, as ROS does.

    Raises BadConfig for anything else.
    """
    name, equals, value = text.partition('=')
    node, dot, parameter = name.partition('.')
    if not (equals and dot and node and parameter):
        raise BadConfig(f'{text!r} is not of the form node.parameter=value, as in stt.step_s=0.4')
    return node, parameter, yaml.safe_load(value)


def shortcut_overrides(given: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """The parameters that shortcuts set, by node; empty texts set nothing."""
    values: dict[str, dict[str, Any]] = {}
    for shortcut, (node, parameter) in SHORTCUTS.items():
        if given.get(shortcut):
            values.setdefault(node, {})[parameter] = given[shortcut]
    return values
