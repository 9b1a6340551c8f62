"""Who may use the page's sockets: those who know the token, and come from no strange web site."""

from __future__ import annotations

import hmac
import ipaddress
import os
import re
import secrets
import socket
from collections.abc import Iterable, Mapping
from urllib.parse import parse_qs, urlsplit

TOKEN_VARIABLE = 'KAME_PAGE_TOKEN'
_SHORTEST = 16  # characters of a token
_PLAIN = re.compile(r'[A-Za-z0-9._~-]+', re.ASCII)  # in a link, a header and a subprotocol alike
# As OpenAI's clients tell their key in browsers, and as our page does.
_PREFIXES = ('openai-insecure-api-key.', 'kame-token.')
_BEARER = 'Bearer '


class BadToken(ValueError):
    """The token that the environment gives cannot be used."""


def new_token() -> str:
    """A token that nobody guesses."""
    return secrets.token_hex(20)


def given_token(env: Mapping[str, str] = os.environ) -> str:
    """The token of the environment; empty: there is none. Raises BadToken."""
    given = env.get(TOKEN_VARIABLE, '')
    if given and (len(given) < _SHORTEST or not _PLAIN.fullmatch(given)):
        raise BadToken(
            f'{TOKEN_VARIABLE} has at least {_SHORTEST} letters, digits, dots, dashes or '
            'underscores'
        )
    return given


def told_token(path: str, headers: Mapping[str, str]) -> str:
    """The token that a request tells: as a bearer, as a subprotocol, or in its query."""
    bearer = headers.get('Authorization', '')
    if bearer.startswith(_BEARER):
        return bearer.removeprefix(_BEARER).strip()
    if api_key := headers.get('api-key', ''):  # as Azure's clients tell it
        return api_key.strip()
    for name in offered(headers):
        for prefix in _PREFIXES:
            if name.startswith(prefix):
                return name.removeprefix(prefix)
    return parse_qs(urlsplit(path).query).get('token', [''])[0]


def offered(headers: Mapping[str, str]) -> list[str]:
    """The subprotocols that a request offers."""
    names = headers.get('Sec-WebSocket-Protocol', '').split(',')
    return [name.strip() for name in names if name.strip()]


class Access:
    """Says why a request may not pass; each method gives an empty text where it may.

    `origins` are those of other web sites whose pages may connect, and further names of ours.
    """

    def __init__(self, token: str, origins: Iterable[str] = ()) -> None:
        self._token = token.encode()
        self._origins = {origin.rstrip('/').lower() for origin in origins}
        given = {urlsplit(origin).hostname or '' for origin in self._origins}
        self._names = {'localhost', *_machine_names(), *given}

    def host_problem(self, host: str) -> str:
        """A name that a stranger's DNS leads here (rebinding) is refused."""
        name = _name_of(host)
        if name is None:
            return 'the request names no host'
        try:
            ipaddress.ip_address(name)
        except ValueError:
            if name in self._names:
                return ''
            return f'{name} is no name of this machine: use its address, or list it in origins'
        return ''

    def origin_problem(self, origin: str | None, host: str) -> str:
        """A page of another web site is refused; who is no browser tells no origin."""
        if origin is None:
            return ''
        parts = urlsplit(origin.lower())
        if parts.scheme in ('http', 'https') and parts.netloc == host.lower():
            return ''
        if origin.rstrip('/').lower() in self._origins:
            return ''
        return (
            'pages of other web sites may not connect (the parameter origins lists those that may)'
        )

    def token_problem(self, told: str) -> str:
        """Compared in a time that tells nothing."""
        if not told:
            return 'the token is missing: open the link that was printed, or send it as the API key'
        if hmac.compare_digest(told.encode('utf-8', 'replace'), self._token):
            return ''
        return 'this is not the token of this robot: open the link that was printed'


def _machine_names() -> set[str]:
    name = socket.gethostname().lower()
    short = name.split('.')[0]
    return {name, short, f'{short}.local'} - {''}


def _name_of(host: str) -> str | None:
    try:
        parts = urlsplit(f'//{host}')
        parts.port  # noqa: B018 raises ValueError for one that is none
    except ValueError:
        return None
    return parts.hostname


def is_here(host: str) -> bool:
    """Whether only this machine reaches a server at this address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == 'localhost'
