"""`kame eval compare`: whether two runs of one suite differ, question by question."""

from __future__ import annotations

import argparse
from typing import Any

from rich.markup import escape
from rich.table import Table

from kame_ros.commands.show import console, fail, refuse
from kame_ros.evaluation.run_folder import BadRun, told_or
from kame_ros.evaluation.score_file import read_scores
from kame_ros.evaluation.statistics import holm, paired
from kame_ros.evaluation.suite import BadSuite
from kame_ros.evaluation.summary import per_question
from kame_ros.evaluation.words import NotInstalled
from kame_ros.text.os_errors import in_words

_METRICS = (
    'hit_spoken', 'hit_monologue', 'hit_oracle', 'hit_text', 'judged_spoken', 'judged_monologue',
    'latency', 'answer_latency', 'answered', 'overlap_s', 'tor', 'cut_in', 'goes_on', 'stopped',
)  # fmt: skip


def compare(args: argparse.Namespace) -> int:
    """Compares A with B; refuses what cannot be compared."""
    try:
        return _compare(args)
    except BadSuite as error:
        return refuse(error)
    except (BadRun, NotInstalled, OSError) as error:
        return fail(escape(in_words(error)))


def _compare(args: argparse.Namespace) -> int:
    (a, how_a), (b, how_b) = read_scores(args.a), read_scores(args.b)
    _check(told_or(args.a, {}), told_or(args.b, {}), how_a, how_b)
    metrics = [args.metric] if args.metric else list(_METRICS)
    found = {}
    for metric in metrics:
        of_a, of_b = per_question(a, metric), per_question(b, metric)
        if set(of_a) & set(of_b):
            found[metric] = paired(of_a, of_b)
    if not found:
        known = sorted({s.metric for s in a} & {s.metric for s in b})
        what = args.metric or 'any figure of an answer'
        raise BadSuite(f'the runs do not both have {what}; both have {", ".join(known)}')
    corrected = holm([c.p for c in found.values()])
    table = Table(title=f'{args.a} minus {args.b}')
    for column in ('figure', 'questions', 'difference (95 %)', 'more / less', 'p', 'p (Holm)', ''):
        table.add_column(column)
    for (metric, c), p in zip(found.items(), corrected, strict=True):
        table.add_row(
            metric,
            str(c.difference.n),
            c.difference.text(3, True),
            f'{c.better} / {c.worse}',
            f'{c.p:.3f}',
            f'{p:.3f}',
            'differs' if p < 0.05 else 'may be chance',
        )
    console.print(table)
    console.print(
        'of each question the mean over repetitions; yes and no by the exact test of McNemar, '
        'others by flipping signs; intervals by bootstrap over questions',
        style='dim',
    )
    return 0


def _check(
    a: dict[str, Any], b: dict[str, Any], how_a: dict[str, Any], how_b: dict[str, Any]
) -> None:
    """Raises BadSuite for another suite, other voices, another recogniser or judge."""
    pairs = [(key, a.get(key), b.get(key)) for key in ('suite', 'suite_sha256', 'voices')]
    pairs += [(key, how_a.get(key), how_b.get(key)) for key in ('stt', 'judge', 'compat')]
    for key, left, right in pairs:
        if left != right:
            raise BadSuite(f'they cannot be compared: {key} is {left} and {right}')
