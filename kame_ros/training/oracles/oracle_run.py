"""Makes the oracles of many dialogues: all requests first, then several at once, each kept."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kame_ros.oracle.llm.backend import Backend
from kame_ros.oracle.llm.clients.base import LlmClient, LlmError, Options, Usage
from kame_ros.text.markup import plain
from kame_ros.training.data.dialogue import DataError, Dialogue
from kame_ros.training.oracles.oracle_file import OracleFile, fingerprint
from kame_ros.training.oracles.schedule import TRUTH, Cadence, Request, plan
from kame_ros.training.oracles.simulate import draw, messages

TOKENS_PER_LETTER = 0.27  # of English, roughly: only for the estimate
TOKENS_OUT = 26  # of an oracle of 10 to 30 words
TRIES = 4
FIRST_PAUSE_S = 1.0
GIVE_UP = 20  # requests in a row that fail, after which the server is held to be down


@dataclass
class Job:
    """The requests of one dialogue, and the file of their oracles."""

    dialogue: Dialogue
    requests: list[Request]
    file: OracleFile

    def missing(self) -> list[int]:
        """The numbers of requests that have no oracle yet."""
        return [n for n in range(len(self.requests)) if n not in self.file.texts]


@dataclass(frozen=True)
class Estimate:
    """What is still to be done, before it begins; `cost` is 0 where no price is known."""

    requests: int
    calls: int
    tokens_in: int
    tokens_out: int
    cost: float


@dataclass
class Tally:
    """What was done."""

    written: int = 0
    failed: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    last_error: str = ''
    in_a_row: int = field(default=0, repr=False)


class ServerDownError(RuntimeError):
    """The LLM does not answer; what was written is kept."""


def prepare(
    dialogues: Sequence[Dialogue], folder: Path, how: str, cadence: Cadence | None = None
) -> list[Job]:
    """Plans all requests and opens the files. Raises DataError for files made in another way, or
    for dialogues of one name, whose oracles would be in one file.
    """
    twice = [name for name, count in Counter(d.name for d in dialogues).items() if count > 1]
    if twice:
        raise DataError(f'two transcripts are called {twice[0]}: their oracles would be one file')
    jobs = []
    for dialogue in dialogues:
        requests = plan(dialogue, cadence)
        made = fingerprint(dialogue, requests, how), fingerprint(dialogue, requests, '')
        file = OracleFile(folder / f'{dialogue.name}.jsonl', *made)
        jobs.append(Job(dialogue, requests, file))
    return jobs


def estimate(jobs: Sequence[Job], backend: Backend | None) -> Estimate:
    """How many calls are left, and what they will cost at the back-end's prices."""
    left = [(job, number) for job in jobs for number in job.missing()]
    asked = [
        messages(job.dialogue, job.requests[number], random.Random(0))
        for job, number in left
        if job.requests[number].level < TRUTH
    ]
    letters = sum(len(message['content']) for exchange in asked for message in exchange)
    tokens_in, tokens_out = round(letters * TOKENS_PER_LETTER), TOKENS_OUT * len(asked)
    if backend is None:
        return Estimate(len(left), 0, 0, 0, 0.0)
    cost = (tokens_in * backend.price_in + tokens_out * backend.price_out) / 1e6
    return Estimate(len(left), len(asked), tokens_in, tokens_out, cost)


def write_random(jobs: Sequence[Job], seed: int) -> Tally:
    """Oracles without an LLM; see `draw`."""
    tally = Tally()
    answers = sorted({request.truth for job in jobs for request in job.requests})
    for job in jobs:
        texts = draw(job.requests, answers, random.Random(f'{seed}/{job.dialogue.name}'))
        for number in job.missing():
            job.file.add(number, job.requests[number], texts[number])
            tally.written += 1
    return tally


async def write_simulated(
    jobs: Sequence[Job],
    client: LlmClient,
    seed: int,
    parallel: int = 1,
    progress: Callable[[Tally], None] | None = None,
    pause_s: float = FIRST_PAUSE_S,
) -> Tally:
    """Asks the LLM for what is missing, `parallel` requests at once; the truth needs no call.

    A request that fails is tried again, and then left for the next run. Raises ServerDownError
    after many failures in a row, LlmError if the LLM can never answer, OSError on a full disk;
    what was written before is kept.
    """
    tally = Tally()
    queue = iter([(job, number) for job in jobs for number in job.missing()])

    async def work() -> None:
        for job, number in queue:  # shared by all workers: each takes the next
            request = job.requests[number]
            rng = random.Random(f'{seed}/{job.dialogue.name}/{number}')
            text = request.truth
            if request.level < TRUTH:
                asked = messages(job.dialogue, request, rng)
                text = await _ask(client, asked, tally, pause_s)
            if text:
                job.file.add(number, request, text)
                tally.written += 1
                tally.in_a_row *= request.level == TRUTH  # what the LLM wrote ends the row
            else:
                tally.failed += 1
                tally.in_a_row += 1
                if tally.in_a_row >= GIVE_UP:
                    raise ServerDownError(f'the LLM does not answer: {tally.last_error}')
            if progress is not None:
                progress(tally)

    workers = [asyncio.create_task(work()) for _ in range(max(1, parallel))]
    try:
        await asyncio.gather(*workers)
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
    return tally


async def _ask(client: LlmClient, asked: list[dict[str, str]], tally: Tally, pause_s: float) -> str:
    """One oracle, or nothing if the LLM fails again and again."""
    for attempt in range(TRIES):
        usage = Usage()
        try:
            options = Options(max_tokens=64, temperature=0.9)
            written = ''.join([piece async for piece in client.stream(asked, options, usage)])
        except LlmError as error:
            if not error.retryable:
                raise
            tally.last_error = str(error)
            await asyncio.sleep(max(error.retry_after, pause_s * 2**attempt))
            continue
        tally.tokens_in += max(0, usage.tokens_in)
        tally.tokens_out += max(0, usage.tokens_out)
        if text := ' '.join(plain(written).split()):  # as on the topic `oracle`
            return text
        tally.last_error = 'an empty answer'
    return ''
