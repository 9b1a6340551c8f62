"""llama.cpp inside this process: an LLM without any server."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncGenerator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from kame_ros.oracle.llm.clients.base import (
    AsksOneToken,
    ClientConfig,
    Kind,
    LlmError,
    LlmUnavailable,
    Message,
    Options,
    Usage,
    missing_sdk,
)

CONTEXT_TOKENS = 2048
_BATCH = 64  # tokens read between two looks at the stop flag: ~0.25 s of one slow core
# Where the prompt loses a part (a fact that is now told at the end, the oldest turns), runs of so
# many tokens behind it are kept and moved instead of being read anew: 1 s instead of 7 for 350
# tokens of facts on a slow core. What was read of them had the lost part before it.
_KEPT = 16
_END = object()
_MAGIC = b'GGUF'  # of llama.cpp's model files


class EmbeddedClient(AsksOneToken):
    """A GGUF model run by xllamacpp with one thread, one answer at a time.

    `config.model` is the path of a .gguf file, or the name of one in `runtime.weights`. One worker
    thread owns the model; a callback looks at a stop flag at every token, and every 64 tokens of
    the prompt, so a closed stream stops at once and the next one starts on the same cache.
    """

    def __init__(self, config: ClientConfig) -> None:
        self._path = find_gguf(config.model)
        self._server: Any = None
        self._owner = ThreadPoolExecutor(1, thread_name_prefix='llama')

    async def stream(
        self, messages: Sequence[Message], options: Options, usage: Usage
    ) -> AsyncGenerator[str, None]:
        """See LlmClient.stream."""
        loop = asyncio.get_running_loop()
        pieces: asyncio.Queue[Any] = asyncio.Queue()  # bounded by max_tokens
        stop = False

        def on_chunk(chunk: dict[str, Any]) -> bool:
            loop.call_soon_threadsafe(pieces.put_nowait, chunk)
            return stop

        def work() -> None:
            try:
                if not stop:
                    self._load().handle_chat_completions(_request(messages, options), on_chunk)
                result: object = _END
            except Exception as error:  # the C++ side throws whatever it likes
                result = error if isinstance(error, LlmError) else LlmError(f'llama.cpp: {error}')
            loop.call_soon_threadsafe(pieces.put_nowait, result)

        running = loop.run_in_executor(self._owner, work)
        try:
            while (chunk := await pieces.get()) is not _END:
                if isinstance(chunk, LlmError):
                    raise chunk
                text = _text(chunk, usage)
                if text or chunk.get('prompt_progress'):
                    yield text
        finally:
            stop = True
            await running

    async def aclose(self) -> None:
        """Frees the model; waits for its thread."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._owner, self._free)
        self._owner.shutdown()

    def _load(self) -> Any:
        if self._server is None:
            self._server = load_server(self._path)
        return self._server

    def _free(self) -> None:
        self._server = None


def load_server(path: Path, key: str = '') -> Any:
    """A running xllamacpp.Server. It also listens on a random port of 127.0.0.1.

    `key` guards that port; a random one, which no one knows, is made up if it is empty.
    """
    try:
        import xllamacpp
    except ImportError as error:
        raise missing_sdk('xllamacpp') from error
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.n_ctx = CONTEXT_TOKENS
    params.n_parallel = 1
    params.n_batch = params.n_ubatch = _BATCH
    params.n_cache_reuse = _KEPT
    # Two threads on a busy machine of two cores spin at their barrier: 9 times slower.
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.api_keys = [key or secrets.token_urlsafe(24)]
    params.hostnames = ['127.0.0.1']
    params.ui = False
    params.verbosity = 0
    params.endpoint_metrics = True
    try:
        server = xllamacpp.Server(params)
        # Waits until its loop runs: a server that is freed before that never ends.
        server.handle_metrics()
        return server
    except Exception as error:
        raise LlmUnavailable(f'llama.cpp cannot load {path}: {error}') from error


def find_gguf(model: str) -> Path:
    """The GGUF file of a path or of a name in `runtime.weights`; raises LlmUnavailable."""
    from kame_ros.runtime import weights

    path = Path(os.path.expanduser(model))
    try:
        if model.endswith('.gguf') and model not in weights.KNOWN:
            if not path.is_file():
                raise LlmUnavailable(f'there is no model file {path}')
        else:
            path = Path(weights.find(model, 'llm'))
        with path.open('rb') as file:
            if file.read(len(_MAGIC)) != _MAGIC:
                raise LlmUnavailable(f'{path} is no GGUF file, which llama.cpp needs')
    except LlmUnavailable:
        raise
    except OSError as error:
        reason = f'{path} cannot be read: {error.strerror}' if error.strerror else str(error)
        raise LlmUnavailable(reason) from error
    except Exception as error:
        raise LlmUnavailable(str(error)) from error
    return path


def _request(messages: Sequence[Message], options: Options) -> dict[str, Any]:
    return {
        'messages': list(messages),
        'stream': True,
        'return_progress': True,  # calls back during the prompt too, so that it can be stopped
        'max_tokens': options.max_tokens,
        'temperature': options.temperature,
        'cache_prompt': True,
        'chat_template_kwargs': {'enable_thinking': False},
    }


def _text(chunk: dict[str, Any], usage: Usage) -> str:
    if error := chunk.get('error'):
        raise LlmError(f'llama.cpp: {error.get("message", error)}', retryable=False)
    progress = chunk.get('prompt_progress')
    if progress:
        usage.tokens_in = int(progress['total'])
        usage.cached = int(progress['cache'])
    if timings := chunk.get('timings'):
        usage.tokens_out = int(timings['predicted_n'])
        usage.cached = int(timings['cache_n'])
        usage.tokens_in = usage.cached + int(timings['prompt_n'])
    choices = chunk.get('choices') or [{}]
    return str(choices[0].get('delta', {}).get('content') or '')


KIND = Kind(
    EmbeddedClient,
    about='the embedded LLM',
    example='smollm2-135m-instruct',
    module='xllamacpp',
    package='xllamacpp',
    loads=True,
    in_process=True,
    context_tokens=CONTEXT_TOKENS,
    check=find_gguf,
)
