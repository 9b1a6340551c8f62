"""Clients that are prepared while somebody asks already."""

import asyncio

import pytest
from scripted_llm import ScriptedClient

from kame_ros.oracle.llm.backend import Backend
from kame_ros.oracle.llm.pool import ClientPool
from kame_ros.replay.llms import ReplayBackend

MESSAGES = [{'role': 'user', 'content': 'hello'}]


@pytest.mark.parametrize('asked_first', [True, False])
def test_a_question_that_comes_while_a_local_model_is_prepared_gets_its_client(asked_first):
    """Also one that is asked before the preparation has made its first step."""
    client, errors = ScriptedClient(lambda messages: ['Hello.']), []
    backend = ReplayBackend.of(Backend('embedded', 'smollm2-135m-instruct'), lambda: client)
    assert backend.about.in_process

    async def body():
        pool = ClientPool()
        for _ in range(3):
            if not asked_first:
                pool.prepare([backend], MESSAGES, errors.append)
            question = asyncio.ensure_future(pool.ready(backend))
            if asked_first:
                pool.prepare([backend], MESSAGES, errors.append)
            assert await asyncio.wait_for(question, 20.0) is client
        assert pool.is_ready(backend)
        assert not pool._waiting
        await pool.aclose()
        assert not pool._preparing

    asyncio.run(body())
    assert errors == []
