"""How a server is reached: through the proxy that the environment sets, or without one."""

from __future__ import annotations

import os
import ssl
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from kame_ros.trust.keys import is_loopback
from kame_ros.trust.redact import redact

CERTIFICATES = ('SSL_CERT_FILE', 'SSL_CERT_DIR')
"""Variables of those who sign certificates, as OpenSSL reads them."""

_SHORT = 200  # characters of an error


def connection_options(url: str) -> dict[str, Any]:
    """What an httpx client is told: no proxy for this machine, and no address but the one given.

    A server that sends on to another one would have the key and the conversation go there.
    """
    if not is_loopback(url):
        return {'trust_env': True, 'follow_redirects': False}
    options: dict[str, Any] = {'trust_env': False, 'follow_redirects': False}
    file, folder = (os.environ.get(name, '').strip() for name in CERTIFICATES)
    if urlsplit(url).scheme == 'https' and (file or folder):
        options['verify'] = ssl.create_default_context(cafile=file or None, capath=folder or None)
    return options


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
