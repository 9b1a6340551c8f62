"""The part of `kame eval score` that is paid: an LLM judges the answers to MT-Bench."""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.markup import escape

from kame_ros.commands.show import bar, console, fail, refuse
from kame_ros.evaluation.judge import (
    LOWEST,
    MAX_TOKENS,
    Asked,
    Judge,
    JudgeRefused,
    good_answers,
    read_bench,
    trial_of,
)
from kame_ros.evaluation.judgements import Judgements, write_verdicts
from kame_ros.evaluation.measures import Score, last_oracle
from kame_ros.evaluation.recorded import OnBad, Recorded, of_run, text
from kame_ros.evaluation.run_folder import RunFolder
from kame_ros.evaluation.suite import BadSuite
from kame_ros.oracle.llm.backend import parse_backend

Hear = Callable[[Recorded], None]
TRIAL = 'trial.json'


def judge_run(args: argparse.Namespace, out: Path, hear: Hear, on_bad: OnBad) -> int:
    """Tries the judge, lets it judge all turns, and keeps its points; 0 if all went well.

    `on_bad` is told of conversations that cannot be read.
    """
    if args.mtbench is None:
        raise BadSuite('--judge needs --mtbench: a folder with judge_prompts.jsonl of FastChat')
    try:
        how = {'price_in': args.price_in, 'price_out': args.price_out, 'max_tokens': MAX_TOKENS}
        backend = parse_backend(args.judge, **how)
    except ValueError as error:
        return refuse(error)
    bench = read_bench(args.mtbench)
    judge = Judge(backend, bench, Judgements(out), args.budget, args.compat)
    good = good_answers(bench)
    tried = trial_of(good)
    asked = [one for rec in of_run(RunFolder(args.folder), on_bad) for one in asked_of(rec, hear)]
    answered = [one for one in asked if one.answers[-1].strip()]
    cost = judge.estimate([*tried, *answered])
    price = f', about {cost.cost:.2f} at the given prices' if cost.cost else ''
    console.print(
        f'{len(tried)} judgements to try the judge and {len(answered)} of answers; still to be '
        f'asked: {cost.calls}: about {cost.tokens_in} + {cost.tokens_out} tokens{price}'
    )
    if args.dry_run:
        return 0
    backend.check()
    try:
        return asyncio.run(_judge(judge, good, asked, answered, out))
    except JudgeRefused as error:
        return fail(escape(str(error)))


async def _judge(
    judge: Judge, good: list[Asked], asked: list[Asked], answered: list[Asked], out: Path
) -> int:
    with bar() as bars:
        task = bars.add_task('trying the judge', total=len(trial_of(good)))
        trial = await judge.try_out(good, lambda: bars.advance(task))
        (out / TRIAL).write_text(
            json.dumps({'judge': judge.name, **vars(trial)}, indent=1) + '\n', encoding='utf-8'
        )
        console.print(
            f'trial of {judge.name}: good {trial.good:.2f}, to another question '
            f'{trial.foreign:.2f}, empty {trial.empty:.2f}, unreadable {trial.unread:.0%}'
        )
        if trial.refusal:
            raise JudgeRefused(f'{judge.name} is no judge: {trial.refusal}')
        task = bars.add_task('judging', total=len(answered))
        found = await judge.judge(answered, lambda: bars.advance(task))
    points = {id(one): value for one, value in zip(answered, found, strict=True)}
    scores = []
    for one in asked:
        value = points.get(id(one), LOWEST)
        if value is not None:
            scores.append(
                Score(
                    *(one.item, one.repetition, 'mtbench', one.category, one.turn),
                    *(f'judged_{one.row}', value, judge.name),
                )
            )
    write_verdicts(out, scores)
    bill = judge.bill
    console.print(
        f'{bill.calls} calls, {bill.kept} judgements were there already, {bill.unread} without a '
        f'rating (they are left out), {bill.tokens_in} + {bill.tokens_out} tokens'
        + (f', {bill.cost:.4f} spent' if bill.cost else '')
    )
    return 0


def asked_of(recorded: Recorded, hear: Hear) -> Iterator[Asked]:
    """Each turn of a conversation of MT-Bench in each way of taking its answer."""
    if recorded.kind != 'mtbench':
        return
    hear(recorded)
    questions = tuple(label.question for label in recorded.asked)
    rows: dict[str, list[str]] = {'spoken': [], 'monologue': []}
    if recorded.session.get('thinks'):
        rows['oracle'] = []
    for number, turn in enumerate(recorded.turns):
        rows['spoken'].append(text(recorded.said(number)))
        rows['monologue'].append(_monologue(recorded, turn.start, turn.until))
        if 'oracle' in rows:
            rows['oracle'].append(_oracle(recorded, turn.start, turn.until))
    for row, answers in rows.items():
        for number in range(len(answers)):
            yield Asked(
                recorded.item,
                str(recorded.tags.get('question_id', '')),
                recorded.category,
                questions[: number + 1],
                tuple(answers[: number + 1]),
                recorded.repetition,
                row,
            )


def _monologue(recorded: Recorded, start: float, until: float) -> str:
    pieces = [
        str(event['text'])
        for event in recorded.events
        if event.get('topic') == 'monologue'
        and event.get('played_at') is not None
        and start <= event['played_at'] < until
    ]
    return ' '.join(''.join(pieces).split())


def _oracle(recorded: Recorded, start: float, until: float) -> str:
    rows = [
        g for g in recorded.session.get('generations', ()) if start <= g['started_at_s'] < until
    ]
    heard = [h for h in recorded.session.get('heard', ()) if start - 1 <= h['start_s'] < until]
    return last_oracle({'generations': rows, 'heard': heard})
