"""One error for what many SDKs raise."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kame_ros.oracle.clients.base import ClientConfig, LlmError, LlmUnavailable
from kame_ros.redact import redact

_DENIED = (401, 403)
_LATER = (408, 409, 425, 429)


@contextmanager
def translate(config: ClientConfig) -> Iterator[None]:
    """Turns whatever an SDK raises into an LlmError with a sentence for people.

    The SDKs share httpx's habits: a status code, a response with headers, a cause.
    """
    try:
        yield
    except (LlmError, asyncio.CancelledError, GeneratorExit):
        raise
    except Exception as error:
        raise _as_llm_error(error, config) from error


def _as_llm_error(error: Exception, config: ClientConfig) -> LlmError:
    where = config.base_url or config.model
    status = _status(error)
    short = ' '.join(redact(str(error)).split())[:200]
    if status in _DENIED:
        key = config.key_name or 'the key'
        return LlmUnavailable(f'{where} refuses {key} of the environment ({status}): {short}')
    if status == 404:
        return LlmUnavailable(f"{where} has no model '{config.model}': {short}")
    if status and status not in _LATER and status < 500:
        return LlmError(f'{where} refuses the request ({status}): {short}', retryable=False)
    if status:
        return LlmError(f'{where} answers {status}: {short}', retry_after=_retry_after(error))
    if _is_connection_refused(error):
        return LlmUnavailable(f'no server answers at {where}: is it started?')
    return LlmError(f'{where}: {type(error).__name__}: {short}')


def _status(error: Any) -> int:
    for name in ('status_code', 'code'):
        value = getattr(error, name, None)
        if isinstance(value, int):
            return value
    return 0


def _retry_after(error: Any) -> float:
    response = getattr(error, 'response', None)
    headers = getattr(response, 'headers', None) or {}
    try:
        return max(0.0, float(headers.get('retry-after', 0)))
    except (TypeError, ValueError):
        return 0.0  # a date: rare, and a backoff does as well


def _is_connection_refused(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ConnectionError) or 'ConnectError' in type(error).__name__:
            return True
        error = error.__cause__ or error.__context__
    return False
