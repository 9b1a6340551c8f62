"""Server-sent events, as servers of chat completions write them."""

from __future__ import annotations

import codecs
import json
from collections.abc import AsyncIterator
from typing import Any

DONE = object()
_LONGEST = 1_000_000  # bytes of one event


async def read_events(chunks: AsyncIterator[bytes]) -> AsyncIterator[Any]:
    """The JSON value of each event, and DONE for `[DONE]`; comments and other fields are skipped.

    A field `error:`, as older llama.cpp writes it, and an event of type `error` give
    {'error': its value}. Events that no blank line parts, and lines of bare JSON, are read too.
    Lines end with a line feed only: JSON may hold other line separators as they are. Raises
    ValueError for what is not JSON, or too long.
    """
    data: list[bytes] = []
    failed = False  # the event is of type `error`
    async for line in _lines(chunks):
        if line.startswith(b'data:'):
            text = _payload(line)
            if data and (value := _whole(data)) is not None:
                yield _error(data) if failed else value
                data, failed = [], False
            data += [text] if text else []
        elif line.startswith(b'error:'):
            yield {'error': _value([line[6:].strip()])}
        elif line.startswith(b'event:'):
            failed = line[6:].strip() == b'error'
        elif line.startswith(b'{') and not data:
            yield _value([line])
        elif not line:
            if data:
                yield _error(data) if failed else _value(data)
            data, failed = [], False
        if sum(map(len, data)) > _LONGEST:
            raise ValueError('an event of more than a megabyte')
    if data:
        yield _error(data) if failed else _value(data)


async def _lines(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The lines, without a mark of byte order before the first."""
    rest = b''
    first = True
    async for chunk in chunks:
        *lines, rest = (rest + chunk).split(b'\n')
        if len(rest) > _LONGEST:
            raise ValueError('an event of more than a megabyte')
        for line in lines:
            yield line.rstrip(b'\r').removeprefix(codecs.BOM_UTF8 if first else b'')
            first = False
    if rest:
        yield rest.rstrip(b'\r').removeprefix(codecs.BOM_UTF8 if first else b'')


def _payload(line: bytes) -> bytes:
    """What a line carries; some relays put `data:` before it twice."""
    text = line[5:].strip()
    return text[5:].strip() if text.startswith(b'data:') else text


def _whole(data: list[bytes]) -> Any:
    """The value of the lines if they are whole, or None."""
    try:
        return _value(data)
    except ValueError:
        return None


def _error(data: list[bytes]) -> dict[str, Any]:
    """An error that a server tells, as JSON or as plain text."""
    value = _whole(data)
    if value is None:
        value = b' '.join(data).decode(errors='replace')[:500]
    return value if isinstance(value, dict) and 'error' in value else {'error': value}


def _value(data: list[bytes]) -> Any:
    if len(data) == 1 and data[0].strip(b'"').upper() == b'[DONE]':
        return DONE
    try:
        return json.loads(b'\n'.join(data))
    except (ValueError, RecursionError):
        raise ValueError(f'not JSON: {data[0][:80]!r}') from None
