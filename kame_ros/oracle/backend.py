"""Which LLM answers, in one line: kind, model and where it runs."""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from kame_ros.oracle.clients.base import ClientConfig, LlmClient, LlmUnavailable, missing_sdk
from kame_ros.trust import why_not_allowed

# kind: (module of the SDK, package that brings it, variable of the key, answers at once)
_KINDS = {
    'embedded': ('xllamacpp', 'xllamacpp', '', 1),
    'ollama': ('ollama', 'ollama', '', 1),
    'openai': ('openai', 'openai', 'OPENAI_API_KEY', 4),
    'anthropic': ('anthropic', 'anthropic', 'ANTHROPIC_API_KEY', 4),
    'gemini': ('google.genai', 'google-genai', 'GEMINI_API_KEY', 4),
}
KINDS = tuple(_KINDS)
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
    max_tokens: int = 64
    temperature: float = 0.0
    slots: int = 0
    thinks: bool = False
    price_in: float = 0.0
    price_cached: float | None = None  # as price_in, if None
    price_out: float = 0.0
    extra: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind not in _KINDS:
            raise ValueError(f"no back-end is called '{self.kind}': one of {', '.join(KINDS)}")
        if not self.model:
            raise ValueError(f"the back-end '{self.kind}' needs a model: {self.kind}:<model>")
        _check_address(self.base_url)
        if self.max_tokens < 1:
            raise ValueError('max_tokens is at least 1')

    @property
    def name(self) -> str:
        """Its short form, as `parse_backend` reads it."""
        return f'{self.kind}:{self.model}' + (f'@{self.base_url}' if self.base_url else '')

    @property
    def client_config(self) -> ClientConfig:
        """What its client is made from."""
        return ClientConfig(
            self.model, self.base_url, self.key_name, self.kind, extra=dict(self.extra)
        )

    @property
    def connection(self) -> tuple[str, str, str, str, str]:
        """What tells its client from others: back-ends with the same one share it."""
        return self.kind, self.model, self.base_url, self.key_name, repr(sorted(self.extra.items()))

    @property
    def loads(self) -> bool:
        """Whether the first question to it may have to wait for a model to be loaded."""
        return self.kind in ('embedded', 'ollama')

    @property
    def parallel(self) -> int:
        """How many answers it writes at once."""
        return self.slots or _KINDS[self.kind][3]

    def check(self) -> None:
        """Raises LlmUnavailable if its SDK, key or model file is missing; quick, asks no server."""
        module, package, key, _ = _KINDS[self.kind]
        try:
            found = importlib.util.find_spec(module)
        except ModuleNotFoundError:
            found = None
        if found is None:
            raise missing_sdk(package)
        name = self.key_name or key
        # Another server than the maker's says if it needs one.
        if name and not self.base_url and not os.environ.get(name, '').strip():
            raise LlmUnavailable(f'{self.name} needs a key: set the environment variable {name}')
        if self.key_name and self.base_url and (why := why_not_allowed(name, self.base_url)):
            raise LlmUnavailable(why)
        if self.kind == 'embedded':
            from kame_ros.oracle.clients.embedded import find_gguf

            find_gguf(self.model)

    def connect(self) -> LlmClient:
        """A client; imports the SDK, which may take seconds. Raises LlmUnavailable."""
        self.check()
        config = self.client_config
        match self.kind:
            case 'embedded':
                from kame_ros.oracle.clients.embedded import EmbeddedClient

                return EmbeddedClient(config)
            case 'ollama':
                from kame_ros.oracle.clients.ollama_api import OllamaClient

                return OllamaClient(config)
            case 'openai':
                from kame_ros.oracle.clients.openai_api import OpenAiClient

                return OpenAiClient(config)
            case 'anthropic':
                from kame_ros.oracle.clients.anthropic_api import AnthropicClient

                return AnthropicClient(config)
        from kame_ros.oracle.clients.gemini_api import GeminiClient

        return GeminiClient(config)


def parse_backend(text: str, **settings: object) -> Backend:
    """Reads `kind:model` or `kind:model@base_url`, such as `ollama:llama3.2@http://10.0.0.2:11434`.

    `settings` are other fields of Backend. Raises ValueError.
    """
    kind, _, rest = text.strip().partition(':')
    model, _, url = rest.partition('@http')
    _, at, address = model.rpartition('@')
    if at and _ADDRESS.match(address):  # else it belongs to the name, as in model@20250101
        raise ValueError(f"an address begins with http:// or https://, not with '{address}'")
    backend = Backend(kind, model, base_url=f'http{url}' if url else '')
    return replace(backend, **settings)  # type: ignore[arg-type]


def _check_address(url: str) -> None:
    if not url:
        return
    parts = urlsplit(url)
    if parts.scheme not in ('http', 'https') or not parts.hostname:
        raise ValueError(f"'{url}' is no address: http://HOST:PORT, with a path where it needs one")
    if parts.username or parts.password or parts.query:
        raise ValueError('an address holds no key or password: keys come from the environment')
