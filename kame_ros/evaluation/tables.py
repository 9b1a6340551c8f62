"""The tables of a report as plain cells, so that the screen, Markdown and CSV show the same."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping
from dataclasses import dataclass

from kame_ros.evaluation.measures import DEFINITIONS
from kame_ros.evaluation.statistics import Interval
from kame_ros.evaluation.summary import ROWS, Summary
from kame_ros.record.sound_turns import DEFINITION

_PERCENT = 100.0


@dataclass(frozen=True)
class Table:
    """Cells, and the definitions that are printed under them."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()

    def markdown(self) -> str:
        """As Markdown."""
        lines = [
            f'**{self.title}**',
            '',
            f'| {" | ".join(self.columns)} |',
            f'|{"---|" * len(self.columns)}',
            *(f'| {" | ".join(cell.replace("|", "/") for cell in row)} |' for row in self.rows),
            '',
            *self.notes,
        ]
        return '\n'.join(lines) + '\n'

    def csv(self) -> str:
        """As CSV."""
        out = io.StringIO()
        writer = csv.writer(out)
        writer.writerow(self.columns)
        writer.writerows(self.rows)
        return out.getvalue()


def seconds(value: float | None) -> str:
    """Signed, or a dash."""
    return '-' if value is None or math.isnan(value) else f'{value:+.2f} s'


def percent(value: float) -> str:
    """Or a dash."""
    return '-' if math.isnan(value) else f'{value * _PERCENT:.0f} %'


def share(found: Interval | None) -> str:
    """Hits, how many they are of, and the interval."""
    if found is None or not found.n:
        return '-'
    hits = found.value * found.n
    count = f'{hits:.0f}' if abs(hits - round(hits)) < 0.01 else f'{hits:.1f}'
    low, high = found.low * _PERCENT, found.high * _PERCENT
    return f'{count} of {found.n} ({low:.0f}-{high:.0f} %)'


def main_table(runs: Mapping[str, Summary]) -> Table:
    """Answers and times, a line for each run."""
    columns = (
        'run', *ROWS, 's.d. of runs', 'latency (median)', 'p10', 'p90', 'p95', '< 0',
        'unanswered', 'overlap', 'answer latency', 'WER heard', 'WER said', 'taken back', 'n',
    )  # fmt: skip
    rows = []
    for name, s in runs.items():
        latency = s.latency
        rows.append(
            (
                name,
                *(share(s.facts.get(row)) for row in ROWS),
                percent(s.facts_spread.get('spoken', math.nan)),
                '-'
                if latency is None or not latency.values
                else f'{latency.median.value:+.2f} s ({latency.median.low:+.2f} to '
                f'{latency.median.high:+.2f})',
                seconds(latency.p10 if latency else None),
                seconds(latency.p90 if latency else None),
                seconds(latency.p95 if latency else None),
                percent(latency.below_0) if latency else '-',
                percent(latency.unanswered) if latency else '-',
                f'{latency.overlap_s:.2f} s' if latency else '-',
                seconds(s.answer_latency.value if s.answer_latency else None),
                percent(s.question_wer),
                percent(s.answer_wer),
                share(s.taken_back),
                str(latency.n if latency else s.conversations),
            )
        )
    kept = [n for n, _ in enumerate(columns) if n == 0 or any(row[n] != '-' for row in rows)]
    return Table(
        'answers and times',
        tuple(columns[n] for n in kept),
        tuple(tuple(row[n] for n in kept) for row in rows),
        (
            f'{DEFINITION}.',
            f'{DEFINITIONS["answer_latency"]}. {DEFINITIONS["unanswered"]}. '
            f'{DEFINITIONS["overlap_s"]}.',
            'Right answers: spoken as the stranger hears them, monologue as the front-end says it '
            'spoke, oracle as the LLM wrote it for the whole question, text as the LLM answers in '
            'writing. In brackets: 95 % intervals.',
        ),
    )


def scene_table(runs: Mapping[str, Summary]) -> Table:
    """Scenes of turn-taking, a line for each figure, a column for each run."""
    lines: dict[tuple[str, str], dict[str, str]] = {}
    runs = {name: summary for name, summary in runs.items() if summary.scenes}
    for name, summary in runs.items():
        for kind, metrics in summary.scenes.items():
            for metric, found in metrics.items():
                lines.setdefault((kind, metric), {})[name] = figure(metric, found)
        for length, found in summary.pauses.items():
            lines.setdefault(('pause', f'cut_in after {length} s'), {})[name] = share(found)
    used = {metric for _, metric in lines}
    defined = [text for name, text in DEFINITIONS.items() if name in used]
    return Table(
        'scenes',
        ('scene', 'figure', *runs),
        tuple(
            (kind, metric, *(cells.get(name, '-') for name in runs))
            for (kind, metric), cells in sorted(lines.items())
        ),
        (
            *([f'{". ".join(defined)}.'] if defined else []),
            'Figures of fewer than ten events tell of these scenes only.',
        ),
    )


def figure(metric: str, found: Interval) -> str:
    """A share, a time or a count."""
    from kame_ros.evaluation.summary import SHARES

    if metric in SHARES or metric.startswith('hit_'):
        return share(found)
    if not found.n or math.isnan(found.value):
        return '-'
    unit = ' s' if metric.endswith(('latency', '_s', 'stop', 'response')) else ''
    return f'{found.value:.2f}{unit} (n = {found.n})'


def judge_table(
    runs: Mapping[str, Summary], judges: Mapping[str, str], stts: Mapping[str, str]
) -> Table:
    """MT-Bench: a line for each run and way of taking its answers."""
    categories = sorted({c for s in runs.values() for row in s.judged.values() for c in row if c})
    rows = [
        (
            name,
            row,
            *(_points(found.get(c)) for c in categories),
            _points(found.get('')),
            '-' if math.isnan(summary.judged_spread.get(row, math.nan))
            else f'{summary.judged_spread[row]:.2f}',
            judges.get(name, ''),
            stts.get(name, '') if row == 'spoken' else '-',
        )
        for name, summary in runs.items()
        for row, found in summary.judged.items()
    ]  # fmt: skip
    return Table(
        'MT-Bench',
        ('run', 'of', *categories, 'average', 's.d. of runs', 'judge', 'recogniser'),
        tuple(rows),
        (
            'Points from 1 to 10; means over both turns and all runs, 95 % intervals by bootstrap '
            'over questions. A turn without an answer has 1. Rows of different judges cannot be '
            'compared.',
        ),
    )


def _points(found: Interval | None) -> str:
    return '-' if found is None or not found.n else found.text(2)
