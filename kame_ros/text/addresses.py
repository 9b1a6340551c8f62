"""Addresses of the web and of mail, and names of files, as they are said."""

from __future__ import annotations

import re

_URL = re.compile(r'(?:https?|ftp|file)://(?:www\.)?|www\.', re.IGNORECASE)
_EMAIL = re.compile(r'[^@\s]+@[^@\s]+\.[^@\s]+')
_DOMAIN = re.compile(
    r'(?:[a-z0-9](?:[a-z0-9-]{0,40}[a-z0-9])?\.){1,4}'
    r'(?:com|org|net|edu|gov|io|ai|dev|app|de|uk|fr|jp|eu|us|ca|info|tv|me|co|ch|at|nl|it|es|in)'
    r'(?:/[^\s]*)?',
    re.IGNORECASE,
)
# From the root, the home or this folder on: /etc/hosts, ~/.bashrc, ./run.sh.
_PATH = re.compile(
    r'(?:(?:~|\.{1,2})(?:/[\w.@+-]+)+|(?:/[\w.@+-]+){2,}'
    r'|/(?:etc|home|tmp|dev|usr|var|opt|proc))/?'
)
_FILE = re.compile(r'[\w~-]*(?:[./\\][\w~-]+)*\.[a-z][a-z0-9]{0,4}')


def address_of(core: str) -> str:
    """An address or the name of a file as it is said; empty if it is none."""
    if _PATH.fullmatch(core):
        return _path(core)
    if (address := _URL.match(core)) is not None:
        host = re.split(r'[/?#]', core[address.end() :])[0]
        return _dotted(host) or 'a link'
    if '@' in core and _EMAIL.fullmatch(core):
        return _dotted(core.replace('@', ' at '))
    if '.' in core and _DOMAIN.fullmatch(core) and not re.search(r'[a-z]\.[A-Z]', core):
        return _dotted(core.rstrip('/').replace('/', ' slash '))
    if (
        '.' in core
        and _FILE.fullmatch(core)
        and re.search(r'[A-Za-z]', core.split('.')[0][-1:] + '0')
    ):
        name, _, ending = core.rpartition('.')
        if len(name) > 1 and not name.replace('.', '').isdigit() and len(ending) > 1:
            return _dotted(re.sub(r'[/\\]', ' slash ', core.lstrip('~./')))
    return ''


def _path(core: str) -> str:
    names = [_dotted(name) for name in core.strip('/').replace('~', 'tilde').split('/')]
    return ' slash '.join(['', *names] if core[0] == '/' else names).strip()


def _dotted(text: str) -> str:
    said = (
        text.replace('.', ' dot ')
        .replace('+', ' plus ')
        .replace('_', ' underscore ')
        .replace('-', ' dash ')
    )
    said = re.sub(r'[^\w\s]', ' ', said)
    said = re.sub(r'\d{5,}', lambda found: ' '.join(found[0]), said)
    return ' '.join(said.split())
