"""Server-sent events, as servers of chat completions write them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

DONE = object()
_LONGEST = 1_000_000  # bytes of one event


async def read_events(chunks: AsyncIterator[bytes]) -> AsyncIterator[Any]:
    """The JSON value of each event, and DONE for `[DONE]`; comments and other fields are skipped.

    A field `error:`, as older llama.cpp writes it, gives {'error': its value}.
    Lines end with a line feed only: JSON may hold other line separators as they are. Raises
    ValueError for what is not JSON, or too long.
    """
    rest = b''
    data: list[bytes] = []
    async for chunk in chunks:
        *lines, rest = (rest + chunk).split(b'\n')
        if len(rest) + sum(map(len, data)) > _LONGEST:
            raise ValueError('an event of more than a megabyte')
        for line in lines:
            line = line.rstrip(b'\r')
            if line.startswith(b'data:'):
                data.append(line[5:].strip())
            elif line.startswith(b'error:'):
                yield {'error': _value([line[6:].strip()])}
            elif not line and data:
                yield _value(data)
                data = []
    if rest.startswith(b'data:'):
        data.append(rest[5:].strip())
    if data:
        yield _value(data)


def _value(data: list[bytes]) -> Any:
    if data == [b'[DONE]']:
        return DONE
    try:
        return json.loads(b'\n'.join(data))
    except (ValueError, RecursionError):
        if len(data) == 1:
            raise ValueError(f'not JSON: {data[0][:80]!r}') from None
    return [_value([line]) for line in data][-1]  # events that a server does not part by a blank
