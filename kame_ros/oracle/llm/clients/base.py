"""What every LLM client does, what it tells of itself, and what it is told.

A client is a class as LlmClient, and a `Kind` in the same file: see kame_ros.oracle.llm.kinds.
"""

from __future__ import annotations

import os
import re
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from kame_ros.text.well_formed import printable
from kame_ros.trust import keys as trust
from kame_ros.trust.redact import redact

CONTENT_FILTER = 'content_filter'  # why an answer ended that was not to be given
Message = dict[str, str]  # role ('system', 'user', 'assistant') and content


class LlmError(RuntimeError):
    """An LLM that does not answer, with the reason in one sentence, in which no key stands.

    `retryable`: the same server may answer if asked again. `retry_after`: seconds to wait before
    that, as the server demands, or 0.
    """

    def __init__(self, message: str, *, retryable: bool = True, retry_after: float = 0.0) -> None:
        super().__init__(redact(printable(message)))
        self.retryable = retryable
        self.retry_after = retry_after


class LlmUnavailable(LlmError):
    """An SDK, key, model or server is missing; the message says how to get it."""

    def __init__(self, message: str) -> None:
        super().__init__(message, retryable=False)


@dataclass(frozen=True)
class Options:
    """How to write an answer; `max_tokens` is a bound that the server keeps."""

    max_tokens: int
    temperature: float


@dataclass
class Usage:
    """Tokens of one answer, filled in while it is streamed; -1 where the server does not say.

    `tokens_in` counts the whole prompt, `cached` the part of it that the server had kept.
    """

    tokens_in: int = -1
    cached: int = -1
    tokens_out: int = -1
    finish: str = ''  # why the server ended, in its own word, such as 'stop' or 'length'
    thought: bool = False  # it wrote a reasoning trace beside the answer


@dataclass(frozen=True)
class ClientConfig:
    """Which model where; the key is read from the environment variable `key_name`.

    It goes to `base_url` only if the environment allows that: see kame_ros.trust.keys. With
    `own_key`, no other key than this one is looked for, wherever the server is.
    """

    model: str
    base_url: str = ''
    key_name: str = ''
    kind: str = ''
    connect_s: float = 2.0
    idle_s: float = 15.0  # the longest silence of a server between two pieces
    extra: dict[str, object] = field(default_factory=dict)  # passed on in every request
    own_key: bool = False


class LlmClient(Protocol):
    """A connection to one model. All methods run on the one event loop that owns it."""

    def stream(
        self, messages: Sequence[Message], options: Options, usage: Usage
    ) -> AsyncGenerator[str, None]:
        """The answer in pieces as they come, reasoning left out where the server marks it.

        An empty piece tells that the prompt is still being read. Closing the generator stops the
        server. Raises LlmError.
        """
        ...

    async def warm_up(self, messages: Sequence[Message]) -> None:
        """Does slow first work: loads the model, reads the beginning of the prompt."""
        ...

    async def aclose(self) -> None:
        """Frees the connection or the model."""
        ...


@dataclass(frozen=True)
class Kind:
    """What a client tells of itself before it is made.

    `client` makes it and may raise LlmUnavailable. `module` is the SDK's, which is imported only
    then, and `package` brings it. `hosts` may be told what the user says, over https, and get the
    key in the environment variable `key`. `address` is asked where nobody names one, and
    `address_variable` is the SDK's own for another. `check` looks quickly whether a model is there
    and raises LlmUnavailable if not.
    """

    client: Callable[[ClientConfig], LlmClient]
    about: str = ''  # for people, such as 'LLMs of an ollama server'
    example: str = 'model'  # a model that it takes
    module: str = ''
    package: str = ''
    key: str = ''
    needs_key: bool = True  # at its own service; only where it has a `key`
    hosts: tuple[str, ...] = ()
    address: str = ''
    address_variable: str = ''
    slots: int = 1  # how many answers its servers usually write at once
    loads: bool = False  # the first question may have to wait until a model is loaded
    in_process: bool = False  # the model is a file, and runs in this process
    context_tokens: int = 0  # that it can read, where that is always the same
    check: Callable[[str], object] | None = None

    def __post_init__(self) -> None:
        if not callable(self.client) or (self.check is not None and not callable(self.check)):
            raise ValueError('client and check are called: they are functions or classes')
        if self.slots < 1 or self.context_tokens < 0:
            raise ValueError('slots is at least 1, and context_tokens at least 0')
        for name in filter(None, (self.key, self.address_variable)):
            if not re.fullmatch('[A-Z][A-Z0-9_]*', name):
                raise ValueError(f'{name!r} is no name of an environment variable')
        if isinstance(self.hosts, str):
            raise ValueError('hosts is a tuple of names')
        for host in self.hosts:
            if not re.fullmatch(r'[a-z0-9]([a-z0-9.-]*[a-z0-9])?', host):
                raise ValueError(f"{host!r} is no host's name, which is in small letters")


def connection(config: ClientConfig, kind: Kind, *endings: str) -> tuple[ClientConfig, str]:
    """The configuration with the address and the variable of the key, and the key or ''.

    `endings` of the address are what the SDK adds itself. Raises LlmUnavailable where the maker's
    own server would get no key.
    """
    given = os.environ.get(kind.address_variable, '').strip()
    url = config.base_url or given or kind.address
    url = (url if not url or '://' in url else f'http://{url}').rstrip('/')
    for ending in endings:
        url = url.removesuffix(ending)
    variable = config.key_name or kind.key
    if not config.own_key:
        variable = trust.variable_for(url, variable)
    key = trust.key_for(variable, url)
    wanted = kind.needs_key or bool(os.environ.get(variable, '').strip())
    if not key and wanted and trust.is_official(variable, url):
        raise LlmUnavailable(f'{url} needs a key: {trust.why_no_key(variable, url)}')
    return replace(config, base_url=url, key_name=variable), key


def is_whole(text: str) -> bool:
    """Whether an answer that ends without a word of its server seems to be complete."""
    return text.rstrip().rstrip('"\')”’*').endswith(('.', '!', '?', '…', '。', '！', '？'))


def missing_sdk(package: str) -> LlmUnavailable:
    """The error for an SDK that is not installed."""
    return LlmUnavailable(f"the package '{package}' is not installed: pip install {package}")


def split_system(messages: Sequence[Message]) -> tuple[str, list[Message]]:
    """The system text, and the turns, for interfaces that take them apart."""
    system = ' '.join(m['content'] for m in messages if m['role'] == 'system')
    return system, [m for m in messages if m['role'] != 'system']


class AsksOneToken:
    """Warms a client up: asked for one token, a server loads its model and reads the prompt."""

    async def warm_up(self: LlmClient, messages: Sequence[Message]) -> None:
        """See LlmClient.warm_up."""
        stream = self.stream(messages, Options(1, 0.0), Usage())
        try:
            async for piece in stream:
                if piece:
                    break
        finally:
            await stream.aclose()
