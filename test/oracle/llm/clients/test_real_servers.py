"""The clients against real servers with a real model: SmolLM2-135M on one thread."""

import asyncio
import json
import os
import shutil
import socket
import subprocess
import time
import urllib.request

import pytest

from kame_ros.oracle.conversation.facts import FactBook
from kame_ros.oracle.conversation.prompt import PromptConfig, build_messages
from kame_ros.oracle.llm.backend import Backend
from kame_ros.oracle.llm.clients.base import LlmError, Options, Usage
from kame_ros.oracle.llm.clients.embedded import EmbeddedClient, find_gguf, load_server

pytestmark = pytest.mark.models
MODEL = 'smollm2-135m-instruct'
QUESTION = 'What is the capital of France?'


def prompt(text=QUESTION):
    return build_messages(PromptConfig(max_user_words=10_000), [], text)


async def read(client, messages, options=None, take=None, usage=None):
    """The pieces of an answer; closes the stream after `take` of them."""
    pieces = []
    stream = client.stream(messages, options or Options(24, 0.0), usage or Usage())
    try:
        async for piece in stream:
            if not piece:  # the prompt is still being read
                continue
            pieces.append(piece)
            if take and len(pieces) >= take:
                break
    finally:
        await stream.aclose()
    return pieces


class CountingServer:
    """Passes requests on, and counts how often the model calls back."""

    def __init__(self, server):
        self._server = server
        self.calls = 0

    def handle_chat_completions(self, request, callback):
        def counting(chunk):
            self.calls += 1
            return callback(chunk)

        self._server.handle_chat_completions(request, counting)


def with_embedded(run, context=2048):
    """Runs a coroutine function of (client, counter)."""

    async def main():
        client = Backend('embedded', MODEL).connect()
        client._context = context
        client._server = CountingServer(client._load())
        try:
            return await run(client, client._server)
        finally:
            await client.aclose()

    return asyncio.run(main())


def test_embedded_answers_in_pieces_and_counts_tokens():
    usage = Usage()

    async def run(client, _):
        return await read(client, prompt(), usage=usage)

    pieces = with_embedded(run)
    assert 'Paris' in ''.join(pieces)
    assert len(pieces) > 3
    assert usage.tokens_in > 20
    assert usage.tokens_out >= len(pieces)


def test_closing_an_embedded_stream_stops_the_model():
    async def run(client, counter):
        await client.warm_up(prompt())
        counter.calls = 0
        story = prompt('Tell me a very long story about a dragon.')
        await read(client, story, Options(400, 0.0), take=3)
        return counter.calls

    # aclose waits until the model is idle, so all calls are counted; 400 were allowed.
    assert with_embedded(run) < 60


def test_cancelling_while_the_prompt_is_read_stops_that_too():
    async def run(client, counter):
        await client.warm_up(prompt())
        counter.calls = 0
        long = prompt('dog cat bird ' * 290)  # some 900 tokens: seconds of reading
        task = asyncio.ensure_future(read(client, long))
        while not counter.calls:
            await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        stopped_after = counter.calls
        answer = await read(client, prompt())
        return stopped_after, answer

    calls, answer = with_embedded(run)
    assert calls < 8  # of fifteen
    assert answer


def test_a_growing_partial_reuses_the_cache():
    question = 'What is the capital of France and what can I see there in a day'
    words = question.split()

    async def run(client, _):
        await client.warm_up(prompt('hello'))
        usages = []
        for n in range(3, len(words) + 1, 2):
            usages.append(Usage())
            await read(client, prompt(' '.join(words[:n])), usage=usages[-1])
        return usages

    usages = with_embedded(run)
    reused = sum(u.cached for u in usages) / sum(u.tokens_in for u in usages)
    assert reused > 0.7


def test_a_fact_that_changes_does_not_have_all_others_read_anew():
    """It moves to the end, and what stood behind it is kept."""
    book = FactBook()

    def told(shelf, text):
        book.learn(f'shelf {shelf}: {text}', 0.0)
        return build_messages(PromptConfig(), [], QUESTION, facts=book.prompt(0.0))

    for i in range(8):
        messages = told(i, f'full of boxes with screws, bolts and washers of size {i}')

    async def run(client, _):
        await client.warm_up(messages)
        usages = []
        for shelf in (0, 1, 2, 3):
            usages.append(Usage())
            await read(client, told(shelf, 'empty'), usage=usages[-1])
        return usages

    usages = with_embedded(run)
    assert all(usage.tokens_in > 120 for usage in usages)
    anew = sum(u.tokens_in - u.cached for u in usages) / sum(u.tokens_in for u in usages)
    assert anew < 0.4, [(u.tokens_in, u.cached) for u in usages]


def test_a_prompt_that_is_too_long_is_one_clear_error():
    async def run(client, _):
        with pytest.raises(LlmError, match='context') as caught:
            await read(client, prompt('dog cat bird ' * 900))
        return caught.value.retryable, await read(client, prompt())

    retryable, answer = with_embedded(run, context=512)
    assert not retryable
    assert answer


def test_two_streams_wait_for_each_other_and_both_answer():
    async def run(client, _):
        return await asyncio.gather(read(client, prompt()), read(client, prompt('Who are you?')))

    assert all(with_embedded(run))


def test_the_embedded_model_is_not_open_to_others():
    async def main():
        client = EmbeddedClient(Backend('embedded', MODEL).client_config)
        server = client._load()
        try:
            urllib.request.urlopen(
                urllib.request.Request(server.listening_address + '/v1/models', data=b'{}')
            )
        except OSError as error:
            code = getattr(error, 'code', None)
        del server
        await client.aclose()
        return code

    assert asyncio.run(main()) == 401


# -- over HTTP --------------------------------------------------------------------------------


@pytest.fixture(scope='module')
def llama():
    """A llama.cpp server; its address."""
    server = load_server(find_gguf(MODEL), key='local')
    yield server.listening_address
    del server


def slots(address):
    request = urllib.request.Request(address + '/slots', headers={'authorization': 'Bearer local'})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return [slot['is_processing'] for slot in json.load(answer)]


def wait_until_idle(address):
    end = time.monotonic() + 20
    while any(slots(address)):
        assert time.monotonic() < end, 'the server goes on'
        time.sleep(0.02)


def test_the_openai_client_and_a_llama_cpp_server(llama, monkeypatch):
    monkeypatch.setenv('OPENAI_API_KEY', 'local')
    monkeypatch.setenv('KAME_KEY_HOSTS', '127.0.0.1')
    usage = Usage()

    async def main():
        client = Backend('openai', MODEL, llama + '/v1').connect()
        await client.warm_up(prompt())
        pieces = await read(client, prompt(), usage=usage)
        await client.aclose()
        return pieces

    assert 'Paris' in ''.join(asyncio.run(main()))
    assert usage.tokens_in > 20
    assert usage.cached > 20
    assert usage.tokens_out > 3


def test_closing_an_http_stream_stops_the_server(llama, monkeypatch):
    monkeypatch.setenv('OPENAI_API_KEY', 'local')
    monkeypatch.setenv('KAME_KEY_HOSTS', '127.0.0.1')

    async def main():
        client = Backend('openai', MODEL, llama + '/v1').connect()
        story = prompt('Tell me a very long story about a dragon.')
        await read(client, story, Options(1_500, 0.0), take=3)
        closed = time.monotonic()
        await asyncio.to_thread(wait_until_idle, llama)
        await client.aclose()
        return time.monotonic() - closed

    assert asyncio.run(main()) < 10  # 1,500 tokens take longer


def test_a_wrong_key_is_told(llama, monkeypatch):
    monkeypatch.setenv('OPENAI_API_KEY', 'wrong')
    monkeypatch.setenv('KAME_KEY_HOSTS', '127.0.0.1')

    async def main():
        client = Backend('openai', MODEL, llama + '/v1').connect()
        try:
            await read(client, prompt())
        finally:
            await client.aclose()

    with pytest.raises(LlmError, match='401') as caught:
        asyncio.run(main())
    assert not caught.value.retryable


# -- Ollama -----------------------------------------------------------------------------------


@pytest.fixture(scope='module')
def ollama(llama):
    """An Ollama-speaking server in front of the llama.cpp server; its address."""
    program = shutil.which('ollama-proxy')
    if program is None:
        pytest.skip(
            'NOT TESTED: the ollama client against a server. Install '
            'test/oracle/requirements-ollama.txt in an environment of its own, on the PATH'
        )
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        'PROVIDERS_LOCAL_API_KEY': 'local',
        'PROVIDERS_LOCAL_BASE_URL': llama + '/v1',
        'EXTRA_MODELS': f'local/{MODEL}',
    }
    command = [program, 'serve', '--host', '127.0.0.1', '--port', str(port)]
    server = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    address = f'http://127.0.0.1:{port}'
    end = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(address + '/api/version', timeout=2).close()
            break
        except OSError:
            assert server.poll() is None, 'ollama-proxy ended'
            assert time.monotonic() < end, 'ollama-proxy does not answer'
            time.sleep(0.1)
    yield address
    server.terminate()
    server.wait(10)


def test_the_ollama_client_streams_from_a_server(ollama):
    async def main():
        client = Backend('ollama', f'local/{MODEL}', ollama).connect()
        await client.warm_up(prompt())
        pieces = await read(client, prompt())
        await client.aclose()
        return pieces

    assert 'Paris' in ''.join(asyncio.run(main()))


def test_closing_an_ollama_stream_stops_the_model_behind_it(ollama, llama):
    async def main():
        client = Backend('ollama', f'local/{MODEL}', ollama).connect()
        story = prompt('Tell me a very long story about a dragon.')
        await read(client, story, Options(1_500, 0.0), take=3)
        closed = time.monotonic()
        await asyncio.to_thread(wait_until_idle, llama)
        await client.aclose()
        return time.monotonic() - closed

    assert asyncio.run(main()) < 10


def test_an_unknown_model_is_told(ollama):
    async def main():
        client = Backend('ollama', 'no-such-model', ollama).connect()
        try:
            await read(client, prompt())
        finally:
            await client.aclose()

    with pytest.raises(LlmError):
        asyncio.run(main())
