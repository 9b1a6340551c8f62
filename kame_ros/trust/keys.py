"""Which keys go to which servers.

It is settled by the environment in which the process starts, and no parameter widens it: whoever
can set a parameter could otherwise have any secret of this machine sent to a server of their own.
"""

from __future__ import annotations

import ipaddress
import os
from urllib.parse import SplitResult, urlsplit

from kame_ros.trust.services import services

KEY_HOSTS = 'KAME_KEY_HOSTS'
"""More servers that may get a key: `HOST` or `VARIABLE@HOST`, with `:PORT` if wanted, separated by
commas. A host without a variable gets the keys of the services that this package knows, and no
other secret."""


def _split(url: str) -> SplitResult:
    """The parts of an address; none of what is no address, such as `http://[::1`."""
    try:
        return urlsplit(url)
    except ValueError:
        return SplitResult('', '', '', '', '')


def is_loopback(url: str) -> bool:
    """Whether the address is one of this machine."""
    host = _split(url).hostname or ''
    if host == 'localhost':
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def variable_for(url: str, default: str) -> str:
    """The variable whose key belongs to this server: `default` if it may go there, or another."""
    allowed = (variable for variable, _ in _allowed())
    fitting = [v for v in (default, *_our_keys(), *allowed) if _may_get(v, url)]
    given = [v for v in fitting if os.environ.get(v, '').strip()]
    return (given or fitting or [default])[0]


def why_not_allowed(variable: str, url: str) -> str:
    """Why this variable may not be sent to this server, set or not; empty if it may."""
    host = _split(url).netloc.rpartition('@')[2] or url
    if not _may_get(variable, url):
        return (
            f'{variable} is not sent to {host}, as the environment does not say that it may be: '
            f'start with {KEY_HOSTS}={variable}@{host}'
        )
    if _split(url).scheme != 'https' and not is_loopback(url):
        return f'{variable} is not sent to {host} in clear: use https'
    return ''


def is_official(variable: str, url: str) -> bool:
    """Whether the server belongs to those who gave the key of this variable."""
    host = (_split(url).hostname or '').lower()
    return any(host in service.hosts for service in services() if service.key == variable)


def key_for(variable: str, url: str) -> str:
    """The key in the environment variable, if this server may get it; else an empty text."""
    return '' if why_no_key(variable, url) else os.environ.get(variable, '').strip()


def why_no_key(variable: str, url: str) -> str:
    """Why the server gets no key, and what to do, in a sentence; empty if it gets one."""
    if not os.environ.get(variable, '').strip():
        return f'the environment variable {variable} is not set'
    return why_not_allowed(variable, url)


def _allowed() -> list[tuple[str, str]]:
    """Pairs of a variable and a host, with or without a port, as the environment gives them."""
    entries = os.environ.get(KEY_HOSTS, '').replace(',', ' ').split()
    pairs = [entry.rpartition('@') for entry in entries]
    allowed = [
        (variable, place.lower())
        for named, _, place in pairs
        for variable in ([named] if named else _our_keys())
    ]
    for service in services():
        if url := os.environ.get(service.address_variable, '').strip():
            place = _split(url if '://' in url else f'http://{url}').netloc.lower()
            allowed.append((service.key, place))
    return allowed


def _our_keys() -> list[str]:
    """The variables of the services that this package knows itself."""
    return [service.key for service in services() if service.key and not service.owner]


def _may_get(variable: str, url: str) -> bool:
    if not variable or '\\' in url or '@' in _split(url).netloc:
        return False  # read otherwise by others than by us
    if is_official(variable, url):
        return True
    return any(v == variable and _is_at(place, url) for v, place in _allowed())


def _is_at(place: str, url: str) -> bool:
    """Whether `place`, a host with or without a port, is where the address leads."""
    parts = _split(url)
    host = (parts.hostname or '').lower()
    try:
        port = parts.port or (443 if parts.scheme == 'https' else 80)
    except ValueError:
        return False
    if ':' in host:
        host = f'[{host}]'
    return place in (host, f'{host}:{port}')
