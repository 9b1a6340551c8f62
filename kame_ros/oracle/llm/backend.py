"""Which LLM answers, in one line: kind, model and where it runs."""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from kame_ros.oracle.llm import kinds
from kame_ros.oracle.llm.clients.base import (
    ClientConfig,
    Kind,
    LlmClient,
    LlmUnavailable,
    missing_sdk,
)
from kame_ros.settings.param import setting
from kame_ros.trust.addresses import read_address
from kame_ros.trust.keys import why_not_allowed

_METHODS = ('stream', 'warm_up', 'aclose')
_ADDRESS = re.compile(r'(localhost|[\w.-]+:\d+|\d+\.\d+\.\d+\.\d+)(/|$)')


@dataclass(frozen=True)
class Backend:
    """An LLM: what serves it, which model, and how it is asked.

    Prices are per million tokens, in any one currency. `slots` bounds the answers written at once
    (0: what servers of this kind do). `thinks` says that answers begin inside a reasoning trace.
    """

    kind: str
    model: str
    base_url: str = ''
    key_name: str = ''  # environment variable of the key
    max_tokens: int = setting(64, 'The bound that the server keeps.', low=1, high=4096)
    temperature: float = setting(
        0.0,
        'How freely the LLM chooses its words; anthropic is not told, as newer models refuse it.',
        low=0.0,
        high=2.0,
    )
    slots: int = 0
    thinks: bool = False
    price_in: float = 0.0
    price_cached: float | None = None  # as price_in, if None
    price_out: float = 0.0
    extra: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        try:
            kinds.find(self.kind)
        except ValueError as error:
            given = ':'.join(filter(None, (self.kind, self.model)))[:100]
            raise ValueError(
                f"the back-end '{given}' cannot be used: {error} (kind:model)"
            ) from error
        if not self.model:
            raise ValueError(f"the back-end '{self.kind}' needs a model: {self.kind}:<model>")
        if self.base_url:
            read_address(self.base_url)
        if self.max_tokens < 1:
            raise ValueError('max_tokens is at least 1')

    @property
    def name(self) -> str:
        """Its short form, as `parse_backend` reads it."""
        return f'{self.kind}:{self.model}' + (f'@{self.base_url}' if self.base_url else '')

    @property
    def client_config(self) -> ClientConfig:
        """What its client is made from."""
        own = not kinds.is_ours(self.kind)
        key_name = self.key_name or (self.about.key if own else '')
        extra = dict(self.extra)
        return ClientConfig(
            self.model, self.base_url, key_name, self.kind, extra=extra, own_key=own
        )

    @property
    def connection(self) -> tuple[str, str, str, str, str]:
        """What tells its client from others: back-ends with the same one share it."""
        return self.kind, self.model, self.base_url, self.key_name, repr(sorted(self.extra.items()))

    @property
    def about(self) -> Kind:
        """What its client tells of itself."""
        return kinds.find(self.kind)

    @property
    def parallel(self) -> int:
        """How many answers it writes at once."""
        return self.slots or self.about.slots

    def check(self) -> None:
        """Raises LlmUnavailable if its SDK, key or model file is missing; quick, asks no server."""
        kind = self.about
        if kind.module and not _is_installed(kind.module):
            raise missing_sdk(kind.package or kind.module)
        if self.key_name and not kinds.is_ours(self.kind) and self.key_name != kind.key:
            own = f'it is told of no key but {kind.key}' if kind.key else 'it is told of no key'
            raise LlmUnavailable(f'{self.name} is of another package: {own}')
        name = self.key_name or (kind.key if kind.needs_key else '')
        # Another server than the maker's says if it needs one.
        address = self.base_url or os.environ.get(kind.address_variable, '').strip()
        if name and not address and not os.environ.get(name, '').strip():
            raise LlmUnavailable(f'{self.name} needs a key: set the environment variable {name}')
        if self.key_name and self.base_url and (why := why_not_allowed(name, self.base_url)):
            raise LlmUnavailable(why)
        if kind.check:
            kind.check(self.model)

    def connect(self) -> LlmClient:
        """A client; imports the SDK, which may take seconds. Raises LlmUnavailable."""
        self.check()
        client = self.about.client(self.client_config)
        lacking = [n for n in _METHODS if not callable(getattr(client, n, None))]
        if lacking:
            raise LlmUnavailable(f'the client of {self.name} has no {", ".join(lacking)}')
        return client


def _is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ModuleNotFoundError, ValueError):
        return False


def parse_backend(text: str, **settings: object) -> Backend:
    """Reads `kind:model` or `kind:model@base_url`, such as `ollama:llama3.2@http://10.0.0.2:11434`.

    `settings` are other fields of Backend. Raises ValueError.
    """
    kind, _, rest = text.strip().partition(':')
    model, _, url = rest.partition('@http')
    _, at, address = model.rpartition('@')
    # Else it belongs to the name, as in model@20250101.
    if at and ('://' in address or _ADDRESS.match(address)):
        raise ValueError(f"an address begins with http:// or https://, not with '{address}'")
    backend = Backend(kind, model, base_url=f'http{url}' if url else '')
    return replace(backend, **settings)  # type: ignore[arg-type]
