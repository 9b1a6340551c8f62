"""`kame ask`: a spoken question in, the spoken answer out."""

from __future__ import annotations

import argparse
import json
import os
import time
from functools import partial
from pathlib import Path

from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn

from kame_ros.audio.frame import FRAME_S
from kame_ros.audio.wav import BadAudio, Sound, WavWriter, read_wav
from kame_ros.commands.bring_up import bring_up, explain, overrides
from kame_ros.commands.show import console, fail, turn_table
from kame_ros.dialogue.ending import Ending
from kame_ros.dialogue.session import Session, turn_record
from kame_ros.graph import BadConfig, Graph, load_graph
from kame_ros.nodes.conductor import BringUpError
from kame_ros.nodes.listener import SessionListener
from kame_ros.nodes.running_graph import RunningGraph, Stopped, running

_DRAIN_S = 3.0  # for the last frames to be played after the ear is closed
_LISTENERS = {'s2s', 'stt'}  # who hears audio/mic, beside this command


def ask(args: argparse.Namespace) -> int:
    """Runs a graph on a recording and records what it answers."""
    try:
        sound = read_wav(args.question)
        for path in filter(None, (args.output, args.json)):
            check_writable(path)
        graph = _graph(args)
    except (BadAudio, BadConfig, OSError) as error:
        return fail(escape(str(error)))
    session, ending = Session(), Ending(thinks='oracle' in graph.names)
    try:
        with running(graph, domain=args.domain, discovery=args.discovery) as graph_run:
            try:
                outcome = _converse(graph_run, session, ending, sound, args.patience)
            except BringUpError as error:
                return explain(graph_run, error)
    except Stopped:
        return fail('stopped')
    return _report(args, graph_run, session, outcome)


def _graph(args: argparse.Namespace) -> Graph:
    values = overrides(args.set)
    listeners = _LISTENERS & set(load_graph(args.config).names)
    values.setdefault('audio_capture', {}).update(
        source='wav', wav=str(args.question.resolve()), wait_for_listeners=len(listeners) + 1
    )
    values.setdefault('audio_playback', {}).setdefault('sink', 'null')
    if 'stt' in listeners:  # no loudspeaker is heard in a recording
        values.setdefault('stt', {}).setdefault('echo_guard', False)
    return load_graph(args.config, namespace=args.namespace, overrides=values)


def check_writable(path: Path) -> None:
    """Raises OSError, in words, for a file that could not be written later."""
    if path.is_dir():
        raise OSError(f'{path} is a folder, not a file')
    folder = path.resolve().parent
    if not folder.is_dir():
        raise OSError(f'{path} cannot be written: there is no folder {folder}')
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise OSError(f'{path} cannot be written: permission denied')


def _converse(
    run: RunningGraph, session: Session, ending: Ending, sound: Sound, patience: float
) -> str:
    """Brings the graph up, lets it hear the question and waits for the end of the answer."""
    listener = SessionListener(run.node, run.graph, session, ending)
    bring_up(run, patience)
    bars = Progress(
        TextColumn('{task.description}'), BarColumn(), TextColumn('{task.fields[text]}')
    )
    with bars:
        task = bars.add_task('listening', total=sound.duration, text='')
        outcome = ''
        while not outcome:
            run.spin(0.1)
            run.revive()
            heard = len(session.heard) * FRAME_S
            last = max(session.finals.values(), key=lambda f: f.start, default=None)
            text = session.partial or (last.text if last else '')
            over = heard >= sound.duration
            bars.update(
                task,
                completed=heard,
                description='answering' if over else 'listening',
                text=escape(text[-60:]),
            )
            outcome = ending.done(listener.now)
    _drain(run)
    return outcome


def _drain(run: RunningGraph) -> None:
    """Closes the ear, lets the mouth play what is on its way, and hears the last counters."""
    if 'audio_capture' in run.graph.names:
        run.conductor.deactivate(['audio_capture'])
    end = time.monotonic() + _DRAIN_S
    while time.monotonic() < end and not _all_played(run):
        run.spin(0.1)
    rest = [name for name in reversed(run.graph.names) if name != 'audio_capture']
    run.conductor.deactivate(rest)
    run.spin(0.2)


def _all_played(run: RunningGraph) -> bool:
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


def _report(args: argparse.Namespace, run: RunningGraph, session: Session, outcome: str) -> int:
    turns = session.turns()
    count = counters(run)
    record = {
        'config': run.graph.config,
        'nodes': list(run.graph.names),
        'models': {
            name: health.values['model']
            for name, health in run.conductor.health.items()
            if health.values and health.values.get('model')
        },
        'outcome': outcome,
        'turns': [turn_record(turn, session.t0, session.generations.first) for turn in turns],
        'counters': count,
        'diagnostics': {n: h.values or {} for n, h in run.conductor.health.items()},
    }
    try:
        if args.output:
            with WavWriter(args.output) as writer:
                writer.write(session.answer())
        if args.json:
            args.json.write_text(
                json.dumps(record, indent=2, ensure_ascii=False) + '\n', encoding='utf-8'
            )
    except (BadAudio, OSError) as error:
        return fail(escape(str(error)))
    if turns:
        console.print(turn_table(turns))
    left_out = f', {count["frames_left_out"]} silent left out' if count['frames_left_out'] else ''
    console.print(
        f'[dim]{count["frames_in"]} frames heard, {count["frames_out"]} played, '
        f'{count["frames_dropped"]} lost{left_out}[/]'
        + (f'   answer: {args.output}' if args.output else '')
    )
    if outcome == 'nothing heard':
        console.print('no speech was heard in the recording')
        return 0
    return 0 if outcome == 'answered' else fail(outcome)
