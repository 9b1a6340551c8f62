"""The pictures of a report: score against latency, latencies, pauses, the time line of a turn."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kame_ros.evaluation.published import POINTS, SOURCE
from kame_ros.evaluation.recorded import Recorded
from kame_ros.evaluation.statistics import Interval
from kame_ros.evaluation.words import INSTALL, NotInstalled
from kame_ros.record.speech import common
from kame_ros.record.voiced import Segment

_COLOURS = ('#2f6db5', '#d9742b', '#3a9a5b', '#b5443a', '#7a5ab0', '#8a6a4a', '#4aa5b0')
_STATES = {'applied': '#3a9a5b', 'superseded': '#c9b458', 'cancelled': '#bbbbbb'}


@dataclass(frozen=True)
class Point:
    """A run in the picture of score against latency; those of one `line` are joined."""

    name: str
    line: str
    latency: Interval
    score: Interval


def _pyplot() -> Any:
    try:
        import matplotlib as mpl
    except ImportError as error:
        raise NotInstalled(INSTALL) from error
    mpl.use('Agg')
    import matplotlib.pyplot as plt

    plt.rcParams['svg.hashsalt'] = 'kame'  # the same picture for the same figures
    plt.rcParams['svg.fonttype'] = 'none'
    return plt


def _svg(figure: Any) -> str:
    out = io.StringIO()
    figure.savefig(out, format='svg', metadata={'Date': None})
    _pyplot().close(figure)
    text = out.getvalue()
    return text[text.index('<svg') :]


def score_latency(points: Sequence[Point], of: str, published: bool = False) -> str:
    """Score against the median of the latency, with the intervals of both, as SVG.

    `of` names the score. `published` adds the points of the paper, hollow.
    """
    plt = _pyplot()
    figure, axis = plt.subplots(figsize=(7, 4.2), constrained_layout=True)
    lines = list(dict.fromkeys(point.line for point in points))
    for number, line in enumerate(lines):
        colour = _COLOURS[number % len(_COLOURS)]
        mine = sorted((p for p in points if p.line == line), key=lambda p: p.latency.value)
        for p in mine:
            axis.errorbar(
                p.latency.value,
                p.score.value,
                xerr=_around(p.latency),
                yerr=_around(p.score),
                fmt='o',
                color=colour,
                capsize=3,
                lw=1,
            )
        axis.plot(
            [p.latency.value for p in mine], [p.score.value for p in mine], color=colour, lw=1
        )
        if mine:
            at = (mine[-1].latency.value, mine[-1].score.value)
            beside = 6 - 12 * (number % 2)  # lines may end in one place
            axis.annotate(line, at, textcoords='offset points', xytext=(7, beside), color=colour)
    if published:
        for number, point in enumerate(POINTS):
            axis.plot(point.latency_s, point.score, 'o', mfc='none', mec='#555555')
            at = (point.latency_s, point.score)
            label = f'{point.system} (published)'
            beside = 4 if number % 2 else -10  # two of them have nearly one place
            axis.annotate(
                label, at, textcoords='offset points', xytext=(7, beside), color='#555555'
            )
        axis.set_title(f'hollow: {SOURCE}', fontsize=7, color='#555555')
    axis.axvline(0, color='#999999', lw=0.8, ls=':')
    axis.set_xlabel('latency, median (s), from the last sample of the user')
    axis.set_ylabel(of)
    axis.spines[['top', 'right']].set_visible(False)
    axis.margins(0.15)
    return _svg(figure)


def _around(found: Interval) -> list[list[float]]:
    edges = [found.value - found.low, found.high - found.value]
    return [[max(0.0, 0.0 if math.isnan(edge) else edge)] for edge in edges]


def latencies(values: Mapping[str, Sequence[float]]) -> str:
    """A histogram and the share of answers that have begun by then, as SVG."""
    plt = _pyplot()
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2), constrained_layout=True)
    every = [v for found in values.values() for v in found] or [0.0]
    low, high = min(-0.25, *every), max(1.0, *every)
    bins = np.arange(math.floor(low * 4) / 4, math.ceil(high * 4) / 4 + 0.26, 0.25)
    for number, (name, found) in enumerate(values.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        left.hist(found, bins, histtype='step', color=colour, label=name)
        if found:
            x = np.sort(np.asarray(found))
            right.step(x, np.arange(1, len(x) + 1) / len(x), where='post', color=colour)
    for axis, label in ((left, 'answers'), (right, 'share of answers that began')):
        axis.axvline(0, color='#333333', lw=0.8, ls=':')
        axis.set_xlabel('latency (s); left of 0 the user still spoke')
        axis.set_ylabel(label)
        axis.spines[['top', 'right']].set_visible(False)
    left.legend(frameon=False, fontsize=8)
    return _svg(figure)


def pauses(shares: Mapping[str, Mapping[str, Interval]]) -> str:
    """How often a run spoke into a pause, by its length in seconds, as SVG."""
    plt = _pyplot()
    figure, axis = plt.subplots(figsize=(6, 3), constrained_layout=True)
    for number, (name, found) in enumerate(shares.items()):
        plain = {float(k): v for k, v in found.items() if k.replace('.', '', 1).isdigit()}
        x = sorted(plain)
        colour = _COLOURS[number % len(_COLOURS)]
        axis.plot(x, [plain[k].value for k in x], 'o-', color=colour, label=name)
    axis.set_ylim(-0.05, 1.05)
    axis.set_xlabel('length of the pause (s)')
    axis.set_ylabel('spoke into it')
    axis.spines[['top', 'right']].set_visible(False)
    axis.legend(frameon=False, fontsize=8)
    return _svg(figure)


def time_line(recorded: Recorded) -> str:
    """Who spoke when, what was heard, thought and said, as SVG."""
    plt = _pyplot()
    figure, axis = plt.subplots(figsize=(10, 3.4), constrained_layout=True)
    rows = ('user', 'heard', 'LLM', 'said', 'robot')
    places = {name: len(rows) - 1 - n for n, name in enumerate(rows)}
    spans = [s for label in recorded.labels for s in label.speech] or recorded.user_speech
    _bars(axis, spans, places['user'], _COLOURS[0])
    _bars(axis, recorded.robot_speech, places['robot'], _COLOURS[1])
    for both in common(spans, recorded.robot_speech):
        axis.axvspan(both.start, both.end, color='#d9742b', alpha=0.2, lw=0)
    end = recorded.seconds
    for event in recorded.events:
        if event['topic'] == 'transcript' and event['t'] <= end:
            y, mark = places['heard'], '|' if not event['final'] else 'D'
            axis.plot(event['t'], y, mark, color='#2f6db5', ms=8 if mark == '|' else 5)
            if event['final']:
                axis.annotate(_short(event['text']), (event['t'], y), **_BESIDE)
        elif event['topic'] == 'monologue' and event.get('played_at') is not None:
            axis.annotate(
                str(event['text']).strip()[:14],
                (event['played_at'], places['said']),
                rotation=60,
                fontsize=6,
                va='center',
            )
    _generations(axis, recorded, places['LLM'], end)
    for turn in recorded.turns:
        axis.axvline(turn.end, color='#333333', lw=0.7, ls=':')
        if turn.response is not None and turn.latency is not None:
            at = ((turn.end + turn.response.start) / 2, places['robot'] + 0.42)
            axis.annotate(f'{turn.latency:+.2f} s', at, fontsize=7, ha='center')
    axis.set_yticks(list(places.values()), list(places))
    axis.set_ylim(-0.7, len(rows) - 0.3)
    axis.set_xlim(0, end)
    axis.set_xlabel('seconds')
    axis.set_title(recorded.item, fontsize=9, loc='left')
    axis.spines[['top', 'right']].set_visible(False)
    return _svg(figure)


_BESIDE = {'textcoords': 'offset points', 'xytext': (6, 4), 'fontsize': 7}


def _bars(axis: Any, segments: Sequence[Segment], y: float, colour: str) -> None:
    axis.broken_barh([(s.start, s.end - s.start) for s in segments], (y - 0.25, 0.5), color=colour)


def _generations(axis: Any, recorded: Recorded, y: float, end: float) -> None:
    over = {
        event['generation']: event['t']
        for event in recorded.events
        if event['topic'] == 'turn'
        and event['kind'] in ('GENERATION_ENDED', 'GENERATION_CANCELLED', 'GENERATION_FAILED')
    }
    ends = sorted(over.values())
    for number, generation in enumerate(recorded.session.get('generations', ())):
        begin = generation['started_at_s']
        until = next((t for t in ends if t >= begin), min(end, begin + 0.2))
        colour = _STATES.get(generation['state'], '#bbbbbb')
        height = y + 0.25 - 0.22 * (number % 3)
        axis.broken_barh([(begin, max(0.05, until - begin))], (height - 0.1, 0.18), color=colour)
        if generation['state'] == 'applied':
            axis.annotate(_short(generation['text']), (until, height - 0.1), fontsize=6)


def _short(text: str) -> str:
    return text if len(text) <= 48 else f'{text[:46]}…'
