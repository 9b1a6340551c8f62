"""Lets an ollama server get one of its models, and follows how far it is.

The server goes on by itself where an earlier try has ended. Its API:
https://github.com/ollama/ollama/blob/main/docs/api.md#pull-a-model
"""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlsplit

from kame_ros.fetch.errors import FetchError, NoLine
from kame_ros.fetch.report import FetchReport
from kame_ros.trust.addresses import BadAddress, read_address

_SILENT_S = 120.0
_HERE, _PORT = '127.0.0.1', 11434


def address() -> str:
    """The server that OLLAMA_HOST names, as its own clients read it. Raises FetchError."""
    text = os.environ.get('OLLAMA_HOST', '').strip(' \t"\'').rstrip('/')
    scheme, given, place = text.rpartition('://')
    place = f'{_HERE}{place}' if not place or place.startswith((':', '/')) else place
    url = f'{scheme or "http"}://{place}'
    try:
        found, parts = read_address(url), urlsplit(url)
    except BadAddress as error:
        raise FetchError(f'OLLAMA_HOST: {error}') from error
    port = parts.port or ('' if given else _PORT)
    host = _HERE if found.host == '0.0.0.0' else found.bare
    return f'{found.scheme}://{host}{f":{port}" if port else ""}{parts.path}'


def get(model: str, report: FetchReport, server: str = '') -> None:
    """Asks the server to pull a model; ends when it has it. Raises FetchError."""
    server = server or address()
    request = urllib.request.Request(
        f'{server}/api/pull',
        json.dumps({'model': model, 'stream': True}).encode(),
        {'Content-Type': 'application/json'},
    )
    layer, done = '', False
    try:
        with urllib.request.urlopen(request, timeout=_SILENT_S) as answer:
            for line in answer:
                told = _read(line, server)
                if error := told.get('error'):
                    raise FetchError(f'ollama cannot get {model}: {error}')
                total, digest = int(told.get('total') or 0), str(told.get('digest') or '')
                if digest and total:
                    if digest != layer:
                        if layer:
                            report.end()
                        layer = digest
                        report.begin(f'{model} {digest[-12:]}', total, 0)
                    report.reached(int(told.get('completed') or 0))
                done = done or told.get('status') == 'success'
    except urllib.error.HTTPError as error:
        raise FetchError(f'ollama cannot get {model}: {_reason(error)}') from error
    except OSError as error:
        raise NoLine(
            f'no ollama answers at {server} ({_plain(error)}): install it from ollama.com and run '
            '"ollama serve", or name it in OLLAMA_HOST'
        ) from error
    if layer:
        report.end()
    if not done:
        raise NoLine(f'ollama ended before it had {model}: call it again to go on')


def _plain(error: OSError) -> str:
    reason = getattr(error, 'reason', error)
    return str(getattr(reason, 'strerror', None) or reason)


def _read(line: bytes, server: str) -> dict[str, Any]:
    try:
        told = json.loads(line)
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise FetchError(f'what answers at {server} is not understood: is it ollama?')
    return told


def _reason(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.loads(error.read())['error'])
    except (ValueError, KeyError, TypeError, OSError):
        return f'status {error.code}'
