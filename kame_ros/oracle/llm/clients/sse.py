"""Server-sent events, as servers of chat completions write them."""

from __future__ import annotations

import codecs
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

DONE = object()
_LONGEST = 1_000_000  # bytes of one event
_TOO_LONG = 'an event of more than a megabyte'
_SKIPPED = (b'', b'id', b'retry')  # fields that say nothing to us; a comment has no name


@dataclass(frozen=True)
class Odd:
    """What stands in a stream and is no event of JSON: a heartbeat in words, a page, an error."""

    text: str


async def read_events(chunks: AsyncIterator[bytes]) -> AsyncIterator[Any]:
    """The JSON value of each event, and DONE for `[DONE]`; comments and other fields are skipped.

    A field `error:`, as older llama.cpp writes it, and an event of type `error` give
    {'error': its value}. Events that no blank line parts, and bare JSON on one line or many, are
    read too; a line or a value that is neither JSON nor a field is given as an Odd. Raises
    ValueError for JSON that is broken, or too long.
    """
    data: list[bytes] = []
    bare: list[bytes] = []  # lines of JSON without a field
    failed = False  # the event is of type `error`
    async for line in _lines(chunks):
        if bare and line.startswith((b'data:', b'event:')):
            raise _not_json(bare)
        name, colon, _ = line.partition(b':')
        if bare or (not data and line.lstrip()[:1] in (b'{', b'[')):
            bare.append(line)
            if line.rstrip()[-1:] in (b'}', b']') and (value := _whole(bare)) is not None:
                yield value
                bare = []
        elif name == b'data':
            text = _payload(line)
            if data and (value := _whole(data)) is not None:
                yield _error(data) if failed else value
                data, failed = [], False
            data += [text] if text else []
        elif not line:
            if data:
                yield _error(data) if failed else _value(data)
            data, failed = [], False
        elif name == b'error' and colon:
            yield _error([line[6:].strip()])
        elif name == b'event':
            failed = line[6:].strip() == b'error'
        elif name not in _SKIPPED:
            yield Odd(line.decode(errors='replace')[:500])
        if sum(map(len, data)) > _LONGEST or sum(map(len, bare)) > _LONGEST:
            raise ValueError(_TOO_LONG)
    if data:
        yield _error(data) if failed else _value(data)
    if bare:
        raise _not_json(bare)


async def _lines(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The lines, without a mark of byte order before the first; CR, LF or both end one."""
    rest, first, after_cr = bytearray(), True, False
    async for chunk in chunks:
        if after_cr and chunk:
            chunk = chunk.removeprefix(b'\n')
            after_cr = False
        after_cr = after_cr or chunk.endswith(b'\r')
        *lines, last = chunk.replace(b'\r\n', b'\n').replace(b'\r', b'\n').split(b'\n')
        for line in lines:
            whole = bytes(rest + line)
            rest.clear()
            yield whole.removeprefix(codecs.BOM_UTF8) if first else whole
            first = False
        rest += last
        if len(rest) > _LONGEST:
            raise ValueError(_TOO_LONG)
    if rest:
        yield bytes(rest).removeprefix(codecs.BOM_UTF8) if first else bytes(rest)


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
    if value is None or isinstance(value, Odd):
        value = b' '.join(data).decode(errors='replace')[:500]
    return value if isinstance(value, dict) and 'error' in value else {'error': value}


def _value(data: list[bytes]) -> Any:
    if len(data) == 1 and data[0].strip(b'"').upper() == b'[DONE]':
        return DONE
    try:
        return json.loads(b'\n'.join(data).decode(errors='replace'))  # half a character too
    except (ValueError, RecursionError):
        if data[0].lstrip()[:1] not in (b'{', b'['):
            return Odd(b' '.join(data).decode(errors='replace')[:500])
        raise _not_json(data) from None


def _not_json(data: list[bytes]) -> ValueError:
    return ValueError(f'not JSON: {data[0][:80]!r}')
