"""`kame eval score`: what was recorded is heard by a stranger, measured, and judged."""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.markup import escape

from kame_ros.audio.wav import BadAudio
from kame_ros.commands.eval_show import LeftOut, tables, tell_left_out
from kame_ros.commands.show import bar, console, fail, refuse
from kame_ros.evaluation import foreign
from kame_ros.evaluation.fdb_measures import fdb_measure
from kame_ros.evaluation.measures import Score, measure
from kame_ros.evaluation.recorded import OnBad, Recorded, heard_path, of_run, words_of
from kame_ros.evaluation.run_folder import RUN, BadRun, RunFolder
from kame_ros.evaluation.score_file import read_scores, write_scores
from kame_ros.evaluation.stranger import TimedWhisper
from kame_ros.evaluation.suite import MANIFEST, BadSuite
from kame_ros.evaluation.words import NotInstalled, normal
from kame_ros.oracle.llm.clients.base import LlmError
from kame_ros.runtime.weights import CorruptWeights, MissingWeights
from kame_ros.text.misfit import misfit
from kame_ros.text.os_errors import in_words


def score(args: argparse.Namespace) -> int:
    """Scores a run or a folder of recordings and prints its tables."""
    known = (BadRun, BadAudio, NotInstalled, MissingWeights, CorruptWeights, LlmError, OSError)
    try:
        return _score(args)
    except BadSuite as error:
        return refuse(error)
    except known as error:
        return fail(escape(in_words(error)))


def _score(args: argparse.Namespace) -> int:
    if not args.folder.is_dir():
        raise BadSuite(f'there is no folder {args.folder}')
    ours = (args.folder / RUN).is_file()
    if (args.folder / MANIFEST).is_file():
        raise BadSuite(f'{args.folder} is a suite: lead it first, with kame eval run')
    if not ours and args.output is None:
        raise BadSuite('recordings need -o: a folder for their scores')
    out = args.output or args.folder
    normal('')  # whether the packages are there, before the work
    if args.dry_run and not args.judge:
        console.print('without --judge nothing is paid')
        return 0
    out.mkdir(parents=True, exist_ok=True)
    if ours and RunFolder(args.folder).told.get('text_only'):
        from kame_ros.commands.eval_text import score_text_only

        return score_text_only(args, out)
    hearer = TimedWhisper(args.stt)
    bad = LeftOut()
    if args.judge:
        if not ours:
            raise BadSuite('--judge judges runs of the suite mtbench')
        from kame_ros.commands.eval_judge import judge_run

        status = judge_run(args, out, lambda recorded: _hear(recorded, hearer, out), bad)
        if status or args.dry_run:
            tell_left_out(bad)
            return status or int(bool(bad))
    found: list[Score] = []
    recordings, total = _recordings(args, ours, bad)
    human = {} if ours else foreign.human_distribution(args.folder)
    count = 0
    with bar() as bars:
        task = bars.add_task('hearing', total=total)
        for recorded in recordings:
            bars.update(task, description=escape(recorded.item[:30]))
            _hear(recorded, hearer, out)
            bars.advance(task)
            try:
                found += _measured(recorded, args.compat, human)
            except BadRun as error:
                bad(f'{recorded.item}/{recorded.repetition}', error)
                continue
            count += 1
    if not count:
        tell_left_out(bad)
        raise BadRun(
            f'{args.folder} holds no conversation {"that can be scored" * bool(bad) or "yet"}'
        )
    found += _judged(out)
    judges = sorted({s.scorer for s in found if s.metric.startswith('judged_')})
    scoring = {
        'judge': ', '.join(judges),
        'stt': args.stt,
        'compat': args.compat,
        'conversations': count,
        'left_out': bad,
        'suite': RunFolder(args.folder).told.get('suite', '') if ours else 'recordings',
    }
    write_scores(out, found, scoring)
    scores, scoring = read_scores(out)
    for table in tables({out.name or str(out): (scores, _told(args, ours))}, scoring):
        console.print(table)
    console.print(f'{len(scores)} figures in {out / "scores.jsonl"}')
    tell_left_out(bad)
    return int(bool(bad))


def _measured(
    recorded: Recorded, compat: bool, human: Mapping[str, Sequence[float]]
) -> list[Score]:
    try:
        return [*measure(recorded), *fdb_measure(recorded, compat, human)]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        if not recorded.session:
            raise
        path = (recorded.folder or Path()) / 'session.json'
        raise BadRun(f'{path} is not understood ({misfit(error)})') from error


def _told(args: argparse.Namespace, ours: bool) -> dict[str, Any]:
    return (
        RunFolder(args.folder).told if ours else {'config': args.folder.name, 'suite': 'recordings'}
    )


def _recordings(
    args: argparse.Namespace, ours: bool, on_bad: OnBad
) -> tuple[Iterator[Recorded], int | None]:
    if ours:
        folder = RunFolder(args.folder)
        _ = folder.told  # raises for a spoiled one
        return of_run(folder, on_bad), sum(1 for _ in folder.places())
    return foreign.read(args.folder, args.offset, on_bad), None


def _hear(recorded: Recorded, hearer: TimedWhisper, out: Path) -> None:
    """The words of the robot, kept: the same recording is heard once by one recogniser."""
    if recorded.words:
        return  # given with the recording
    path = heard_path(out, recorded)
    digest = hashlib.sha256(recorded.robot.tobytes()).hexdigest()
    if path.is_file():
        try:
            told = json.loads(path.read_text(encoding='utf-8'))
            if told['stt'] == hearer.name and told['sha256'] == digest:
                recorded.words = words_of(told['words'])
                return
        except (ValueError, KeyError, TypeError):
            pass  # heard again
    recorded.words = hearer.words(recorded.robot, recorded.robot_speech)
    path.parent.mkdir(parents=True, exist_ok=True)
    words = [
        [w.text, round(w.start, 3), round(w.end, 3), round(w.probability, 3)]
        for w in recorded.words
    ]
    recorded.words = words_of(words)  # as they are read the next time
    told = {'stt': hearer.name, 'sha256': digest, 'words': words}
    path.write_text(json.dumps(told, ensure_ascii=False) + '\n', encoding='utf-8')


def _judged(out: Path) -> list[Score]:
    from kame_ros.evaluation.judgements import judged_scores

    return judged_scores(out)
