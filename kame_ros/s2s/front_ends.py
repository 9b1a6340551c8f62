"""The front-ends that speak for a robot, and the door for those of other packages.

A new front-end is one file, with a function that takes `FrontEndSettings` and gives a `FrontEnd`,
and one line: in `FRONT_ENDS`, or in the pyproject.toml of another package:

    [project.entry-points.'kame_ros.front_end']
    mine = 'my_package.my_front_end:make'

`--set s2s.front_end=mine` takes it then. What only this front-end can be told comes by
`s2s.front_end_options`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kame_ros.runtime.doors import Door
from kame_ros.s2s.front_end import FrontEnd
from kame_ros.settings.param import filled


@dataclass(frozen=True)
class FrontEndSettings:
    """What a front-end is told: `values` are the parameters of the node, `options` its own.

    `shortfalls`: how often memory ran out in earlier lives of the node.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)
    shortfalls: int = 0

    def filled(self, prefix: str, config: type) -> Any:
        """The configuration that the parameters `prefix.…` tell; raises as it does."""
        return filled(config, self.values.__getitem__, f'{prefix}.')


def of_others(names: Iterable[str], front_end: str) -> list[str]:
    """Which parameters of a node are of another front-end of ours: they do nothing."""
    others = tuple(f'{name}.' for name in FRONT_ENDS.ours if name != front_end)
    return [name for name in names if name.startswith(others)]


FRONT_ENDS = Door(
    'front-end',
    'kame_ros.front_end',
    {
        'tts': 'kame_ros.s2s.tts.make:make',
        'small': 'kame_ros.s2s.small.make:make',
        'moshi': 'kame_ros.s2s.moshi.make:make',
    },
    FrontEnd,
    'does not derive from kame_ros.s2s.front_end.FrontEnd',
)
