"""The tables of docs/evaluation.md and README.md, made of benchmarks/results/evaluation.json.

They stand between two marks in the files; `figures.py` puts them there and finds those that have
drifted. No program of its own.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

BEGIN, END = '<!-- measured -->', '<!-- end -->'
RESULT = 'evaluation.json'
PICTURE = 'score-latency.svg'
_BLOCK = re.compile(f'{BEGIN}\n.*?{END}', re.DOTALL)
_WIDTH = 120
_NUMBERS = ('no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten')

Told = Mapping[str, Any]


class BlockError(ValueError):
    """A file without the marks, or with more than one pair of them."""


def blocks(results: Path) -> dict[str, str]:
    """The text between the marks, by file from the root; none without a result."""
    path = results / RESULT
    if not path.is_file():
        return {}
    told = json.loads(path.read_text(encoding='utf-8'))
    return {'docs/evaluation.md': full(told), 'README.md': short(told)}


def filled(text: str, block: str) -> str:
    """A file's text with the block between its marks; raises BlockError."""
    found = _BLOCK.findall(text)
    if len(found) != 1:
        raise BlockError(f'{len(found)} pairs of {BEGIN} and {END}, where one is wanted')
    return _BLOCK.sub(lambda _: f'{BEGIN}\n{block.strip()}\n{END}', text)


def full(result: Told) -> str:
    """All that was measured: answers and times, scenes, and the mouth that is held."""
    figures = result['figures']
    configs = figures['configs']
    parts = [_paragraph(_about(result), _written(figures), _times(figures))]
    parts.append(_table(configs, 'facts', _ANSWERS))
    if scenes := _of(configs, 'scenes'):
        parts.append(_paragraph(_scenes_about(scenes)))
        parts.append(_table(configs, 'scenes', _scene_rows(scenes)))
    if any(len(c['hold']) > 1 for c in configs.values() if c.get('hold')):
        parts.append(_paragraph(_hold_about(_of(configs, 'hold'))))
        parts.append(_hold_table(_of(configs, 'hold')))
        parts.append(f'![Right answers against latency](pictures/{PICTURE})')
    return '\n\n'.join(parts)


def short(result: Told) -> str:
    """What the README tells of it."""
    figures = result['figures']
    text = _paragraph(_about(result), _written(figures))
    return f'{text}\n\n{_table(figures["configs"], "facts", _SHORT)}'


def _paragraph(*sentences: str) -> str:
    text = ' '.join(filter(None, sentences))
    return '\n'.join(textwrap.wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False))


def _count(number: int) -> str:
    return _NUMBERS[number] if number < len(_NUMBERS) else str(number)


def _often(counts: set[int]) -> str:
    return 'once' if counts == {1} else f'{" or ".join(map(_count, sorted(counts)))} times'


def _about(result: Told) -> str:
    machine = result['machine']
    cores = f'{_count(machine["cores"])} cores ({machine["processor"]})'
    gpu = machine.get('gpu') or 'no GPU'
    where = f'On {cores}, {gpu}, with the embedded models'
    if result['busy']:
        where += (
            f', **while other programs took {result["others_cores"]:.1f} of the cores**, so that '
            'all times are too long'
        )
    return f'{where} ({result["date"]}).'


def _written(figures: Told) -> str:
    text = figures.get('text')
    every = f'Of these {figures["questions"]} questions of `facts`'
    if not text:
        return f'{every} it is not known how many the LLM alone answers in writing.'
    low, high = 100 * text['all']['low'], 100 * text['all']['high']
    return (
        f'{every} the LLM alone (SmolLM2-135M) answers {text["chosen"]["right"]:g} in writing, and '
        f'{text["all"]["right"]:g} of all {text["all"]["of"]} ({low:.0f}-{high:.0f} %).'
    )


def _times(figures: Told) -> str:
    counts = {c['facts']['repetitions'] for c in figures['configs'].values() if c.get('facts')}
    voices = figures['voices']
    return (
        f'Asked {_often(counts)}, in the '
        f'voice{"s" if len(voices) > 1 else ""} {", ".join(voices)}. In brackets: 95 %.'
    )


Row = tuple[str, Callable[[Told], str]]


def _of(configs: Told, part: str) -> dict[str, Told]:
    return {name: config[part] for name, config in configs.items() if config.get(part)}


def _table(configs: Told, part: str, rows: Sequence[Row]) -> str:
    told = _of(configs, part)
    names = ' | '.join(f'`{name}`' for name in told)
    lines = [f'| | {names} |', '|---' * (1 + len(told)) + '|']
    for label, cell in rows:
        lines.append(f'| {label} | {" | ".join(cell(config) for config in told.values())} |')
    return '\n'.join(lines)


def _share(share: Told | None) -> str:
    """Right or yes, of how many; repetitions are pooled."""
    return '-' if not share or not share['of'] else f'{share["right"]:g} of {share["of"]}'


def _three(right: Told) -> str:
    shares = [right.get(name) for name in ('oracle', 'monologue', 'spoken')]
    counts = {share['of'] for share in shares if share}
    if len(counts) != 1:
        return ', '.join(map(_share, shares))
    numbers = ', '.join(f'{share["right"]:g}' if share else '-' for share in shares)
    return f'{numbers} of {counts.pop()}'


def _interval(share: Told | None) -> str:
    if not share or not share['of']:
        return '-'
    return f'{_share(share)} ({100 * share["low"]:.0f}-{100 * share["high"]:.0f} %)'


def _seconds(value: float | None) -> str:
    return '-' if value is None else f'{value:+.2f} s'


def _length_s(value: float | None) -> str:
    return '-' if value is None else f'{value:.2f} s'


def _median(figure: Told | None) -> str:
    if not figure or figure['value'] is None:
        return '-'
    return f'{figure["value"]:+.2f} s ({figure["low"]:+.2f} to {figure["high"]:+.2f})'


def _percent(value: float | None) -> str:
    return '-' if value is None else f'{100 * value:.0f} %'


def _points(value: float | None) -> str:
    return '-' if value is None else f'{100 * value:.1f} points'


_ANSWERS: tuple[Row, ...] = (
    ('right: as the LLM wrote them (oracle)', lambda c: _share(c['right'].get('oracle'))),
    ('… as the front-end spoke them (monologue)', lambda c: _share(c['right'].get('monologue'))),
    ('… **as a stranger heard them (spoken)**', lambda c: _interval(c['right'].get('spoken'))),
    ('s.d. of the spoken share between repetitions', lambda c: _points(c['spread'])),
    ('**latency, median**', lambda c: _median(c['latency_s'])),
    ('latency, p10 and p90', lambda c: f'{_seconds(c["p10_s"])}, {_seconds(c["p90_s"])}'),
    ('answer latency (the word that answers), median', lambda c: _median(c['answer_latency_s'])),
    (
        'unanswered; begun before the end; overlap',
        lambda c: '; '.join(
            (_percent(c['unanswered']), _percent(c['below_0']), _length_s(c['overlap_s']))
        ),
    ),
    (
        'word errors: what it heard, what a stranger hears of it',
        lambda c: f'{_percent(c["wer_heard"])}, {_percent(c["wer_said"])}',
    ),
    ('answers taken back', lambda c: _share(c['taken_back'])),
    ('without a regular end', lambda c: f'{c["irregular"]} of {c["conversations"]}'),
)  # fmt: skip

_SHORT: tuple[Row, ...] = (
    (
        'right: as the LLM wrote them, as they were said, as a stranger heard them',
        lambda c: _three(c['right']),
    ),
    ('latency, median', lambda c: _seconds((c['latency_s'] or {}).get('value'))),
    (
        'answer latency (the word that answers), median',
        lambda c: _seconds((c['answer_latency_s'] or {}).get('value')),
    ),
)


def _scenes_about(scenes: Mapping[str, Told]) -> str:
    count = max(s['scenes'] for s in scenes.values())
    counts = {s['repetitions'] for s in scenes.values()}
    return (
        f'{count} conversation{"s" * (count > 1)} of `scenes`, each {_often(counts)}: figures of '
        'fewer than ten events tell of these only.'
    )


def _scene_rows(scenes: Mapping[str, Told]) -> list[Row]:
    lengths = sorted({n for s in scenes.values() for n in s['cut_in_by_pause_s']}, key=_pause)

    def by_length(length: str) -> Callable[[Told], str]:
        return lambda s: _share(s['cut_in_by_pause_s'].get(length))

    rows: list[Row] = [('spoke into a pause', lambda s: _interval(s['cut_in']))]
    for length in lengths:
        seconds, _, um = length.partition('-')
        rows.append((f'… of {seconds} s{" after an um" if um else ""}', by_length(length)))
    rows += [
        ('interrupted: stopped within 2 s', lambda s: _interval(s['stopped'])),
        ('time to stop, median', lambda s: _length_s((s['stop_s'] or {}).get('value'))),
        ('"uh-huh", "right", "okay": went on without a pause', lambda s: _interval(s['goes_on'])),
        ('… survived: went on, at once or later, answered none', lambda s: _share(s['survived'])),
    ]  # fmt: skip
    more: tuple[Row, ...] = (
        ('took a smooth turn', lambda s: _share(s['smooth'])),
        ('went on while the user spoke to somebody else', lambda s: _share(s['to_other'])),
        ('… while another voice spoke in the background', lambda s: _share(s['background'])),
        ('… at a cough', lambda s: _share(s['noise'])),
        ('silent at cough, knock and music', lambda s: _share(s['silent'])),
    )
    rows += [row for row in more if any(row[1](s) != '-' for s in scenes.values())]
    return [row for row in rows if any(row[1](s) != '-' for s in scenes.values())]


def _pause(name: str) -> tuple[float, str]:
    seconds, _, um = name.partition('-')
    return float(seconds), um


def _hold_about(holds: Mapping[str, Told]) -> str:
    count = max(point['questions'] for hold in holds.values() for point in hold.values())
    return (
        f'The mouth held until the user has been silent for so long (`--hold`), {count} of these '
        'questions: right as a stranger heard them, and the median of the latency.'
    )


def _hold_table(holds: Mapping[str, Told]) -> str:
    delays = sorted({delay for hold in holds.values() for delay in hold}, key=float)
    lines = [
        f'| held for | {" | ".join(f"`{name}`" for name in holds)} |',
        '|---' * (1 + len(holds)) + '|',
    ]
    for delay in delays:
        cells = [_held(hold.get(delay)) for hold in holds.values()]
        lines.append(f'| {float(delay):g} s | {" | ".join(cells)} |')
    return '\n'.join(lines)


def _held(point: Told | None) -> str:
    if not point:
        return '-'
    return f'{_share(point["spoken"])}, {_seconds((point["latency_s"] or {}).get("value"))}'
