"""Which servers may be sent what the user says: settled when the process starts.

A parameter can be set by any node of the graph. It chooses among these servers, and adds none.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from kame_ros.trust import keys as trust
from kame_ros.trust.addresses import Address, BadAddress, read_address
from kame_ros.trust.files import NotTrusted
from kame_ros.trust.services import Service, services

VARIABLE = 'KAME_HOSTS'
"""More servers: `HOST` or `HOST:PORT`, separated by commas or blanks."""


@dataclass(frozen=True)
class TrustedHosts:
    """Servers of this machine, the services whose key is there, and those that the start names.

    `given` are the servers in the parameters and settings with which the process was started; the
    environment names more in KAME_HOSTS and in KAME_KEY_HOSTS, and in the SDKs' own variables.
    """

    given: frozenset[Address] = frozenset()

    @classmethod
    def at_start(cls, urls: Iterable[str]) -> TrustedHosts:
        """With the servers, if any, that the process was started with."""
        return cls(frozenset(address for url in urls if (address := _read(url))))

    def check(self, url: str) -> None:
        """Raises NotTrusted for another server, BadAddress for none; no address is the SDK's."""
        if not url:
            return
        address = read_address(url)
        if address in self.given or trust.is_loopback(url):
            return
        if address.scheme == 'https' and any(address.host in s.hosts for s in _in_use()):
            return
        if not any(place in (address.bare, address.place) for place in allowed()):
            raise NotTrusted(
                f'what the user says is not sent to {address.place}, which was not named when this '
                f'process was started: start with {VARIABLE}={address.place}'
            )


def _in_use() -> Iterator[Service]:
    """The services that whoever started this process has a key of, or a package for."""
    for service in services():
        if service.owner or os.environ.get(service.key, '').strip():
            yield service


def allowed() -> set[str]:
    """Hosts, with or without a port, that the environment names."""
    entries = f'{os.environ.get(VARIABLE, "")},{os.environ.get(trust.KEY_HOSTS, "")}'
    places = {e.rpartition('@')[2].lower() for e in entries.replace(',', ' ').split()}
    for service in services():
        url = os.environ.get(service.address_variable, '').strip()
        if address := _read(url if '://' in url else f'http://{url}'):
            places.add(address.place)
    return places


def _read(url: str) -> Address | None:
    try:
        return read_address(url)
    except BadAddress:
        return None
