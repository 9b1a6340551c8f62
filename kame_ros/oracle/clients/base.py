"""What every LLM client does."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from kame_ros import trust
from kame_ros.redact import redact
from kame_ros.well_formed import well_formed

CONTENT_FILTER = 'content_filter'  # why an answer ended that was not to be given
Message = dict[str, str]  # role ('system', 'user', 'assistant') and content


class LlmError(RuntimeError):
    """An LLM that does not answer, with the reason in one sentence, in which no key stands.

    `retryable`: the same server may answer if asked again. `retry_after`: seconds to wait before
    that, as the server demands, or 0.
    """

    def __init__(self, message: str, *, retryable: bool = True, retry_after: float = 0.0) -> None:
        super().__init__(redact(well_formed(message)))
        self.retryable = retryable
        self.retry_after = retry_after


class LlmUnavailable(LlmError):
    """An SDK, key, model or server is missing; the message says how to get it."""

    def __init__(self, message: str) -> None:
        super().__init__(message, retryable=False)


@dataclass(frozen=True)
class Options:
    """How to write an answer; `max_tokens` is a bound that the server keeps."""

    max_tokens: int = 64
    temperature: float = 0.0
    stop: tuple[str, ...] = ()


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

    It goes to `base_url` only if the environment allows that: see kame_ros.trust.
    """

    model: str
    base_url: str = ''
    key_name: str = ''
    kind: str = ''
    connect_s: float = 2.0
    idle_s: float = 15.0  # the longest silence of a server between two pieces
    extra: dict[str, object] = field(default_factory=dict)  # passed on in every request


class LlmClient(Protocol):
    """A connection to one model. All methods run on the one event loop that owns it."""

    slots: int  # how many answers the server writes at once

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


def key_from_environment(config: ClientConfig, what: str) -> str:
    """The key for `base_url`; 'none' for a server that may need none.

    Raises LlmUnavailable where the maker's own server would get none.
    """
    name, url = config.key_name, config.base_url
    if key := trust.key_for(name, url):
        return key
    if trust.is_official(name, url):
        if os.environ.get(name, '').strip():
            raise LlmUnavailable(trust.why_no_key(name, url))
        raise LlmUnavailable(f'{what} needs a key: set the environment variable {name}')
    return 'none'


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
        stream = self.stream(messages, Options(max_tokens=1), Usage())
        try:
            async for piece in stream:
                if piece:
                    break
        finally:
            await stream.aclose()
