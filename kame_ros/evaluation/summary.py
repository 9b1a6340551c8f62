"""The figures of a run put together: shares, medians, intervals, the spread between repetitions."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from kame_ros.evaluation import statistics
from kame_ros.evaluation.measures import Score
from kame_ros.evaluation.statistics import Interval
from kame_ros.evaluation.suite import INTERRUPTION

# How an answer is taken: from the sound, from what the front-end says it said, from the oracle,
# or asked in writing.
ROWS = ('spoken', 'monologue', 'oracle', 'text')
SHARES = (
    'tor', 'cut_in', 'stopped', 'goes_on', 'survived', 'answered_remark', 'silent',
    'answered', 'played', 'taken_back',
    'fdb_pause_tor', 'fdb_turn_tor', 'fdb_interruption_tor', 'fdb_backchannel_tor',
    'fdb_overlap_resumed',
)  # fmt: skip

_OVER = (INTERRUPTION, 'backchannel', 'to_other', 'background', 'noise')
_OF_TURNS = ('answered', 'overlap_s', 'words', 'played')
_HITS = tuple(f'hit_{row}' for row in ROWS)


@dataclass
class LatencyFigures:
    """Of answers, in seconds, signed."""

    median: Interval
    p10: float
    p90: float
    p95: float
    below_0: float
    unanswered: float
    overlap_s: float
    n: int  # turns
    values: list[float] = field(default_factory=list)


@dataclass
class Summary:
    """What is shown of a run."""

    conversations: int
    repetitions: int
    irregular: int
    latency: LatencyFigures | None
    answer_latency: Interval | None
    facts: dict[str, Interval]  # by row
    facts_spread: dict[str, float]  # standard deviation between repetitions, where there are two
    by_category: dict[str, dict[str, Interval]]
    scenes: dict[str, dict[str, Interval]]  # by kind of scene, by metric
    pauses: dict[str, Interval]  # false cut-ins by length of the pause
    judged: dict[str, dict[str, Interval]]  # of MT-Bench, by row, by category; '' is the average
    judged_spread: dict[str, float]
    taken_back: Interval | None
    question_wer: float
    answer_wer: float
    sums: dict[str, float]


def summarise(scores: Sequence[Score]) -> Summary:
    """Puts the figures of a run together. Raises NotInstalled."""
    by: dict[str, list[Score]] = defaultdict(list)
    for score in scores:
        by[score.metric].append(score)
    facts = {row: _share(by[f'hit_{row}']) for row in ROWS if by[f'hit_{row}']}
    categories = sorted({s.category for s in by['hit_spoken'] if s.category})
    answers = by['answer_latency']
    return Summary(
        conversations=len({(s.item, s.repetition) for s in scores}),
        repetitions=len({s.repetition for s in scores}),
        irregular=int(sum(s.value for s in by['irregular'])),
        latency=_latency(by),
        answer_latency=_median([s.value for s in answers]) if answers else None,
        facts=facts,
        facts_spread={row: _spread(by[f'hit_{row}']) for row in facts},
        by_category={
            row: {
                name: _share([s for s in by[f'hit_{row}'] if s.category == name])
                for name in categories
            }
            for row in facts
        },
        scenes=_scenes(scores),
        pauses=_pauses(by['cut_in']),
        judged=_judged(by),
        judged_spread={
            row: _spread(by[f'judged_{row}']) for row in ROWS if by[f'judged_{row}']
        },
        taken_back=_share(by['taken_back']) if by['taken_back'] else None,
        question_wer=_rate(by['question_errors'], by['question_words']),
        answer_wer=_rate(by['answer_errors'], by['answer_words']),
        sums={
            name: sum(s.value for s in by[name])
            for name in (
                'llm_started', 'llm_cancelled', 'llm_tokens_in', 'llm_tokens_out', 'llm_cost',
                'frames_dropped', 'frames_late', 'underruns',
            )
            if by[name]
        },
    )  # fmt: skip


def per_question(scores: Sequence[Score], metric: str) -> dict[str, float]:
    """The mean of a figure over repetitions and turns, by item."""
    values: dict[str, list[float]] = defaultdict(list)
    for score in scores:
        if score.metric == metric:
            values[score.item].append(score.value)
    return {item: float(np.mean(found)) for item, found in sorted(values.items())}


def _share(scores: Sequence[Score]) -> Interval:
    """Of yes and no: after Wilson where each item was led once, else by bootstrap over items."""
    if len({s.repetition for s in scores}) <= 1:
        return statistics.wilson(int(sum(s.value for s in scores)), len(scores))
    items: dict[str, list[float]] = defaultdict(list)
    for score in scores:
        items[score.item].append(score.value)
    found = statistics.bootstrap([float(np.mean(v)) for v in items.values()])
    return Interval(found.value, found.low, found.high, len(scores))


def _median(values: Sequence[float]) -> Interval:
    return statistics.bootstrap(values, lambda x: float(np.median(x)))


def _spread(scores: Sequence[Score]) -> float:
    runs: dict[int, list[float]] = defaultdict(list)
    for score in scores:
        runs[score.repetition].append(score.value)
    means = [float(np.mean(values)) for values in runs.values()]
    return float(np.std(means, ddof=1)) if len(means) > 1 else math.nan


def _latency(by: dict[str, list[Score]]) -> LatencyFigures | None:
    # Scenes have their own times: an interruption's is given there.
    kinds = {'question', 'mtbench', 'smooth', 'pause', 'fdb_turn_taking'}
    turns = [s for s in by['answered'] if s.kind in kinds]
    values = [s.value for s in by['latency'] if s.kind in kinds]
    if not turns:
        return None
    overlaps = [s.value for s in by['overlap_s'] if s.kind in kinds]
    p10, p90, p95 = statistics.quantiles(values, 0.1, 0.9, 0.95)
    return LatencyFigures(
        median=_median(values),
        p10=p10,
        p90=p90,
        p95=p95,
        below_0=float(np.mean([v < 0 for v in values])) if values else math.nan,
        unanswered=1 - sum(s.value for s in turns) / len(turns),
        overlap_s=float(np.mean(overlaps)) if overlaps else 0.0,
        n=len(turns),
        values=values,
    )


def _scenes(scores: Sequence[Score]) -> dict[str, dict[str, Interval]]:
    plain = {'question', 'mtbench'}
    found: dict[str, dict[str, list[Score]]] = defaultdict(lambda: defaultdict(list))
    for score in scores:
        if score.kind in plain or score.scorer in ('session', 'stt', 'stranger'):
            continue
        if score.metric in _OF_TURNS or (score.metric in _HITS and score.metric != 'hit_spoken'):
            continue
        if score.kind in _OVER and score.turn and (score.kind, score.turn) != (INTERRUPTION, 2):
            continue  # of the question before, or an answer that is owed to nobody
        found[score.kind][score.metric].append(score)
    return {
        kind: {
            metric: _share(rows)
            if metric in SHARES or metric == 'hit_spoken'
            else _median([row.value for row in rows])
            for metric, rows in sorted(metrics.items())
        }
        for kind, metrics in sorted(found.items())
    }


def _pauses(scores: Sequence[Score]) -> dict[str, Interval]:
    """The names of our scenes tell the length: pause-0.8-um@voice."""
    groups: dict[str, list[Score]] = defaultdict(list)
    for score in scores:
        if score.kind == 'pause':
            groups[score.item.partition('@')[0].removeprefix('pause-')].append(score)
    return {name: _share(rows) for name, rows in sorted(groups.items())}


def _judged(by: dict[str, list[Score]]) -> dict[str, dict[str, Interval]]:
    out: dict[str, dict[str, Interval]] = {}
    for row in ROWS:
        rows = by[f'judged_{row}']
        if not rows:
            continue
        groups: dict[str, list[float]] = {}
        for category in sorted({s.category for s in rows}):
            found = per_question([s for s in rows if s.category == category], f'judged_{row}')
            groups[category] = list(found.values())
        out[row] = {name: statistics.bootstrap(values) for name, values in groups.items()}
        out[row][''] = statistics.stratified(groups)
    return out


def _rate(wrong: Sequence[Score], wanted: Sequence[Score]) -> float:
    count = sum(s.value for s in wanted)
    return sum(s.value for s in wrong) / count if count else math.nan
