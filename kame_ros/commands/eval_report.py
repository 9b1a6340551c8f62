"""`kame eval report`: a page with tables, pictures and sound, of one run or several."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from rich.markup import escape

from kame_ros.audio.wav import BadAudio
from kame_ros.commands.eval_show import LeftOut, all_tables, rich, tell_left_out
from kame_ros.commands.show import console, fail, refuse
from kame_ros.evaluation import figures
from kame_ros.evaluation.figures import Point
from kame_ros.evaluation.measures import Score
from kame_ros.evaluation.page import MOST_SOUND_S, Row, page, sound_of
from kame_ros.evaluation.published import POINTS, SOURCE, TEXT_ONLY
from kame_ros.evaluation.recorded import Recorded, of_scored_run, text
from kame_ros.evaluation.run_folder import RUN, BadRun, told_or
from kame_ros.evaluation.score_file import SCORES, read_scores
from kame_ros.evaluation.suite import BadSuite
from kame_ros.evaluation.summary import Summary, summarise
from kame_ros.evaluation.tables import Table
from kame_ros.evaluation.words import NotInstalled
from kame_ros.text.os_errors import in_words

_TIME_LINES = 2  # of each run


def report(args: argparse.Namespace) -> int:
    """Writes the report; what is wrong is said in one sentence."""
    try:
        return _report(args)
    except BadSuite as error:
        return refuse(error)
    except (BadRun, BadAudio, NotInstalled, OSError) as error:
        return fail(escape(in_words(error)))


def _report(args: argparse.Namespace) -> int:
    names = _names(args.runs)
    scored = {name: read_scores(path) for name, path in names.items()}
    told = {name: told_or(path, {'config': path.name}) for name, path in names.items()}
    _check_alike(scored)
    summaries = {name: summarise(scores) for name, (scores, _) in scored.items()}
    tables = all_tables(summaries, {name: scoring for name, (_, scoring) in scored.items()})
    if args.published:
        tables.append(_published())
    for table in tables:
        console.print(rich(table))
    args.output.mkdir(parents=True, exist_ok=True)
    pictures = _pictures(summaries, told, args.published)
    rows: list[Row] = []
    left = MOST_SOUND_S
    bad = LeftOut()
    for name, path in names.items():
        if not (path / RUN).is_file() or told[name].get('text_only'):
            continue
        scores = scored[name][0]
        for number, recorded in enumerate(of_scored_run(path, bad)):
            row, left = _row(name, recorded, scores, left)
            rows.append(row)
            if number < _TIME_LINES:
                caption = f'{name}: dotted lines are ends of turns; shaded: both speak'
                pictures.append((caption, figures.time_line(recorded)))
    _write(args.output, tables, pictures, scored)
    facts = [_facts(name, told[name], scored[name][1]) for name in names]
    title = f'kame eval: {", ".join(names)}'
    (args.output / 'index.html').write_text(
        page(title, [], tables, pictures, rows, facts), encoding='utf-8'
    )
    console.print(f'the page: {args.output / "index.html"}')
    tell_left_out(bad)
    return int(bool(bad))


def _names(paths: list[Path]) -> dict[str, Path]:
    names: dict[str, Path] = {}
    if len({path.resolve() for path in paths}) < len(paths):
        raise BadSuite('a run is given twice')
    for path in paths:
        name = path.resolve().name
        if name in names:
            name = f'{path.resolve().parent.name}/{name}'
        names[name if name not in names else str(path)] = path
    return names


def _check_alike(scored: dict[str, tuple[list[Score], dict[str, Any]]]) -> None:
    """Figures of other recognisers are no neighbours in one table."""
    stts = {str(scoring.get('stt')) for _, scoring in scored.values() if scoring.get('stt')}
    if len(stts) > 1:
        raise BadSuite(f'the runs were heard by different recognisers: {", ".join(sorted(stts))}')


def _published() -> Table:
    rows = [
        (
            p.system,
            *(('-', '-', '-') if p.categories is None else (f'{c:.2f}' for c in p.categories)),
            f'{p.score:.2f}',
            f'{p.latency_s:.1f} s',
        )
        for p in POINTS
    ]
    rows.append(('text of the final oracle', '-', '-', '-', f'{TEXT_ONLY:.2f}', '-'))
    return Table(
        'published by others (not measured here)',
        ('system', 'reasoning', 'STEM', 'humanities', 'average', 'latency'),
        tuple(rows),
        (f'{SOURCE}. They cannot be compared with figures of another judge.',),
    )


def _pictures(
    summaries: dict[str, Summary], told: dict[str, dict[str, Any]], published: bool
) -> list[tuple[str, str]]:
    out = []
    facts, judged = [], []
    for name, s in summaries.items():
        if s.latency is None or not s.latency.values:
            continue
        line, suite = str(told[name].get('config', name)), told[name].get('suite')
        if 'spoken' in s.facts and suite != 'scenes':  # whose questions are few, and long
            facts.append(Point(name, line, s.latency.median, s.facts['spoken']))
        if 'spoken' in s.judged:
            judged.append(Point(name, line, s.latency.median, s.judged['spoken']['']))
    if facts:
        caption = 'right answers against latency; lines join runs of one configuration (--hold)'
        of = 'share of right answers, spoken'
        out.append((caption, figures.score_latency(facts, of)))
    if judged or published:
        caption = 'MT-Bench against latency; hollow points are published, not measured'
        of = 'MT-Bench, spoken (1 to 10)'
        out.append((caption, figures.score_latency(judged, of, published)))
    values = {n: s.latency.values for n, s in summaries.items() if s.latency and s.latency.values}
    if values:
        out.append(('latency of all answers', figures.latencies(values)))
    pauses = {n: s.pauses for n, s in summaries.items() if s.pauses}
    if pauses:
        out.append(('false cut-ins by length of the pause', figures.pauses(pauses)))
    return out


def _row(name: str, recorded: Recorded, scores: list[Score], left: float) -> tuple[Row, float]:
    mine = [s for s in scores if (s.item, s.repetition) == (recorded.item, recorded.repetition)]
    figures_of = {s.metric: s.value for s in mine}
    hit = figures_of.get('hit_spoken')
    sound = ''
    if recorded.seconds <= left:
        sound, left = sound_of(recorded), left - recorded.seconds
    row = Row(
        name,
        f'{recorded.item} {recorded.repetition}',
        ' / '.join(label.text for label in recorded.labels),
        ' / '.join(str(h['text']) for h in recorded.session.get('heard', ())),
        text(recorded.words),
        None if hit is None else bool(hit),
        figures_of.get('latency'),
        sound,
    )
    return row, left


def _write(
    folder: Path,
    tables: list[Table],
    pictures: list[tuple[str, str]],
    scored: dict[str, tuple[list[Score], dict[str, Any]]],
) -> None:
    markdown = '\n'.join(table.markdown() for table in tables)
    (folder / 'tables.md').write_text(markdown, encoding='utf-8')
    for table in tables:
        name = ''.join(c if c.isalnum() else '-' for c in table.title.lower())
        (folder / f'{name}.csv').write_text(table.csv(), encoding='utf-8')
    for number, (_, svg) in enumerate(pictures, 1):
        (folder / f'figure-{number}.svg').write_text(svg, encoding='utf-8')
    lines = ['run,item,repetition,kind,category,turn,metric,value,scorer']
    for name, (scores, _) in scored.items():
        for s in scores:
            cells = (name, s.item, s.repetition, s.kind, s.category, s.turn, s.metric, s.value)
            lines.append(
                ','.join(f'"{c}"' if ',' in str(c) else str(c) for c in (*cells, s.scorer))
            )
    (folder / SCORES.replace('.jsonl', '.csv')).write_text('\n'.join(lines) + '\n', 'utf-8')


def _facts(name: str, told: dict[str, Any], scoring: dict[str, Any]) -> str:
    machine = told.get('machine', {})
    parts = [
        f'{name}: configuration {told.get("config")}, suite {told.get("suite", "recordings")}',
        f'voices {", ".join(told.get("voices", ())) or "-"}',
        f'heard by {scoring.get("stt", "-")}',
    ]
    if scoring.get('left_out'):
        parts.append(f'{len(scoring["left_out"])} recordings could not be scored')
    if scoring.get('judge'):
        parts.append(f'judged by {scoring["judge"]}')
    if machine:
        parts.append(
            f'{machine.get("cores")} cores of {machine.get("cpu")}, '
            f'{machine.get("gpu") or "no GPU"}, '
            f'load {machine.get("load_before")} before and {told.get("load_after", "?")} after'
        )
        parts.append(f'kame_ros {told.get("kame_ros")} {", ".join(told.get("commits", ()))}')
        parts.append(f'{told.get("begun")} to {told.get("ended", "?")}')
    if told.get('player_frames_late'):
        parts.append(f'{told["player_frames_late"]} frames of the player were late')
    return '; '.join(parts)
