"""What the process may use: which keys go to which servers, and which files may be read.

It is settled by the environment in which the process starts, and no parameter widens it: whoever
can set a parameter could otherwise have any secret of this machine sent to a server of their own.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

KEY_HOSTS = 'KAME_ROS_KEY_HOSTS'
"""More servers that may get a key: `VARIABLE@HOST`, with `:PORT` if wanted, separated by commas."""
FILE_FOLDERS = 'KAME_ROS_FILES'
"""More folders from which a parameter may name a file, separated as in PATH."""

# variable of the key: the servers of those who gave it
_OFFICIAL = {
    'OPENAI_API_KEY': ('api.openai.com',),
    'ANTHROPIC_API_KEY': ('api.anthropic.com',),
    'GEMINI_API_KEY': ('generativelanguage.googleapis.com',),
    'OLLAMA_API_KEY': ('ollama.com',),
    'OPENROUTER_API_KEY': ('openrouter.ai',),
    'MISTRAL_API_KEY': ('api.mistral.ai',),
    'GROQ_API_KEY': ('api.groq.com',),
    'DEEPSEEK_API_KEY': ('api.deepseek.com',),
    'TOGETHER_API_KEY': ('api.together.xyz',),
    'XAI_API_KEY': ('api.x.ai',),
}
_LARGEST_FILE = 1_000_000  # bytes


def is_loopback(url: str) -> bool:
    """Whether the address is one of this machine."""
    host = urlsplit(url).hostname or ''
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
    fitting = [v for v in (default, *_OFFICIAL, *allowed) if _may_get(v, url)]
    given = [v for v in fitting if os.environ.get(v, '').strip()]
    return (given or fitting or [default])[0]


def is_official(variable: str, url: str) -> bool:
    """Whether the server belongs to those who gave the key of this variable."""
    return (urlsplit(url).hostname or '').lower() in _OFFICIAL.get(variable, ())


def key_for(variable: str, url: str) -> str:
    """The key in the environment variable, if this server may get it; else an empty text."""
    return '' if why_no_key(variable, url) else os.environ.get(variable, '').strip()


def why_no_key(variable: str, url: str) -> str:
    """Why the server gets no key, and what to do, in a sentence; empty if it gets one."""
    if not os.environ.get(variable, '').strip():
        return f'the environment variable {variable} is not set'
    host = urlsplit(url).netloc.rpartition('@')[2] or url
    if not _may_get(variable, url):
        return (
            f'{variable} is not sent to {host}, as the environment does not say that it may be: '
            f'start with {KEY_HOSTS}={variable}@{host}'
        )
    if urlsplit(url).scheme != 'https' and not is_loopback(url):
        return f'{variable} is not sent to {host} in clear: use https'
    return ''


def proxy_for(url: str) -> str:
    """The variable and address of the proxy that the environment sets for this server; or ''.

    Servers of this machine are never reached through a proxy.
    """
    if is_loopback(url):
        return ''
    parts = urlsplit(url)
    if proxy_bypass(parts.hostname or ''):
        return ''
    proxies = getproxies()
    for scheme in (parts.scheme, 'all'):
        if proxies.get(scheme):
            address = urlsplit(proxies[scheme])
            where = f'{address.scheme}://{address.hostname or ""}'
            return f'{where}:{address.port}' if address.port else where
    return ''


def read_text(path: str, named_at_start: Iterable[str] = ()) -> str:
    """The text of a file that a parameter names.

    It lies in the package's configuration or in a folder of KAME_ROS_FILES, or was named when the
    process started. Raises PermissionError before anything is read, OSError, ValueError.
    """
    file = Path(path).expanduser().resolve()
    named = [Path(name).expanduser().resolve() for name in named_at_start if name]
    if file not in named and not any(file.is_relative_to(folder) for folder in _folders()):
        raise PermissionError(
            f'{path} may not be read: name it when the process starts, or start with '
            f'{FILE_FOLDERS}={file.parent}'
        )
    if not file.exists():
        raise FileNotFoundError(f'there is no file {path}')
    if not file.is_file() or file.stat().st_size > _LARGEST_FILE:
        raise ValueError(f'{path} is no text file of at most {_LARGEST_FILE // 1000} kB')
    try:
        return file.read_text(encoding='utf-8')
    except UnicodeDecodeError as error:
        raise ValueError(f'{path} is not UTF-8: {error}') from error


def _folders() -> list[Path]:
    from kame_ros.graph import BadConfig, config_folder

    folders = [Path(f).expanduser() for f in os.environ.get(FILE_FOLDERS, '').split(os.pathsep) if f]
    try:
        folders.append(config_folder())
    except BadConfig:
        pass
    return [folder.resolve() for folder in folders]


def _allowed() -> list[tuple[str, str]]:
    """Pairs of a variable and a host, with or without a port, as the environment gives them."""
    entries = os.environ.get(KEY_HOSTS, '').replace(',', ' ').split()
    pairs = [entry.rpartition('@') for entry in entries]
    allowed = [(variable, place.lower()) for variable, at, place in pairs if at and variable]
    for kind in ('OPENAI', 'ANTHROPIC'):  # the SDKs' own variables for another server
        if url := os.environ.get(f'{kind}_BASE_URL', ''):
            allowed.append((f'{kind}_API_KEY', urlsplit(url).netloc.lower()))
    return allowed


def _may_get(variable: str, url: str) -> bool:
    host = (urlsplit(url).hostname or '').lower()
    if host in _OFFICIAL.get(variable, ()):
        return True
    return any(v == variable and _is_at(place, url) for v, place in _allowed())


def _is_at(place: str, url: str) -> bool:
    """Whether `place`, a host with or without a port, is where the address leads."""
    parts = urlsplit(url)
    host = (parts.hostname or '').lower()
    try:
        port = parts.port or (443 if parts.scheme == 'https' else 80)
    except ValueError:
        return False
    if ':' in host:
        host = f'[{host}]'
    return place in (host, f'{host}:{port}')
