"""An LLM that gives points to answers, as FastChat's MT-Bench asks for them; it is tried first."""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kame_ros.evaluation.judgements import Judgements, key_of
from kame_ros.evaluation.make import read_lines, turns_of
from kame_ros.evaluation.suite import BadSuite
from kame_ros.evaluation.words import without_brackets
from kame_ros.oracle.llm.backend import Backend
from kame_ros.oracle.llm.clients.base import LlmClient, LlmError, Options, Usage

NEED_REFERENCE = ('math', 'reasoning', 'coding')  # the judge is shown the right answer
MAX_TOKENS = 2048  # of a judgement
LOWEST = 1.0  # what a turn without an answer has
BETTER_BY = 4.0  # points, by which a good answer has to be better than one to another question
_FIRST = 6  # judgements of a trial: if none of them can be read, the others are not asked
_UNREADABLE = 0.02  # of the judgements, at most
_LETTERS_PER_TOKEN, _TOKENS_OUT = 4, 200  # only for the estimate
_GOOD = 10  # answers that a judge is tried with
_TRIES, _PAUSE_S = 4, 2.0
_LONGEST = 8_000  # letters of an answer that is shown
_TWICE, _ONCE = re.compile(r'\[\[(\d+\.?\d*)\]\]'), re.compile(r'\[(\d+\.?\d*)\]')


class JudgeRefused(RuntimeError):
    """The judge cannot tell answers apart, or the budget is too small; the text says why."""


@dataclass(frozen=True)
class Template:
    """A prompt of FastChat's judge_prompts.jsonl."""

    name: str
    system: str
    prompt: str


@dataclass(frozen=True)
class Bench:
    """Prompts, and references by question id; data of FastChat, read from the user's folder."""

    templates: Mapping[str, Template]
    references: Mapping[str, tuple[str, ...]]
    categories: Mapping[str, str]
    questions: Mapping[str, tuple[str, ...]]


def read_bench(folder: Path) -> Bench:
    """Reads judge_prompts.jsonl, question.jsonl and the references of GPT-4.

    Raises BadSuite or OSError.
    """
    rows = read_lines(folder / 'judge_prompts.jsonl', ('name', 'system_prompt', 'prompt_template'))
    templates = {
        str(r['name']): Template(str(r['name']), str(r['system_prompt']), str(r['prompt_template']))
        for r in rows
    }
    missing = [n for n in _names() if n not in templates]
    if missing:
        raise BadSuite(f'{folder}/judge_prompts.jsonl lacks {", ".join(missing)}')
    places = ('reference_answer/gpt-4.jsonl', 'reference_answer_gpt-4.jsonl')
    path = next((folder / p for p in places if (folder / p).is_file()), None)
    answered = read_lines(path, ('question_id', 'choices')) if path else []
    references = turns_of(path, map(_first_choice, answered)) if path else {}
    asked = folder / 'question.jsonl'
    questions = read_lines(asked, ('question_id', 'category', 'turns'))
    return Bench(
        templates,
        references,
        {str(q['question_id']): str(q['category']) for q in questions},
        turns_of(asked, questions),
    )


def _first_choice(row: Mapping[str, Any]) -> dict[str, Any]:
    """The reference that FastChat takes, or a row without turns."""
    choices = row['choices']
    first = choices[0] if isinstance(choices, list) and choices else None
    told = {'question_id': row['question_id']}
    return {**told, 'turns': first.get('turns')} if isinstance(first, dict) else told


def _names() -> list[str]:
    return [f'single-{kind}{turns}' for kind in ('v1', 'math-v1') for turns in ('', '-multi-turn')]


@dataclass(frozen=True)
class Asked:
    """An answer to be judged: the turn counts from 1, and texts are of all turns up to it."""

    item: str
    question_id: str
    category: str
    questions: tuple[str, ...]
    answers: tuple[str, ...]
    repetition: int = 1
    row: str = 'spoken'

    @property
    def turn(self) -> int:
        """The one that is judged."""
        return len(self.answers)


def prompt_of(asked: Asked, bench: Bench) -> tuple[Template, str]:
    """The template and the text that the judge is shown; answers have no brackets in them."""
    references = bench.references.get(asked.question_id, ())
    wants = asked.category in NEED_REFERENCE and len(references) >= asked.turn
    name = 'single-math-v1' if wants else 'single-v1'
    template = bench.templates[name + ('-multi-turn' if asked.turn > 1 else '')]
    answers = [without_brackets(text)[:_LONGEST].strip() or '(no answer)' for text in asked.answers]
    slots: dict[str, str] = {'question': asked.questions[0], 'answer': answers[0]}
    for number, (question, answer) in enumerate(zip(asked.questions, answers, strict=False), 1):
        slots |= {f'question_{number}': question, f'answer_{number}': answer}
    for number, text in enumerate(references[: asked.turn] if wants else (), 1):
        slots[f'ref_answer_{number}'] = text
    return template, filled(template.prompt, slots)


def filled(template: str, slots: Mapping[str, str]) -> str:
    """Puts texts into {slots}, once: what looks like a slot in an answer stays as it is."""
    return re.sub(r'\{(\w+)\}', lambda m: slots.get(m[1], m[0]), template)


def points(reply: str, compat: bool = False) -> float | None:
    """The rating: the last [[n]], else the last [n]; with `compat` the first; None without one."""
    for pattern in (_TWICE, _ONCE):
        found = pattern.findall(reply)
        if found:
            value = float(found[0] if compat else found[-1])
            return value if compat or 0 <= value <= 10 else None
    return None


@dataclass
class Bill:
    """What was asked and spent."""

    calls: int = 0
    kept: int = 0  # judgements that were there already
    unread: int = 0  # without a rating, when asked twice
    tokens_in: int = 0
    tokens_out: int = 0
    cost: float = 0.0


@dataclass(frozen=True)
class JudgeEstimate:
    """Before anything is paid."""

    calls: int
    tokens_in: int
    tokens_out: int
    cost: float


@dataclass(frozen=True)
class Trial:
    """The means of good answers, answers to other questions, and empty ones."""

    good: float
    foreign: float
    empty: float
    unread: float

    @property
    def refusal(self) -> str:
        """Why it is no judge; empty if it is one."""
        if self.unread > _UNREADABLE:
            return f'{self.unread:.0%} of its judgements have no rating that can be read'
        if math.isnan(self.good) or self.good - self.foreign < BETTER_BY:
            return (
                f'it gives good answers {self.good:.1f} points and answers to other questions '
                f'{self.foreign:.1f}: the difference has to be {BETTER_BY:g} at least'
            )
        return ''


@dataclass
class Judge:
    """Asks an LLM for points; what it said once is kept. Owned by one event loop."""

    backend: Backend
    bench: Bench
    kept: Judgements
    budget: float | None = None
    compat: bool = False
    pause_s: float = _PAUSE_S
    bill: Bill = field(default_factory=Bill)

    @property
    def name(self) -> str:
        """As it stands in every table."""
        return self.backend.name

    def estimate(self, asked: Sequence[Asked]) -> JudgeEstimate:
        """What is still to be asked."""
        new = [one for one in asked if self.kept.get(self._key(one)) is None]
        texts = [prompt_of(one, self.bench) for one in new]
        letters = sum(len(template.system) + len(text) for template, text in texts)
        tokens_in, tokens_out = letters // _LETTERS_PER_TOKEN, _TOKENS_OUT * len(new)
        return JudgeEstimate(len(new), tokens_in, tokens_out, self._price(tokens_in, tokens_out))

    async def judge(
        self, asked: Sequence[Asked], done: Callable[[], None] = lambda: None
    ) -> list[float | None]:
        """Points of each answer, None where no rating could be read.

        Raises JudgeRefused before the call that would cost more than the budget, and LlmError.
        """
        client: LlmClient | None = None
        out: list[float | None] = []
        try:
            for one in asked:
                told = self.kept.get(self._key(one))
                if told is None:
                    client = client or self.backend.connect()
                    told = await self._ask(client, one)
                else:
                    self.bill.kept += 1
                out.append(told['score'])
                done()
        finally:
            if client is not None:
                await client.aclose()
        return out

    async def try_out(
        self, good: Sequence[Asked], done: Callable[[], None] = lambda: None
    ) -> Trial:
        """Tries good answers, each of them to the next question, and none at all."""
        asked = trial_of(good)
        found = await self.judge(asked[:_FIRST], done)
        if found and all(score is None for score in found):
            return Trial(math.nan, math.nan, math.nan, 1.0)  # it will not learn it
        found += await self.judge(asked[_FIRST:], done)
        groups: dict[str, list[float]] = {'good': [], 'foreign': [], 'empty': []}
        for one, score in zip(asked, found, strict=True):
            if score is not None:
                groups[one.row].append(score)
        mean = {n: sum(v) / len(v) if v else math.nan for n, v in groups.items()}
        unread = sum(score is None for score in found) / max(1, len(found))
        return Trial(mean['good'], mean['foreign'], mean['empty'], unread)

    async def _ask(self, client: LlmClient, one: Asked) -> dict[str, Any]:
        template, text = prompt_of(one, self.bench)
        told: dict[str, Any] = {}
        for _ in range(2):  # once more where no rating can be read
            expected = self._price(
                (len(template.system) + len(text)) // _LETTERS_PER_TOKEN, _TOKENS_OUT
            )
            if self.budget is not None and self.bill.cost + expected > self.budget:
                raise JudgeRefused(
                    f'the budget of {self.budget:g} would be passed; spent: {self.bill.cost:.4f}; '
                    'what was judged is kept'
                )
            reply, usage = await self._reply(client, template.system, text)
            told = {
                'judge': self.name,
                'template': template.name,
                'item': one.item,
                'turn': one.turn,
                'row': one.row,
                'prompt': text,
                'reply': reply,
                'score': points(reply, self.compat),
                'tokens_in': usage.tokens_in,
                'tokens_out': usage.tokens_out,
            }
            if told['score'] is not None:
                break
        self.bill.unread += told['score'] is None
        self.kept.put(self._key(one), told)
        return told

    async def _reply(self, client: LlmClient, system: str, text: str) -> tuple[str, Usage]:
        messages = [{'role': 'system', 'content': system}, {'role': 'user', 'content': text}]
        for attempt in range(_TRIES):
            usage = Usage()
            try:
                pieces = [
                    piece
                    async for piece in client.stream(messages, Options(MAX_TOKENS, 0.0), usage)
                ]
            except LlmError as error:
                if not error.retryable or attempt == _TRIES - 1:
                    raise
                await asyncio.sleep(max(error.retry_after, self.pause_s * 2**attempt))
                continue
            self._book(system, text, ''.join(pieces), usage)
            return ''.join(pieces), usage
        raise AssertionError('unreachable')

    def _book(self, system: str, text: str, reply: str, usage: Usage) -> None:
        tokens_in, tokens_out = usage.tokens_in, usage.tokens_out
        tokens_in = tokens_in if tokens_in >= 0 else len(system + text) // _LETTERS_PER_TOKEN
        tokens_out = tokens_out if tokens_out >= 0 else len(reply) // _LETTERS_PER_TOKEN
        self.bill.calls += 1
        self.bill.tokens_in += tokens_in
        self.bill.tokens_out += tokens_out
        self.bill.cost += self._price(tokens_in, tokens_out)

    def _price(self, tokens_in: int, tokens_out: int) -> float:
        return (tokens_in * self.backend.price_in + tokens_out * self.backend.price_out) / 1e6

    def _key(self, one: Asked) -> str:
        template, text = prompt_of(one, self.bench)
        return key_of(self.name, 0.0, MAX_TOKENS, template.system, text, self.compat)


def trial_of(good: Sequence[Asked]) -> list[Asked]:
    """Each good answer, the same to the next question, and an empty one. Two at least."""
    if len(good) < 2:
        raise BadSuite('a judge is tried with two questions at least that have good answers')
    out = []
    for place, one in enumerate(good):
        other = good[(place + 1) % len(good)].answers
        for row, answers in (('good', one.answers), ('foreign', other), ('empty', ('',))):
            out.append(
                Asked(one.item, one.question_id, one.category, one.questions, answers, 1, row)
            )
    return out


def good_answers(bench: Bench) -> list[Asked]:
    """First turns whose reference is known: of KAME's categories first."""
    ids = sorted(bench.references, key=lambda i: (bench.categories.get(i) != 'reasoning', i))
    return [
        Asked(f'trial-{i}', i, '', bench.questions[i][:1], bench.references[i][:1])
        for i in ids[:_GOOD]
        if i in bench.questions
    ]
