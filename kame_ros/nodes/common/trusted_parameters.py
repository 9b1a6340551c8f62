"""What the parameters of a node may name: settled by those that it was started with.

Any node of the graph can set a parameter. What was given at start, by whoever owns the robot, may
name anything; what is set later only what kame_ros.trust.files and trusted_hosts let it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from kame_ros.runtime import weights
from kame_ros.settings.options import options_of
from kame_ros.settings.param import (
    FILE,
    HOST,
    MODEL,
    OPTIONS,
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
        options = list(_values(self._texts(OPTIONS)))
        self.files = TrustedFiles.at_start([*self._texts(*_PATHS), *options])
        self.hosts = TrustedHosts.at_start([*self._texts(SERVER), *options])

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
        elif kind == OPTIONS:
            self._check_options(value)
        elif kind == PACKAGE:
            raise NotTrusted(f'the package {value} was not given at start, and is not imported')
        elif kind == HOST:
            raise NotTrusted(f'{value} was not given at start, and is not served on')

    def _check_options(self, text: str) -> None:
        """Of what another package's options mean it is known only what they look like."""
        for value in options_of(text, 'this parameter').values():
            if '://' in value:
                self.hosts.check(value)
            else:
                self.files.model(value)


def _values(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        with suppress(ValueError):  # it is told when the node is configured
            yield from options_of(text).values()
