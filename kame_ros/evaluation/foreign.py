"""Recordings from elsewhere: pairs of wav, stereo wav, bags, and folders of Full-Duplex-Bench."""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from kame_ros.audio.wav import BadAudio, read_wav
from kame_ros.evaluation.make import unlike
from kame_ros.evaluation.recorded import Label, OnBad, Recorded, read_stereo
from kame_ros.evaluation.suite import INTERRUPTION, TURN, BadSuite, check_inside
from kame_ros.record.journal import Journal
from kame_ros.record.record import Record
from kame_ros.record.voiced import Segment
from kame_ros.text.misfit import misfit
from kame_ros.text.well_formed import written_name
from kame_ros.wire.frame import SAMPLE_RATE
from kame_ros.wire.transcript import Word

PAIRS = 'pairs.csv'
_METADATA, _BAGS = 'metadata.yaml', ('.mcap', '.db3')  # of bags
_LABELS = {  # files of Full-Duplex-Bench, and the tasks that they belong to
    'pause.json': 'fdb_pause',
    'turn_taking.json': 'fdb_turn_taking',
    'interrupt.json': 'fdb_interruption',
    'metadata.json': 'fdb_overlap',
}
_MOST = 10_000  # recordings
_SLACK_S = 0.1  # that a label may be after the end of its recording
_DEEPEST = 3  # folders in folders: tasks of a benchmark, systems


def read(folder: Path, offset_s: float = 0.0, on_bad: OnBad | None = None) -> Iterator[Recorded]:
    """All recordings of a folder, in order of their names.

    `offset_s`: the system's channel begins so much later than the user's. One that cannot be
    scored is told to `on_bad`, with its name, and left out. Raises BadSuite, BadAudio or OSError.
    """
    if not folder.is_dir():
        raise BadSuite(f'{folder} is no folder')
    found = 0
    taken: set[str] = set()
    for name, reads in _all(folder):
        found += 1
        if found > _MOST:
            raise BadSuite(f'{folder} has more than {_MOST} recordings')
        try:
            for recorded in reads():
                recorded.item = unlike(taken, written_name(recorded.item))
                recorded.robot = _shifted(recorded.robot, offset_s)
                recorded.words = _later(recorded.words, offset_s)
                yield recorded
        except (BadSuite, BadAudio, OSError) as error:
            if on_bad is None:
                raise
            on_bad(written_name(name), error)
    if not found:
        raise BadSuite(
            f'{folder} holds no recordings: pairs NAME.input.wav and NAME.output.wav, stereo wav '
            f'files, {PAIRS}, bags, or folders with input.wav and output.wav'
        )


Reads = Callable[[], Iterable[Recorded]]


def _all(folder: Path, depth: int = 1) -> Iterator[tuple[str, Reads]]:
    """The name of each recording, and what reads it: of a bag, several."""
    if (folder / PAIRS).is_file():
        yield from _listed(folder)
        return
    if (folder / _METADATA).is_file():
        yield folder.name, partial(_of_bag, folder)
        return
    if (folder / 'input.wav').is_file():
        yield folder.name, partial(_of_bench, folder)
    for path in sorted(folder.iterdir()):
        if path.is_dir() and (path / 'input.wav').is_file():
            yield path.name, partial(_of_bench, path)
        elif (path.is_dir() and (path / _METADATA).is_file()) or path.suffix in _BAGS:
            yield path.name, partial(_of_bag, path)
        elif path.is_dir() and depth < _DEEPEST:
            for name, reads in _all(path, depth + 1):
                yield f'{path.name}-{name}', partial(_below, path.name, reads)
        elif path.name.endswith('.input.wav'):
            yield path.name.removesuffix('.input.wav'), partial(_beside, path)
        elif path.suffix.lower() in ('.wav', '.flac') and path.name not in (
            'input.wav',
            'output.wav',
        ):
            if path.name.endswith('.output.wav'):
                continue
            yield path.stem, partial(_stereo, path)


def _below(folder: str, reads: Reads) -> Iterator[Recorded]:
    for recorded in reads():
        recorded.item = f'{folder}-{recorded.item}'
        yield recorded


def _beside(path: Path) -> Iterator[Recorded]:
    other = path.with_name(path.name.replace('.input.wav', '.output.wav'))
    if not other.is_file():
        raise BadSuite(f'{path} has no {other.name} beside it')
    yield _pair(path.name.removesuffix('.input.wav'), path, other)


def _of_bag(path: Path) -> Iterator[Recorded]:
    """The conversations of a bag with the sound in it, one for each robot."""
    from kame_ros.bag.bag import Bag
    from kame_ros.bag.stored import BadBag

    try:
        bag = Bag(path)
        names = bag.namespaces()
        for name in names:
            record, journal = Record(), Journal()
            bag.tell(name, record, journal)
            if not len(record.heard) or not len(record.played):
                raise BadSuite(f'{path} has no sound of both sides (audio/mic and audio/played)')
            heard = [
                {'text': f.text, 'start_s': f.start - record.t0} for f in record.finals.values()
            ]
            yield Recorded(
                path.stem if len(names) == 1 else f'{path.stem}-{name.replace("/", "-")}',
                1,
                'question',
                record.heard.samples(record.t0),
                record.answer(),
                session={
                    'outcome': 'answered',
                    'monologue': record.said(record.t0, float('inf')),
                    'heard': heard,
                    'books': list(record.books.values()),
                },
                events=list(journal.lines(record.t0)),
                folder=path.parent,
            )
    except BadBag as error:
        raise BadSuite(str(error)) from error


def _stereo(path: Path) -> Iterator[Recorded]:
    user, robot = read_stereo(path)
    yield Recorded(path.stem, 1, 'question', user, robot, folder=path.parent)


def _pair(name: str, user: Path, robot: Path, row: Mapping[str, str] | None = None) -> Recorded:
    recorded = Recorded(
        name, 1, 'question', read_wav(user).samples, read_wav(robot).samples, folder=user.parent
    )
    if row:
        recorded.labels = _labels_of(recorded, row)
    return recorded


def _labels_of(recorded: Recorded, row: Mapping[str, str]) -> tuple[Label, ...]:
    """One turn, from the begin of the user's speech to its labelled end, or its last sample."""
    accepted = tuple(filter(None, (row.get('accepted') or '').split(';;')))
    for pattern in accepted:
        try:
            re.compile(pattern)
        except re.error as error:
            raise BadSuite(
                f'accepted of {recorded.item} is no regular expression: {pattern!r} ({error})'
            ) from error
    speech = recorded.user_speech
    if not speech:
        return ()
    end = row.get('turn_end') or ''
    try:
        until = float(end) if end.strip() else speech[-1].end
    except ValueError as error:
        raise BadSuite(f'turn_end of {recorded.item} is no number: {end!r}') from error
    if not speech[0].start < until <= recorded.seconds + _SLACK_S:
        raise BadSuite(
            f'turn_end of {recorded.item} is {until:g} s: the user speaks from '
            f'{speech[0].start:.2f} s on, and the recording has {recorded.seconds:.2f} s'
        )
    text = row.get('text') or ''
    span = Segment(speech[0].start, until)
    return (Label(TURN, text, text, accepted, span.start, (span,)),)


def _listed(folder: Path) -> Iterator[tuple[str, Reads]]:
    path = folder / PAIRS
    try:
        with path.open(encoding='utf-8-sig', newline='') as file:
            rows = list(csv.DictReader(file))
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadSuite(f'{path} is no CSV in UTF-8 ({error})') from error
    for number, row in enumerate(rows, 2):
        yield f'{PAIRS}, line {number}', partial(_of_row, folder, number, row)


def _of_row(folder: Path, number: int, row: Mapping[str, str]) -> Iterator[Recorded]:
    if not row.get('input') or not row.get('output'):
        raise BadSuite(f'{folder / PAIRS}, line {number}, lacks input or output')
    user, robot = (check_inside(folder, str(row[key])) for key in ('input', 'output'))
    yield _pair(f'{number - 1:04d}-{user.stem}', user, robot, row)


def _of_bench(folder: Path) -> Iterator[Recorded]:
    """A folder of Full-Duplex-Bench: input.wav, output.wav, labels, and output.json if there is."""
    if not (folder / 'output.wav').is_file():
        raise BadSuite(f'{folder} has no output.wav: the system has not answered yet')
    user, robot = (read_wav(folder / name).samples for name in ('input.wav', 'output.wav'))
    kind = next((k for name, k in _LABELS.items() if (folder / name).is_file()), '')
    if not kind:
        kind = 'fdb_backchannel' if (folder / 'transcription.json').is_file() else 'question'
    recorded = Recorded(folder.name, 1, kind, user, robot, folder=folder, category=kind)
    recorded.words = read_words(folder / 'output.json')
    recorded.labels = _bench_labels(recorded, folder)
    yield recorded


def _bench_labels(recorded: Recorded, folder: Path) -> tuple[Label, ...]:
    kind = recorded.kind
    try:
        if kind == 'fdb_turn_taking':
            (end,) = _times(_json(folder / 'turn_taking.json')[0]['timestamp'][:1])
            begin = min((s.start for s in recorded.user_speech), default=0.0)
            return (Label(TURN, start=begin, speech=(Segment(min(begin, end), end),)),)
        if kind == 'fdb_pause':
            pauses = [_times(row['timestamp']) for row in _json(folder / 'pause.json')]
            edges = [0.0, *(x for pause in pauses for x in pause), len(recorded.user) / SAMPLE_RATE]
            parts = [Segment(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if b > a]
            return (Label(TURN, start=0.0, speech=tuple(parts)),)
        if kind == 'fdb_interruption':
            row = _json(folder / 'interrupt.json')[0]
            begin, end = _times(row['timestamp'])
            first = [s for s in recorded.user_speech if s.end <= begin]
            context = Label(TURN, str(row.get('context', '')), speech=tuple(first))
            asked = str(row.get('interrupt', ''))
            return (context, Label(INTERRUPTION, asked, asked, (), begin, (Segment(begin, end),)))
        if kind == 'fdb_overlap':
            row = _json(folder / 'metadata.json')
            begin, end = _times(row['timestamps'])
            text = str(row.get('current_turn_text', ''))
            first = [s for s in recorded.user_speech if s.end <= begin]
            over = Label('backchannel', text, text, (), begin, (Segment(begin, end),))
            return (Label(TURN, str(row.get('context_text', '')), speech=tuple(first)), over)
    except BadSuite:
        raise
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise BadSuite(f'the labels in {folder} are not understood ({misfit(error)})') from error
    return ()


def read_words(path: Path) -> list[Word]:
    """Words with times from an output.json of Full-Duplex-Bench; none without the file."""
    if not path.is_file():
        return []
    try:
        out = []
        for chunk in _json(path)['chunks']:
            start, end = chunk['timestamp']
            begin, until = _times((start, start if end is None else end))
            out.append(Word(str(chunk['text']).strip(), begin, until))
    except BadSuite:
        raise
    except (KeyError, TypeError, ValueError) as error:
        raise BadSuite(f'{path} is not understood ({misfit(error)})') from error
    return out


def _times(values: Any) -> list[float]:
    """Seconds, none before the one in front of it; raises ValueError or TypeError."""
    times = [float(value) for value in values]
    if not all(math.isfinite(t) and t >= 0 for t in times) or times != sorted(times):
        raise ValueError(f'no times of a recording: {times}')
    return times


def human_distribution(folder: Path) -> dict[str, list[float]]:
    """Of back-channels, by folder: icc_gt_distribution.json beside the folders; or none."""
    path = folder / 'icc_gt_distribution.json'
    if not path.is_file():
        return {}
    told = _json(path)
    try:
        return {str(name): [float(x) for x in values] for name, values in told.items()}
    except (AttributeError, TypeError, ValueError) as error:
        raise BadSuite(f'{path} is not understood ({misfit(error)})') from error


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding='utf-8'))
    except ValueError as error:
        raise BadSuite(f'{path} is not understood ({misfit(error)})') from error


def _later(words: list[Word], seconds: float) -> list[Word]:
    """The words, as late as their sound; those of sound that is cut off are left out."""
    moved = [replace(w, start=w.start + seconds, end=w.end + seconds) for w in words]
    return [word for word in moved if word.start >= 0]


def _shifted(samples: np.ndarray, seconds: float) -> np.ndarray:
    count = round(seconds * SAMPLE_RATE)
    if count >= 0:
        return np.concatenate([np.zeros(count, samples.dtype), samples])
    return samples[-count:]


__all__ = ['BadAudio', 'human_distribution', 'read', 'read_words']
