"""Loads an SDK, and tells one that is missing from one that is broken or meets a bad proxy."""

from __future__ import annotations

import importlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kame_ros.oracle.llm.clients.base import ClientConfig, LlmUnavailable, missing_sdk
from kame_ros.oracle.llm.clients.errors import retry_after, sent_on, told, web_page
from kame_ros.runtime.faults import RAISED_BY_OTHERS
from kame_ros.trust.proxies import CERTIFICATES, connection_options, proxy_hint
from kame_ros.trust.redact import redact

_PROXIES = ('all_proxy', 'http_proxy', 'https_proxy')
_lock = threading.Lock()


def load_sdk(module: str, package: str) -> Any:
    """The module. Raises LlmUnavailable: not installed, or installed and not to be loaded."""
    with _lock:
        try:
            return importlib.import_module(module)
        except ModuleNotFoundError as error:
            if error.name and f'{module}.'.startswith(f'{error.name}.'):
                raise missing_sdk(package) from error
            raise _broken(package, error) from error
        except RAISED_BY_OTHERS as error:
            if not _has_proxy():
                raise _broken(package, error) from error
        # Ollama's makes a client while it is loaded, which fails at a proxy that httpx cannot use.
        try:
            with _without_proxies():
                return importlib.import_module(module)
        except RAISED_BY_OTHERS as error:
            raise _broken(package, error) from error


@contextmanager
def making_client(url: str) -> Iterator[None]:
    """While an SDK makes its client: what httpx cannot use is an LlmUnavailable."""
    try:
        yield
    except OSError as error:  # of the certificates
        names = ' or '.join(name for name in CERTIFICATES if os.environ.get(name))
        raise LlmUnavailable(f'{url} cannot be reached: {names} cannot be used: {error}') from error
    except (ImportError, ValueError) as error:  # of a proxy
        raise LlmUnavailable(f'{url} cannot be reached: {proxy_hint(error)}') from error


def http_options(config: ClientConfig) -> dict[str, Any]:
    """What an SDK's HTTP client is told.

    An answer that an SDK would call something else, or choke on, is an LlmError: a redirect, a web
    page where a stream should be, an error that is no text.
    """

    async def look(response: Any) -> None:
        if 300 <= response.status_code < 400:
            raise sent_on(config, response.headers)
        if response.status_code < 400:
            if 'html' in response.headers.get('content-type', ''):
                raise web_page(config)
            return
        body = await response.aread()
        try:
            body.decode()
        except UnicodeDecodeError:
            patience = retry_after(response.headers)
            raise told(config, body, response.status_code, patience) from None

    return {**connection_options(config.base_url), 'event_hooks': {'response': [look]}}


def _broken(package: str, error: BaseException) -> LlmUnavailable:
    text = redact(str(error))
    return LlmUnavailable(
        f"the package '{package}' is there and cannot be loaded: {type(error).__name__}: {text}"
    )


def _has_proxy() -> bool:
    return any(os.environ.get(name) for name in _variables())


def _variables() -> list[str]:
    return [name for name in os.environ if name.lower() in _PROXIES]


@contextmanager
def _without_proxies() -> Iterator[None]:
    hidden = {name: os.environ.pop(name) for name in _variables()}
    try:
        yield
    finally:
        os.environ.update(hidden)
