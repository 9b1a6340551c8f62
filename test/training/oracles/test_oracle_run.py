"""Oracles of many dialogues: parallel, resumable, and what if the LLM or the disk fails."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

import pytest

from kame_ros.cli import main
from kame_ros.oracle.llm.backend import Backend
from kame_ros.oracle.llm.clients.base import LlmError, LlmUnavailable, Message, Options, Usage
from kame_ros.training.data.dialogue import DataError, Dialogue, DialogueWord
from kame_ros.training.oracles import oracle_file
from kame_ros.training.oracles.oracle_run import (
    ServerDownError,
    estimate,
    prepare,
    write_random,
    write_simulated,
)


class FakeLlm:
    """Answers each request with its number; fails where it is told to."""

    slots = 4

    def __init__(self, fails: Sequence[int] = (), error: LlmError | None = None) -> None:
        self.asked: list[Sequence[Message]] = []
        self.at_once = self.most_at_once = 0
        self._fails, self._error = set(fails), error or LlmError('busy')

    async def stream(
        self, messages: Sequence[Message], options: Options, usage: Usage
    ) -> AsyncGenerator[str, None]:
        number = len(self.asked)
        self.asked.append(messages)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(0)
            if number in self._fails:
                raise self._error
            usage.tokens_in, usage.tokens_out = 100, 5
            yield f'answer\n{number}'
        finally:
            self.at_once -= 1

    async def warm_up(self, messages: Sequence[Message]) -> None:
        pass

    async def aclose(self) -> None:
        pass


def talk(name: str, turns: int = 2, words: int = 8) -> Dialogue:
    """Turns of B and A by turns."""
    spoken = []
    for turn in range(turns):
        for number in range(words):
            start = turn * 10 + number * 0.5
            spoken.append(
                DialogueWord('BA'[turn % 2], f'{name}{turn}w{number}', start, start + 0.4)
            )
    return Dialogue(name, tuple(spoken))


TALKS = [talk('one'), talk('two', turns=3), talk('three')]


def rows(folder: Path, name: str) -> list[dict[str, object]]:
    lines = (folder / f'{name}.jsonl').read_text().splitlines()
    return [json.loads(line) for line in lines[1:]]


def test_every_request_is_answered_and_the_truth_is_not_asked_for(tmp_path: Path) -> None:
    jobs = prepare(TALKS, tmp_path, 'fake')
    llm = FakeLlm()
    tally = asyncio.run(write_simulated(jobs, llm, seed=0, parallel=3))
    total = sum(len(job.requests) for job in jobs)
    truths = sum(request.level == 5 for job in jobs for request in job.requests)
    assert (tally.written, tally.failed) == (total, 0)
    assert len(llm.asked) == total - truths
    assert llm.most_at_once == 3
    assert tally.tokens_in == 100 * len(llm.asked)
    for job in jobs:
        for row in rows(tmp_path, job.dialogue.name):
            assert (row['level'] == 5) == (row['text'] == job.requests[row['request']].truth)


def test_a_run_that_was_broken_off_asks_only_for_the_rest(tmp_path: Path) -> None:
    jobs = prepare(TALKS, tmp_path, 'fake')
    total = sum(len(job.requests) for job in jobs)
    broken = FakeLlm(fails=[4], error=LlmUnavailable('no key'))
    with pytest.raises(LlmUnavailable):
        asyncio.run(write_simulated(jobs, broken, seed=0))
    kept = sum(len(rows(tmp_path, talk.name)) for talk in TALKS)
    assert 0 < kept < total
    with (tmp_path / 'one.jsonl').open('a') as file:
        file.write('{"request": 99, "te')  # cut off in mid-line
    again = prepare(TALKS, tmp_path, 'fake')
    llm = FakeLlm()
    assert asyncio.run(write_simulated(again, llm, seed=0)).written == total - kept
    found = [row['request'] for row in rows(tmp_path, 'one')]
    assert sorted(found) == list(range(len(again[0].requests)))
    assert estimate(prepare(TALKS, tmp_path, 'fake'), Backend('openai', 'm')).requests == 0


def test_a_failure_is_tried_again_and_then_left(tmp_path: Path) -> None:
    jobs = prepare([talk('one')], tmp_path, 'fake')
    total = len(jobs[0].requests)
    once = asyncio.run(write_simulated(jobs, FakeLlm(fails=[0]), seed=0, pause_s=0.0))
    assert (once.written, once.failed) == (total, 0)
    other = prepare([talk('one')], tmp_path / 'b', 'fake')
    often = asyncio.run(write_simulated(other, FakeLlm(fails=range(4)), seed=0, pause_s=0.0))
    assert (often.written, often.failed) == (total - 1, 1)
    assert len(other[0].missing()) == 1


def test_a_server_that_is_down_ends_the_run(tmp_path: Path) -> None:
    jobs = prepare([talk('one', turns=12)], tmp_path, 'fake')
    llm = FakeLlm(fails=range(10**4))
    with pytest.raises(ServerDownError, match='busy'):
        asyncio.run(write_simulated(jobs, llm, seed=0, pause_s=0.0))


def test_a_full_disk_ends_the_run_and_keeps_what_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = prepare([talk('one')], tmp_path, 'fake')
    append = oracle_file.OracleFile._append
    left = 2

    def full(self: oracle_file.OracleFile, row: dict[str, object]) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise OSError(28, 'No space left on device')
        append(self, row)

    monkeypatch.setattr(oracle_file.OracleFile, '_append', full)
    with pytest.raises(OSError, match='No space'):
        asyncio.run(write_simulated(jobs, FakeLlm(), seed=0))
    assert len(rows(tmp_path, 'one')) == 2


@pytest.mark.parametrize(
    ('written', 'kept'),
    [
        ('It is **cold** today.', 'It is cold today.'),
        ('<think>Let me see.</think>Sure, at 7 pm.', 'Sure, at 7 pm.'),
        ('- one\n- two', 'one. two'),
    ],
)
def test_an_oracle_is_kept_without_markup_and_thoughts(
    tmp_path: Path, written: str, kept: str
) -> None:
    class Writes(FakeLlm):
        async def stream(
            self, messages: Sequence[Message], options: Options, usage: Usage
        ) -> AsyncGenerator[str, None]:
            yield written

    asyncio.run(write_simulated(prepare(TALKS, tmp_path, 'fake'), Writes(), seed=0))
    assert {row['text'] for row in rows(tmp_path, 'one') if row['level'] < 5} == {kept}


def test_an_answer_that_is_all_thought_is_none(tmp_path: Path) -> None:
    class Thinks(FakeLlm):
        async def stream(
            self, messages: Sequence[Message], options: Options, usage: Usage
        ) -> AsyncGenerator[str, None]:
            yield '<think>What may they mean'

    tally = asyncio.run(
        write_simulated(prepare([talk('one')], tmp_path, 'fake'), Thinks(), seed=0, pause_s=0.0)
    )
    assert tally.failed == 3
    assert tally.last_error == 'an empty answer'


def test_two_transcripts_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r'two transcripts are called one'):
        prepare([talk('one'), talk('two'), talk('one')], tmp_path, 'fake')
    assert list(tmp_path.iterdir()) == []


def test_random_oracles_are_the_same_after_a_break(tmp_path: Path) -> None:
    write_random(prepare(TALKS, tmp_path / 'a', 'random'), seed=3)
    broken = prepare(TALKS, tmp_path / 'b', 'random')
    write_random(broken, seed=3)
    path = tmp_path / 'b' / 'two.jsonl'
    path.write_text('\n'.join(path.read_text().splitlines()[:3]) + '\n')
    write_random(prepare(TALKS, tmp_path / 'b', 'random'), seed=3)
    for name in ('one', 'two', 'three'):
        assert rows(tmp_path / 'a', name) == rows(tmp_path / 'b', name)


def test_what_was_made_otherwise_is_refused(tmp_path: Path) -> None:
    prepare([talk('one')], tmp_path, 'random seed=1')
    with pytest.raises(DataError, match='another transcript, back-end or seed'):
        prepare([talk('one')], tmp_path, 'random seed=2')


def test_a_damaged_file_names_its_line(tmp_path: Path) -> None:
    write_random(prepare(TALKS, tmp_path, 'random'), seed=0)
    path = tmp_path / 'one.jsonl'
    path.write_text(path.read_text().replace('"level"', 'level', 1))
    with pytest.raises(DataError, match=r'line 2 of .*one\.jsonl is damaged'):
        prepare(TALKS, tmp_path, 'random')


@pytest.mark.parametrize(
    'content', [b'\xff\xfe{}', b'[1]\n', b'[' * 100_000 + b'\n'], ids=['bytes', 'list', 'deep']
)
def test_a_file_of_something_else_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / 'one.jsonl').write_bytes(content)
    with pytest.raises(DataError, match=r'one\.jsonl is damaged'):
        prepare(TALKS, tmp_path, 'random')
    with pytest.raises(DataError, match=r'one\.jsonl is damaged'):
        oracle_file.check(tmp_path / 'one.jsonl', TALKS[0], [])


def test_a_full_disk_keeps_the_oracles_of_a_file_that_was_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_random(prepare(TALKS, tmp_path, 'random'), seed=0)
    path = tmp_path / 'one.jsonl'
    path.write_text(path.read_text()[:-5])
    before = path.read_bytes()

    def full(handle: int) -> None:
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr('os.fsync', full)
    with pytest.raises(OSError, match='No space left'):
        prepare(TALKS, tmp_path, 'random')
    assert path.read_bytes() == before


def test_too_little_to_draw_from_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [{'speaker': 'BA'[n // 8], 'word': f'w{n}', 'start': n, 'end': n + 1} for n in range(16)]
    (tmp_path / 'one.json').write_text(json.dumps(rows))
    given = ['train', 'oracles', str(tmp_path / 'one.json'), '-o', str(tmp_path / 'out')]
    assert main([*given, '--random']) == 1
    assert 'at least two different answers' in capsys.readouterr().err.replace('\n', ' ')


def test_the_estimate_counts_calls_and_money(tmp_path: Path) -> None:
    jobs = prepare(TALKS, tmp_path, 'fake')
    backend = Backend('openai', 'm', price_in=1.0, price_out=10.0)
    before = estimate(jobs, backend)
    truths = sum(request.level == 5 for job in jobs for request in job.requests)
    assert before.calls == before.requests - truths
    assert before.cost == pytest.approx((before.tokens_in + 10 * before.tokens_out) / 1e6)
    assert before.tokens_in > 50 * before.calls
    assert estimate(jobs, None).calls == 0


def test_oracles_are_read_for_one_speaker(tmp_path: Path) -> None:
    jobs = prepare([talk('two', turns=3)], tmp_path, 'random')
    write_random(jobs, seed=0)
    for listener in 'AB':
        found = oracle_file.read(tmp_path / 'two.jsonl', listener)
        wanted = [request for request in jobs[0].requests if request.listener == listener]
        assert [one.at for one in found] == pytest.approx([r.at for r in wanted], abs=1e-3)
        assert sum(one.final for one in found) == 1
