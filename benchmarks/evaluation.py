"""How good each configuration is: facts and scenes through the graph, and the mouth that is held.

    python benchmarks/evaluation.py --dry-run     # how long it takes
    python benchmarks/evaluation.py --results     # leads, scores, and fills the tables of the docs
    python benchmarks/evaluation.py --facts 15 --scenes 12 --hold-facts 10 --results   # a part

Each configuration is asked the same questions, a repetition of all before the next one, so that a
slow hour of the machine meets all alike. What was led stays in --work: stopped with Ctrl-C, or by
--minutes, it goes on there when it is started again. `--minutes 0` leads nothing, and scores and
tells what there is. Chosen questions are spread over the list, one voice after the other.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import evaluation_tables
import figures as figure_places
from option_types import configuration, how_often, in_minutes, made_folder
from result_file import FOLDER, ROOT, Load, Results, busy_with

from kame_ros.evaluation.figures import Point, score_latency
from kame_ros.evaluation.measures import Score
from kame_ros.evaluation.run_folder import RunFolder, RunPlace
from kame_ros.evaluation.score_file import SCORES, SCORING, read_scores
from kame_ros.evaluation.statistics import Interval, wilson
from kame_ros.evaluation.suite import Item, Suite
from kame_ros.evaluation.suite import load as load_suite
from kame_ros.evaluation.summary import Summary, summarise

_BRING_UP_S = 20.0  # until the models of a graph are loaded, roughly
_SCORE_S = 4.0  # of a conversation that is heard by the stranger, roughly
_WRITTEN_S = 2.0  # of an answer in writing, roughly
# Scenes in the order in which fewer are chosen: what the tables tell of stands first.
_SCENES = (
    'pause-',
    'interrupt-',
    'backchannel-',
    'smooth-',
    'to-other',
    'background',
    'noise-',
    '',
)
_PICTURE = ROOT / 'docs' / 'pictures' / evaluation_tables.PICTURE


@dataclass(frozen=True)
class Part:
    """A repetition of some items with a configuration: one call of `kame eval run`."""

    suite: Suite
    items: tuple[Item, ...]
    config: str
    repetition: int
    hold_s: float = 0.0
    written: bool = False  # asked in writing, without the graph

    @property
    def name(self) -> str:
        """Of the folder of the run, which has all repetitions."""
        if self.written:
            return 'text'
        held = f'-hold-{self.hold_s:g}' if self.hold_s else ''
        return f'{self.suite.name}-{self.config}{held}'

    def todo(self, work: Path) -> tuple[Item, ...]:
        """What of it is not led yet."""
        folder = RunFolder(work / self.name)
        if self.written:
            texts = folder.path / 'texts'
            return tuple(i for i in self.items if not (texts / f'{i.id}.1.json').is_file())
        return tuple(i for i in self.items if not folder.is_done(RunPlace(i.id, self.repetition)))

    def about_s(self, items: Sequence[Item]) -> float:
        """Roughly how long it takes to lead these and to score them."""
        if not items:
            return 0.0
        if self.written:
            return _WRITTEN_S * len(items)
        held = self.hold_s * sum(cue.asks for item in items for cue in item.cues)
        return _BRING_UP_S + self.suite.about_s(items) + held + _SCORE_S * len(items)

    def command(self, work: Path) -> list[str]:
        """`kame eval run` goes on where it was: it leads the repetitions before, too."""
        return [
            *(sys.executable, '-m', 'kame_ros.cli', 'eval', 'run', str(self.suite.folder)),
            *('-o', str(work / self.name), '--config', self.config),
            *('--items', ','.join(item.id for item in self.items)),
            *('--repeat', str(self.repetition)),
            *(('--hold', f'{self.hold_s:g}') if self.hold_s else ()),
            *(('--text-only',) if self.written else ()),
        ]


def spread(items: Sequence[Item], voices: Sequence[str], count: int) -> tuple[Item, ...]:
    """So many questions, evenly over the list, one voice after the other; each question once before
    one is asked again in another voice.
    """
    by_voice = [[item for item in items if item.voice == voice] for voice in voices]
    questions = len(by_voice[0])
    chosen: list[Item] = []
    for turn in range(len(voices)):
        left = min(questions, count - len(chosen))
        places = [round(n * questions / left) for n in range(left)] if left > 0 else []
        chosen += [by_voice[(n + turn) % len(voices)][place] for n, place in enumerate(places)]
    return tuple(chosen)


def first_scenes(items: Sequence[Item], voices: Sequence[str], count: int) -> tuple[Item, ...]:
    """So many scenes: each kind in one voice before one comes again in another."""
    by_scene: dict[str, dict[str, Item]] = {}
    for item in items:
        by_scene.setdefault(item.id.partition('@')[0], {})[item.voice] = item
    names = sorted(
        by_scene, key=lambda name: [name.startswith(kind) for kind in _SCENES].index(True)
    )
    chosen: list[Item] = []
    for turn in range(len(voices)):
        for number, name in enumerate(names):
            spoken = by_scene[name]
            found = spoken.get(voices[(number + turn) % len(voices)])
            if turn == 0 and found is None:  # that scene has one voice
                found = next(iter(spoken.values()))
            if found is not None and found not in chosen:
                chosen.append(found)
    return tuple(chosen[:count])


def parts(options: argparse.Namespace, facts: Suite, scenes: Suite) -> list[Part]:
    """All that is to be led, in order: after the first repetition there is something of each."""
    asked = spread(facts.items, options.voices, options.facts)
    led = first_scenes(scenes.items, options.voices, options.scenes)
    every = tuple(item for item in facts.items if item.voice == options.voices[0])
    found = [Part(facts, every, options.configs[0], 1, written=True)]
    for repetition in range(1, options.repeat + 1):
        for suite, items in ((facts, asked), (scenes, led)):
            found += [Part(suite, items, config, repetition) for config in options.configs if items]
        if repetition <= options.hold_repeat:
            held = tuple(asked[n] for n in _evenly(len(asked), options.hold_facts))
            found += [
                Part(facts, held, config, repetition, delay)
                for delay in options.hold
                if delay > 0
                for config in options.configs
                if held
            ]
    return found


def _evenly(count: int, wanted: int) -> list[int]:
    wanted = min(count, wanted)
    return [round(n * count / wanted) for n in range(wanted)]


def suites(options: argparse.Namespace) -> tuple[Suite, Suite]:
    """Makes the two suites, where they are not there yet."""
    made = []
    for name in ('facts', 'scenes'):
        folder = options.work / f'suite-{name}-{"-".join(options.voices)}'
        if not (folder / 'suite.json').is_file():
            kame('make', name, '--voices', ','.join(options.voices), '-o', str(folder))
        made.append(load_suite(folder))
    return made[0], made[1]


def kame(*arguments: str) -> None:
    """Runs `kame eval`; raises SystemExit where it fails."""
    _call([sys.executable, '-m', 'kame_ros.cli', 'eval', *arguments])


def _call(command: list[str]) -> None:
    process = subprocess.Popen(command)
    try:
        status = process.wait()
    except KeyboardInterrupt:
        process.wait()  # it was told as well, and ends its graph
        raise SystemExit('stopped: what was led is kept, start it again to go on') from None
    if status:
        raise SystemExit(f'{" ".join(command[3:6])} ended with {status}; start it again to go on')


def lead(todo: Sequence[Part], work: Path, minutes: float) -> None:
    """Leads part after part; none begins that would not end within `minutes`."""
    until = time.monotonic() + 60 * minutes
    for number, part in enumerate(todo, 1):
        items = part.todo(work)
        if not items:
            continue
        if time.monotonic() + part.about_s(items) > until:
            print(f'no time for {part.name}, repetition {part.repetition}, any more')
            return
        print(f'{number} of {len(todo)}: {part.name}, repetition {part.repetition}', flush=True)
        load, began = Load(), time.monotonic()
        _call(part.command(work))
        row = {'run': part.name, 'repetition': part.repetition, 'seconds': time.monotonic() - began}
        row |= {'others_cores': load.told(True)['others_cores'], 'written': part.written}
        with (work / 'parts.jsonl').open('a', encoding='utf-8') as file:
            file.write(json.dumps(row) + '\n')


def others_cores(work: Path) -> float | None:
    """The cores that other programs took while conversations were led; a mean over their time.

    None where it is not known.
    """
    path = work / 'parts.jsonl'
    rows = [json.loads(x) for x in path.read_text().splitlines()] if path.is_file() else []
    timed = [row for row in rows if not row['written']]
    seconds = sum(row['seconds'] for row in timed)
    return sum(r['others_cores'] * r['seconds'] for r in timed) / seconds if seconds else None


def score(all_parts: Sequence[Part], work: Path) -> None:
    """Scores the runs that hold more than was scored; what was heard once is not heard again."""
    for name in dict.fromkeys(part.name for part in all_parts):
        run = work / name
        led = list((run / 'items').glob('*/*/done.json')) + list((run / 'texts').glob('*.json'))
        if not led:
            continue
        newest = max(path.stat().st_mtime for path in led)
        scored = run / SCORES
        if (run / SCORING).is_file() and scored.is_file() and scored.stat().st_mtime > newest:
            continue
        print(f'scoring {name}', flush=True)
        _call([sys.executable, '-m', 'kame_ros.cli', 'eval', 'score', str(run)])


def of_items(work: Path, name: str, items: Sequence[Item]) -> list[Score]:
    """The scores of a run, of these items only; none where it is not scored."""
    if not (work / name / SCORES).is_file():
        return []
    wanted = {item.id for item in items}
    return [s for s in read_scores(work / name)[0] if s.item in wanted]


def measured(all_parts: Sequence[Part], work: Path, configs: Sequence[str]) -> dict[str, Any]:
    """The figures of the result file."""
    by_run: dict[str, Part] = {part.name: part for part in all_parts}
    facts = next(p for p in all_parts if p.suite.name == 'facts' and not p.written)
    held = next((p.items for p in all_parts if p.hold_s), ())
    told: dict[str, Any] = {}
    for config in configs:
        told[config] = {}
        if scores := of_items(work, f'facts-{config}', facts.items):
            told[config]['facts'] = _answers(summarise(scores))
        part = by_run.get(f'scenes-{config}')
        if part and (scores := of_items(work, part.name, part.items)):
            told[config]['scenes'] = _scenes(summarise(scores))
        told[config]['hold'] = {
            f'{delay:g}': _held(scores)
            for delay, name in _delays(by_run, config)
            if (scores := of_items(work, name, held))
        }
    return {
        'questions': len({item.id.partition('@')[0] for item in facts.items}),
        'voices': list(facts.suite.voices),
        'text': _text(work, facts.items),
        'configs': {name: config for name, config in told.items() if any(config.values())},
    }


def _delays(by_run: Mapping[str, Part], config: str) -> Iterator[tuple[float, str]]:
    yield 0.0, f'facts-{config}'
    for name, part in by_run.items():
        if part.hold_s and part.config == config:
            yield part.hold_s, name


def _text(work: Path, items: Sequence[Item]) -> dict[str, Any] | None:
    """What the LLM alone answers rightly in writing: of the chosen questions, and of all."""
    if not (work / 'text' / SCORES).is_file():
        return None
    rows = [s for s in read_scores(work / 'text')[0] if s.metric == 'hit_text']
    right = {s.item.partition('@')[0]: s.value for s in rows}
    chosen = sorted({item.id.partition('@')[0] for item in items} & set(right))
    return {
        'all': _told(wilson(int(sum(right.values())), len(right))),
        'chosen': {'right': sum(right[name] for name in chosen), 'of': len(chosen)},
    }


def _told(found: Interval | None) -> dict[str, Any] | None:
    """A share: how many of how many."""
    if found is None or not found.n:
        return None
    right = round(found.value * found.n, 6)
    return {'right': right, 'of': found.n, 'low': _number(found.low), 'high': _number(found.high)}


def _figure(found: Interval | None) -> dict[str, Any] | None:
    if found is None or not found.n:
        return None
    names = ('value', 'low', 'high')
    return {**{name: _number(getattr(found, name)) for name in names}, 'of': found.n}


def _number(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 4)


def _answers(s: Summary) -> dict[str, Any]:
    latency = s.latency
    return {
        'conversations': s.conversations,
        'repetitions': s.repetitions,
        'irregular': s.irregular,
        'right': {row: _told(found) for row, found in s.facts.items()},
        'spread': _number(s.facts_spread.get('spoken', math.nan)),
        'latency_s': _figure(latency.median) if latency else None,
        'p10_s': _number(latency.p10) if latency else None,
        'p90_s': _number(latency.p90) if latency else None,
        'below_0': _number(latency.below_0) if latency else None,
        'unanswered': _number(latency.unanswered) if latency else None,
        'overlap_s': _number(latency.overlap_s) if latency else None,
        'answer_latency_s': _figure(s.answer_latency),
        'wer_heard': _number(s.question_wer),
        'wer_said': _number(s.answer_wer),
        'taken_back': _told(s.taken_back),
    }


def _scenes(s: Summary) -> dict[str, Any]:
    def of(kind: str, metric: str) -> Interval | None:
        return s.scenes.get(kind, {}).get(metric)

    return {
        'scenes': s.conversations // max(1, s.repetitions),
        'repetitions': s.repetitions,
        'irregular': s.irregular,
        'cut_in': _told(of('pause', 'cut_in')),
        'cut_in_by_pause_s': {name: _told(found) for name, found in s.pauses.items()},
        'stopped': _told(of('interruption', 'stopped')),
        'stop_s': _figure(of('interruption', 'stop_s')),
        'goes_on': _told(of('backchannel', 'goes_on')),
        'survived': _told(of('backchannel', 'survived')),
        'smooth': _told(of('smooth', 'tor')),
        'to_other': _told(of('to_other', 'goes_on')),
        'background': _told(of('background', 'goes_on')),
        'noise': _told(of('noise', 'goes_on')),
        'silent': _told(of('silence', 'silent')),
    }


def _held(scores: Sequence[Score]) -> dict[str, Any]:
    s = summarise(scores)
    return {
        'questions': len({score.item for score in scores}),
        'repetitions': s.repetitions,
        'spoken': _told(s.facts.get('spoken')),
        'latency_s': _figure(s.latency.median) if s.latency else None,
    }


def picture(told: Mapping[str, Any]) -> str:
    """Right answers against latency, a line for each configuration, as SVG; '' without delays."""
    points = []
    for config, found in told['configs'].items():
        for delay, point in found['hold'].items():
            share, latency = point['spoken'], point['latency_s']
            if share and latency:
                value = Interval(share['right'] / share['of'], share['low'], share['high'], 1)
                middle = Interval(latency['value'], latency['low'], latency['high'], 1)
                points.append(Point(f'{config} {delay}', config, middle, value))
    if not any(len(found['hold']) > 1 for found in told['configs'].values()):
        return ''
    return score_latency(points, 'share of right answers, spoken')


def tell(told: Mapping[str, Any]) -> None:
    """Draws the picture, and puts the tables into the files between their marks."""
    if drawn := picture(told):
        _PICTURE.write_text(drawn, encoding='utf-8')
        print(f'drawn: {_PICTURE.relative_to(ROOT)}')
    for path, _, after in figure_places.drifted():
        path.write_text(after, encoding='utf-8')
        print(f'filled: {path.relative_to(ROOT)}')


def _plan(all_parts: Sequence[Part], work: Path) -> str:
    lines, total = [], 0.0
    for name in dict.fromkeys(part.name for part in all_parts):
        mine = [part for part in all_parts if part.name == name]
        seconds = sum(part.about_s(part.todo(work)) for part in mine)
        done = sum(len(part.items) - len(part.todo(work)) for part in mine)
        count = sum(len(part.items) for part in mine)
        total += seconds
        lines.append(
            f'  {name:28} {done:4} of {count:4} led, about {seconds / 60:4.0f} minutes left'
        )
    return '\n'.join([*lines, f'  {"in all":28} about {total / 60:.0f} minutes, scoring included'])


def _names(text: str) -> list[str]:
    return [name for name in text.split(',') if name]


def _configurations(text: str) -> list[str]:
    return [configuration(name) for name in _names(text)]


def _delays_of(text: str) -> list[float]:
    try:
        delays = [float(name) for name in _names(text)]
    except ValueError:
        delays = [-1.0]
    if any(not 0 <= delay <= 30 for delay in delays):
        raise argparse.ArgumentTypeError(f'delays are 0 to 30 s, not {text!r}')
    return delays


def main() -> None:
    """Leads, scores and tells."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--configs', type=_configurations, default='cascade,tandem,kame-small')
    parser.add_argument('--voices', type=_names, default='hibari,slt,rms', help='slt, rms: flite')
    parser.add_argument('--facts', type=how_often(), default=40, help='questions (default: 40)')
    parser.add_argument(
        '--scenes', type=how_often(0), default=21, help='scenes, or 0 (default: 21)'
    )
    parser.add_argument('--repeat', type=how_often(), default=3, help='repetitions (default: 3)')
    parser.add_argument('--hold', type=_delays_of, default='0,0.5,1,2', help='s, or 0 for none')
    parser.add_argument(
        '--hold-facts', type=how_often(), default=20, help='of the questions (default: 20)'
    )
    parser.add_argument(
        '--hold-repeat', type=how_often(), default=1, help='repetitions (default: 1)'
    )
    parser.add_argument('--work', type=made_folder, default=str(ROOT / 'build' / 'evaluation'))
    parser.add_argument(
        '--minutes', type=in_minutes, default=math.inf, help='begin nothing after them'
    )
    parser.add_argument('--dry-run', action='store_true', help='only says how long it takes')
    writer = Results(parser, 'evaluation')
    options = parser.parse_args()
    all_parts = parts(options, *suites(options))
    print(_plan(all_parts, options.work), flush=True)
    if options.dry_run:
        return
    lead(all_parts, options.work, options.minutes)
    score(all_parts, options.work)
    told = measured(all_parts, options.work, options.configs)
    cores = others_cores(options.work)
    writer.write(options, told, told, None if cores is None else busy_with(cores))
    if options.results == FOLDER / evaluation_tables.RESULT:
        tell(told)


if __name__ == '__main__':
    main()
