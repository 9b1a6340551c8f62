"""Addresses of servers, read so strictly that no two programs can read one differently."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

_SHOWN = 200  # characters of an address in a sentence


class BadAddress(ValueError):
    """A text is no address of a server; the sentence says what one looks like."""


@dataclass(frozen=True)
class Address:
    """A server: the scheme, http or https, its host in small letters, and its port."""

    scheme: str
    host: str
    port: int

    @property
    def place(self) -> str:
        """HOST:PORT, an IPv6 host in brackets."""
        return f'{self.bare}:{self.port}'

    @property
    def bare(self) -> str:
        """The host alone, in brackets if it is one of IPv6."""
        return f'[{self.host}]' if ':' in self.host else self.host


def read_address(url: str) -> Address:
    """The server that an address leads to. Raises BadAddress."""
    shown = repr(url[:_SHOWN])
    if '\\' in url or any(c.isspace() or not c.isprintable() for c in url):
        raise BadAddress(f'{shown} is no address: it holds a blank or a sign that none has')
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:  # of an IPv6 host, of a port, of letters that look like others
        raise BadAddress(
            f'{shown} is no address ({str(error)[:_SHOWN]}): http://HOST:PORT, with an IPv6 host '
            'in brackets, as in http://[::1]:8000/v1'
        ) from error
    if parts.scheme not in ('http', 'https') or not parts.hostname or port == 0:
        raise BadAddress(f'{shown} is no address: http://HOST:PORT, with a path where it needs one')
    if '@' in parts.netloc or parts.query or parts.fragment:
        raise BadAddress('an address holds no key or password: keys come from the environment')
    return Address(parts.scheme, parts.hostname.lower(), port or _port(parts.scheme))


def _port(scheme: str) -> int:
    return 443 if scheme == 'https' else 80
