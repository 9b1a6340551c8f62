"""How a server is reached: through the proxy that the environment sets, or without one."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from kame_ros.redact import redact
from kame_ros.trust import is_loopback

_SHORT = 200  # characters of an error


def connection_options(url: str) -> dict[str, Any]:
    """What an httpx client is told: no proxy for this machine, and no address but the one given.

    A server that sends on to another one would have the key and the conversation go there.
    """
    return {'trust_env': not is_loopback(url), 'follow_redirects': False}


def proxy_for(url: str) -> str:
    """The address of the proxy that the environment sets for this server; or an empty text.

    Servers of this machine are never reached through a proxy.
    """
    parts = urlsplit(url)
    if is_loopback(url) or proxy_bypass(parts.hostname or ''):
        return ''
    proxies = getproxies()
    for scheme in (parts.scheme, 'all'):
        if proxies.get(scheme):
            address = urlsplit(proxies[scheme])
            where = f'{address.scheme}://{address.hostname or ""}'
            return f'{where}:{address.port}' if address.port else where
    return ''


def proxy_hint(error: Exception) -> str:
    """What to do about a proxy that cannot be used."""
    return (
        f'the proxy of the environment (ALL_PROXY, HTTP_PROXY, HTTPS_PROXY) cannot be used '
        f'({redact(str(error))[:_SHORT]}). Add the host to NO_PROXY, unset the variable, or '
        f"pip install 'httpx[socks]' 'httpx2[socks]'"
    )
