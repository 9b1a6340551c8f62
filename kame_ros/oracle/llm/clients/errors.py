"""One error for what many SDKs and servers say, sorted by what can be done about it."""

from __future__ import annotations

import asyncio
import json
import math
import re
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import Any

from kame_ros.oracle.llm.clients.base import ClientConfig, LlmError, LlmUnavailable
from kame_ros.text.well_formed import printable
from kame_ros.trust import keys as trust
from kame_ros.trust.proxies import proxy_for, proxy_hint
from kame_ros.trust.redact import redact

LONGEST_PATIENCE_S = 60.0
"""The longest wait that a server may demand: after that it is asked again, whatever it said."""
_SHORT = 200  # characters of what a server says

# What servers say, by what it means; the first that fits counts. Types and codes are written in
# many ways, so the marks between their words are ignored.
_MEANINGS = {
    'context': r'context.?(length|size|window)|maximum.?context|too.?many.?(input.?)?tokens|'
    r'prompt.?is.?too.?long|exceeds?.{0,40}(context|input.?tokens)|input.?(length|is.?too.?long)',
    'quota': r'insufficient.?(quota|balance|credit)|billing|exceeded.?your.?current.?quota|'
    r'credit.?balance|out.?of.?credits',
    'auth': r'invalid.?api.?key|incorrect.?api.?key|authentication|unauthenticated|unauthorized|'
    r'permission.?(denied|error)|invalid.?x.?api.?key|api.?key.?(not.?valid|invalid|missing)',
    'address': r'unexpected.?endpoint|unknown.?(endpoint|path|url)|no.?route|cannot.?(post|get).?/',
    'busy': r'overloaded|rate.?limit|too.?many.?requests|resource.?exhausted|unavailable|'
    r'try.?again|capacity|busy|timed?.?out|loading.?model|deadline|internal|server.?error|'
    r'api.?error|bad.?gateway|unexpected.?eof|runner.?process|connection|upstream',
    'model': r'model.{0,80}(not.?found|does.?not.?exist|not.?exist|unknown|not.?supported|'
    r'not.?available|not.?loaded)|not.?found.{0,20}model|no.?(such.?)?models?\b|unknown.?model|'
    r'try.?pulling|not.?a.?valid.?model',
    'filter': r'content.?(filter|policy|management)|safety|moderation',
    'request': r'invalid.?request|invalid.?argument|bad.?request|unprocessable|validation',
}
_BY_MEANING = {name: re.compile(pattern, re.IGNORECASE) for name, pattern in _MEANINGS.items()}
_BY_STATUS = {401: 'auth', 402: 'quota', 403: 'auth'}
_BROKEN_OFF = (ConnectionResetError, ConnectionAbortedError, BrokenPipeError)
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


def told(config: ClientConfig, said: Any, status: int = 0, patience: float = 0.0) -> LlmError:
    """What a server says is wrong, with an HTTP status or inside of a stream."""
    text, mark, code = read_error(said)
    if not 400 <= status < 600:
        status = code
    meaning = _meaning(status, mark, text)
    where, short = _where(config), ' '.join(redact(text).split())[:_SHORT]
    number = f' ({status})' if status else ''
    match meaning:
        case 'auth':
            return LlmUnavailable(f'{where} refuses {_key(config)}{number}: {short}')
        case 'quota':
            return LlmUnavailable(f'{where} wants to be paid: {short}')
        case 'model':
            return LlmUnavailable(f"{where} has no model '{config.model}'{_get(config)}: {short}")
        case 'address':
            return LlmUnavailable(
                f'{where} has nothing at this path{number}: is the address complete? Those of '
                f'compatible servers end with /v1. It says: {short}'
            )
        case 'context':
            return LlmError(
                f'the prompt is too long for the context of {config.model} at {where}: lower '
                f'history_tokens, or serve it with a longer context. It says: {short}',
                retryable=False,
            )
        case 'filter':
            return LlmError(f'the content filter of {where} stopped it: {short}', retryable=False)
        case 'request':
            return LlmError(f'{where} refuses the request{number}: {short}', retryable=False)
    wait = patience if status in (0, *_LATER) or status >= 500 else 0.0
    return LlmError(f'{where} answers{number or " with an error"}: {short}', retry_after=wait)


def read_error(said: Any) -> tuple[str, str, int]:
    """The text of an error as any server writes it, its type and code, and its status or 0."""
    if isinstance(said, (bytes, str)):
        text = said.decode('utf-8', 'replace') if isinstance(said, bytes) else said
        try:
            parsed = json.loads(text)
        except (ValueError, RecursionError):
            return text, '', 0
        return read_error(parsed) if isinstance(parsed, (dict, list)) else (text, '', 0)
    if isinstance(said, list):
        if said and isinstance(said[0], Mapping):
            return read_error(said[0])
        return json.dumps(said, default=str), '', 0
    if not isinstance(said, Mapping):
        return str(said), '', 0
    inner = said.get('error')
    if isinstance(inner, (Mapping, list)) or (isinstance(inner, str) and 'message' not in said):
        text, mark, code = read_error(inner)
        more = said if not mark and inner is not said else {}
        return text, mark or _marks(more), code or _number(said)
    text = said.get('message') or said.get('detail') or said.get('msg') or ''
    if not isinstance(text, str) or not text:
        text = json.dumps(text or dict(said), default=str)
    return text, _marks(said), _number(said)


def retry_after(headers: Any, now: float | None = None) -> float:
    """How long a server wants to be left alone, in seconds, bounded; 0 if it does not say.

    A date is counted from the server's own, where it tells one, else from `now` (s since 1970).
    """
    headers = headers or {}
    for name, unit in (('retry-after-ms', 0.001), ('retry-after', 1.0)):
        value = headers.get(name, '')
        try:
            wait = float(value) * unit
        except (TypeError, ValueError):
            until = _date(value)
            if until is None:
                continue
            wait = until - (_date(headers.get('date')) or (time.time() if now is None else now))
        if not math.isnan(wait):
            return min(max(0.0, wait), LONGEST_PATIENCE_S)
    return 0.0


def _date(text: Any) -> float | None:
    """Seconds since 1970 of a date as HTTP writes it."""
    try:
        return parsedate_to_datetime(text).timestamp()
    except (TypeError, ValueError, IndexError, OverflowError):
        return None


def is_page(text: str) -> bool:
    """Whether a body begins as a web page does."""
    return bool(re.match(r'\s*<(!doctype|html|head|\?xml|!--)', text, re.IGNORECASE))


def web_page(config: ClientConfig) -> LlmUnavailable:
    """A page for people where an answer should be."""
    return LlmUnavailable(
        f'{_where(config)} answers with a web page: is the address complete (those of compatible '
        f'servers end with /v1), or does a proxy on the way want a login?'
    )


def sent_on(config: ClientConfig, headers: Any) -> LlmUnavailable:
    """A redirect, which is not followed: another server would get what the user says."""
    to = ' '.join(printable((headers or {}).get('location', '')).split())[:_SHORT]
    return LlmUnavailable(
        f'{_where(config)} sends on to {to or "another address"}: use that address'
    )


def unreachable(config: ClientConfig, why: str = '') -> LlmUnavailable:
    """No connection to the server: it is not there, or a proxy is in the way."""
    where = _where(config)
    if proxy := proxy_for(config.base_url):
        return LlmUnavailable(
            f'no server answers at {where} through the proxy {proxy} of the environment: if it '
            f'needs none, add its host to NO_PROXY'
        )
    return LlmUnavailable(f'no server answers at {where}: is it started?' + (why and f' ({why})'))


def _as_llm_error(error: Exception, config: ClientConfig) -> LlmError:
    response = getattr(error, 'response', None)
    status = _status(error)
    if ours := next((each for each in _chain(error) if isinstance(each, LlmError)), None):
        return ours  # of http_options, wrapped by an SDK
    if 300 <= status < 400:
        return sent_on(config, getattr(response, 'headers', None))
    body = getattr(error, 'body', None) or getattr(error, 'details', None)
    said_by_server = status or body is not None or _is_response_error(error)
    if said_by_server:
        patience = retry_after(getattr(response, 'headers', None))
        return told(config, body if body is not None else str(error), status, patience)
    if isinstance(error, ImportError) or 'proxy' in type(error).__name__.lower():
        return LlmUnavailable(f'{_where(config)} cannot be reached: {proxy_hint(error)}')
    if why := _tls_fault(error):
        return LlmUnavailable(f'{_where(config)} {why}')
    if any(isinstance(each, _BROKEN_OFF) for each in _chain(error)):
        return LlmError(f'the connection to {_where(config)} broke off')
    if _is_connection_refused(error):
        return unreachable(config, _no_host(error))
    short = ' '.join(redact(str(error)).split())[:_SHORT]
    return LlmError(f'{_where(config)}: {type(error).__name__}: {short}')


def _meaning(status: int, mark: str, text: str) -> str:
    found = [name for name, what in _BY_MEANING.items() if what.search(mark)]
    found += [name for name, what in _BY_MEANING.items() if what.search(text)]
    if status in _BY_STATUS:
        return 'filter' if status == 403 and 'filter' in found else _BY_STATUS[status]
    if status == 404:
        return 'model' if 'model' in found or re.search('model', text, re.I) else 'address'
    for final in ('context', 'quota', 'auth'):
        if final in found:
            return final
    if status in _LATER or status >= 500:
        return 'busy'
    if status in (400, 413, 422):
        rest = [name for name in found if name in ('model', 'filter')]
        return rest[0] if rest else 'request'
    if 400 <= status < 500:
        return 'address' if status == 405 else 'request'
    return found[0] if found else 'busy'


def _marks(said: Mapping[str, Any]) -> str:
    return ' '.join(str(said[k]) for k in ('type', 'code', 'status') if said.get(k))


def _number(said: Mapping[str, Any]) -> int:
    for name in ('code', 'status', 'status_code'):
        value = said.get(name)
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) == 3:
            value = int(value)
        if isinstance(value, int) and 400 <= value < 600:
            return value
    return 0


def _where(config: ClientConfig) -> str:
    return config.base_url or config.model


def _key(config: ClientConfig) -> str:
    why = trust.why_no_key(config.key_name, config.base_url) if config.key_name else ''
    if why:
        return f'a request without a key ({why})'
    return f'the key {config.key_name}' if config.key_name else 'the key'


def _get(config: ClientConfig) -> str:
    ollama = config.kind == 'ollama' or ':11434' in config.base_url
    return f' (ollama pull {config.model})' if ollama else ''


def _status(error: Any) -> int:
    for name in ('status_code', 'code'):
        value = getattr(error, name, None)
        if isinstance(value, int) and 300 <= value < 600:
            return value
    return 0


def _is_response_error(error: Any) -> bool:
    """Ollama's way to tell of an error inside of a stream: no status, and the text alone."""
    return type(error).__name__ == 'ResponseError'


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _tls_fault(error: Exception) -> str:
    """What is wrong with the encryption of a connection, and what to do; or an empty text."""
    said = ' '.join(str(each) for each in _chain(error))
    if 'CERTIFICATE_VERIFY_FAILED' in said:
        why = said.partition('certificate verify failed:')[2].partition('(')[0].strip()
        return (
            f'shows a certificate that this machine does not trust ({why}): name the file of '
            f'who signed it in the environment variable SSL_CERT_FILE'
        )
    if re.search(r'WRONG_VERSION_NUMBER|RECORD_LAYER_FAILURE|UNKNOWN_PROTOCOL', said):
        return 'speaks no https: does its address begin with http://?'
    return ''


def _no_host(error: Exception) -> str:
    """Says so if the name of the server is not known."""
    unknown = any(isinstance(each, socket.gaierror) for each in _chain(error))
    return 'no address is known for its name' if unknown else ''


def _is_connection_refused(error: Exception) -> bool:
    return any(
        isinstance(each, ConnectionError) or 'ConnectError' in type(each).__name__
        for each in _chain(error)
    )
