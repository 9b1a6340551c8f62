"""`kame ask`: a spoken question in, the spoken answer out."""

from __future__ import annotations

import argparse
import json
import time
from functools import partial
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn

from kame_ros.audio.wav import BadAudio, Sound, WavWriter, read_wav
from kame_ros.commands.bring_up import (
    bring_up,
    explain,
    first_listeners,
    load,
    no_loudspeaker,
    trial,
)
from kame_ros.commands.follow import consumers, following
from kame_ros.commands.get import get_missing
from kame_ros.commands.show import console, fail, refuse, turn_table, warnings
from kame_ros.commands.writable import check_writable
from kame_ros.evaluation.voice_meter import VoiceMeter
from kame_ros.fetch.errors import FetchError
from kame_ros.graph.description import Graph, load_graph
from kame_ros.graph.names import BadConfig
from kame_ros.graph.processes import Taken
from kame_ros.graph.surroundings import BadSurroundings
from kame_ros.nodes.visitor.conductor import BringUpError
from kame_ros.nodes.visitor.running_graph import RunningGraph, Stopped
from kame_ros.record.end_watch import EndWatch
from kame_ros.record.ending import OF_ITS_OWN, Ending
from kame_ros.record.record import Record, RecordedTurn, turn_record
from kame_ros.record.speech import speech_segments
from kame_ros.runtime.weights import CorruptWeights, MissingWeights
from kame_ros.text.os_errors import in_words
from kame_ros.text.well_formed import printable
from kame_ros.trust.private_folder import NoPrivateFolder
from kame_ros.wire.frame import FRAME_S

_TRIES = 3  # of a node that ends while the question is asked
_DRAIN_S = 3.0  # for the last frames to be played after the ear is closed


def ask(args: argparse.Namespace) -> int:
    """Runs a graph on a recording and records what it answers."""
    try:
        sound = read_wav(args.question)
        for doubt in sound.doubts:
            console.print(f'[yellow]{escape(str(args.question))}:[/] {doubt}', soft_wrap=True)
        for path in filter(None, (args.output, args.json)):
            check_writable(path)
        graph = _graph(args)
        followers = consumers(args.consumer, graph)
        get_missing(graph, args.get)
    except BadConfig as error:
        return refuse(error)
    except (BadAudio, FetchError, OSError) as error:
        return fail(escape(in_words(error)))
    record = Record(transcribes='stt' in graph.names)
    watch = EndWatch(_ending('oracle' in graph.names), record, _voice())
    try:
        with trial(graph, args) as graph_run:
            try:
                with following(graph_run, followers, [record, watch]):
                    outcome = _converse(graph_run, record, watch, sound, args.patience)
            except BringUpError as error:
                return explain(graph_run, error)
    except (Taken, BadSurroundings, NoPrivateFolder, OSError) as error:
        return fail(escape(in_words(error)))
    except Stopped:
        return fail('stopped')
    return _report(args, graph_run, record, outcome)


def _graph(args: argparse.Namespace) -> Graph:
    names = load_graph(args.config, namespace=args.namespace).names
    # The question is what --set cannot change.
    args.set = [
        *args.set,
        'audio_capture.source=wav',
        f'audio_capture.wav={args.question.resolve()}',
        f'audio_capture.wait_for_listeners={first_listeners(names, args.record)}',
    ]
    return load(args, no_loudspeaker(names))


def _ending(thinks: bool) -> Ending:
    return Ending(thinks, None if thinks else OF_ITS_OWN)


def _voice() -> VoiceMeter | None:
    """What tells speech from the noise of a codec; without Silero, loudness does."""
    try:
        return VoiceMeter()
    except (MissingWeights, CorruptWeights, ImportError):
        return None


def _turns(record: Record) -> list[RecordedTurn]:
    try:
        return record.turns(speech_segments)
    except ImportError:  # without faster-whisper, loudness tells where there is speech
        return record.turns()


def _converse(
    run: RunningGraph, record: Record, watch: EndWatch, sound: Sound, patience: float
) -> str:
    """Brings the graph up, lets it hear the question and waits for the end of the answer."""
    bring_up(run, patience)
    bars = Progress(
        TextColumn('{task.description}'), BarColumn(), TextColumn('{task.fields[text]}')
    )
    with bars:
        task = bars.add_task('listening', total=sound.duration, text='')
        outcome = ''
        while not outcome:
            run.spin(0.1)
            run.revive(give_up_after=_TRIES)
            heard = len(record.heard) * FRAME_S
            last = max(record.finals.values(), key=lambda f: f.start, default=None)
            text = record.partial or (last.text if last else '')
            over = heard >= sound.duration
            bars.update(
                task,
                completed=heard,
                description='answering' if over else 'listening',
                text=escape(text[-60:]),
            )
            outcome = watch.outcome
    _drain(run)
    return outcome


def _drain(run: RunningGraph) -> None:
    """Closes the ear, lets the mouth play what is on its way, and hears the last counters."""
    if 'audio_capture' in run.graph.names:
        run.conductor.deactivate(['audio_capture'])
    end = time.monotonic() + _DRAIN_S
    while time.monotonic() < end and not all_played(run):
        run.spin(0.1)
    rest = [name for name in reversed(run.graph.names) if name != 'audio_capture']
    run.conductor.deactivate(rest)
    run.spin(0.2)


def all_played(run: RunningGraph) -> bool:
    """Whether each frame that was sent has been heard, and none of the answers is on its way."""
    count = counters(run)
    answers, waiting = _told(run, 'audio_playback', 'pushed'), _told(run, 'audio_playback', 'depth')
    return count['frames_in'] == count['frames_heard'] == answers and not waiting


def _told(run: RunningGraph, name: str, *keys: str) -> int:
    """The sum of some counters that a node told last."""
    health = run.conductor.health.get(name)
    values = (health.values or {}) if health else {}
    return sum(int(float(values.get(key, 0))) for key in keys)


def counters(run: RunningGraph) -> dict[str, int]:
    """The counters of a session, summed over the nodes from what they told last.

    `frames_flushed` were thrown away on purpose, when the user interrupted. `frames_left_out` were
    silent: they make up for silence that was played while nothing came (`underruns`). Neither is
    a loss.
    """
    of = partial(_told, run)
    return {
        'frames_in': of('audio_capture', 'frames_sent'),
        'frames_heard': of('s2s', 'frames_in'),
        'frames_out': of('audio_playback', 'played'),
        'frames_dropped': of('s2s', 'frames_dropped', 'frames_missing')
        + of('audio_playback', 'dropped_speech', 'skipped', 'late'),
        'frames_left_out': of('audio_playback', 'dropped_silent'),
        'frames_flushed': of('audio_playback', 'flushed', 'frames_flushed'),
        'frames_late': of('s2s', 'frames_late'),
        'frames_concealed': of('audio_playback', 'concealed'),
        'underruns': of('audio_playback', 'underruns'),
        'stt_frames_dropped': of('stt', 'frames_dropped'),
        'oracle_chunks_dropped': of('s2s', 'oracle_dropped'),
    }


def _report(args: argparse.Namespace, run: RunningGraph, record: Record, outcome: str) -> int:
    turns = _turns(record)
    count = counters(run)
    told = {
        'config': run.graph.config,
        'nodes': list(run.graph.names),
        'models': {
            name: health.values['model']
            for name, health in run.conductor.health.items()
            if health.values and health.values.get('model')
        },
        'outcome': outcome,
        'turns': [turn_record(turn, record.t0, record.generations.first) for turn in turns],
        'counters': count,
        'diagnostics': {n: h.values or {} for n, h in run.conductor.health.items()},
    }
    if turns:
        console.print(turn_table(turns))
    unwritten = written(args, record, told)
    left_out = f', {count["frames_left_out"]} silent left out' if count['frames_left_out'] else ''
    console.print(
        f'[dim]{count["frames_in"]} frames heard, {count["frames_out"]} played, '
        f'{count["frames_dropped"]} lost{left_out}[/]'
        + (f'   answer: {args.output}' if args.output and not unwritten else '')
    )
    for name, line in warnings(run.conductor.health):
        console.print(f'[yellow]{name}[/]: {escape(printable(line))}', soft_wrap=True)
    if outcome == 'nothing heard':
        console.print('no speech was heard in the recording')
    elif outcome != 'answered':
        return fail(escape(outcome))
    return int(unwritten)


def written(args: argparse.Namespace, record: Record, told: dict[str, Any]) -> bool:
    """Writes what was asked for; True if something of it could not be, of which it tells."""
    failed = False
    for path, write in (
        (args.output, lambda: _write_answer(args.output, record)),
        (args.json, lambda: _write_record(args.json, told)),
    ):
        try:
            if path:
                write()
        except (BadAudio, OSError) as error:
            reason = getattr(error, 'strerror', None)
            fail(escape(f'{path} cannot be written ({reason})' if reason else str(error)))
            failed = True
    return failed


def _write_answer(path: Path, record: Record) -> None:
    with WavWriter(path) as writer:
        writer.write(record.answer())


def _write_record(path: Path, told: dict[str, Any]) -> None:
    path.write_text(json.dumps(told, indent=2, ensure_ascii=False) + '\n', encoding='utf-8')
