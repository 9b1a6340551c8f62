"""What the parameters of a node may name: settled by those that it was started with.

Any node of the graph can set a parameter. What was given at start, by whoever owns the robot, may
name anything; what is set later only what kame_ros.trust.files and trusted_hosts let it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kame_ros.runtime import weights
from kame_ros.settings.param import (
    FILE,
    HOST,
    MODEL,
    PACKAGE,
    RECORDING,
    SERVER,
    BadParameter,
    Param,
)
from kame_ros.trust.addresses import BadAddress
from kame_ros.trust.files import NotTrusted, TrustedFiles
from kame_ros.trust.hosts import TrustedHosts

_PATHS = (FILE, MODEL, RECORDING)


class TrustedParameters:
    """The rows of a table that name something, and the values they had at start."""

    def __init__(self, table: Iterable[Param], values: Mapping[str, Any]) -> None:
        self._rows = {row.name: row for row in table if row.names}
        self._given = {name: values[name] for name in self._rows}
        self.files = TrustedFiles.at_start(self._texts(*_PATHS))
        self.hosts = TrustedHosts.at_start(self._texts(SERVER))

    def _texts(self, *kinds: str) -> list[str]:
        return [str(self._given[row.name]) for row in self._rows.values() if row.names in kinds]

    def check(self, name: str, value: Any) -> None:
        """Raises BadParameter where the parameter may not have this value."""
        row = self._rows.get(name)
        if row is None or value in ('', row.default, self._given[name]):
            return
        try:
            self._check(row.names, value)
        except (NotTrusted, BadAddress) as error:
            raise BadParameter(f'{name}: {error}') from error

    def _check(self, kind: str, value: str) -> None:
        if kind == FILE:
            self.files.place(value)
        elif kind == MODEL and value not in weights.KNOWN:
            self.files.model(value)
        elif kind == RECORDING:
            self.files.target(value)
        elif kind == SERVER:
            self.hosts.check(value)
        elif kind == PACKAGE:
            raise NotTrusted(f'the package {value} was not given at start, and is not imported')
        elif kind == HOST:
            raise NotTrusted(f'{value} was not given at start, and is not served on')
