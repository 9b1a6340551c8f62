"""`kame eval export`: a run as folders of Full-Duplex-Bench, for its own scripts."""

from __future__ import annotations

import argparse

from rich.markup import escape

from kame_ros.audio.wav import BadAudio
from kame_ros.commands.eval_show import LeftOut, tell_left_out
from kame_ros.commands.show import console, fail, refuse
from kame_ros.evaluation.fdb_export import LIST, TASKS
from kame_ros.evaluation.fdb_export import export as export_to
from kame_ros.evaluation.recorded import of_scored_run
from kame_ros.evaluation.run_folder import BadRun, RunFolder
from kame_ros.evaluation.suite import BadSuite
from kame_ros.text.os_errors import in_words


def export(args: argparse.Namespace) -> int:
    """Writes the folders; what is wrong is said in one sentence."""
    try:
        return _export(args)
    except BadSuite as error:
        return refuse(error)
    except (BadRun, BadAudio, OSError) as error:
        return fail(escape(in_words(error)))


def _export(args: argparse.Namespace) -> int:
    run = RunFolder(args.run_folder)
    if run.told.get('text_only'):
        raise BadSuite(f'{args.run_folder} was asked in writing: there is no sound')
    bad = LeftOut()
    done = export_to(of_scored_run(args.run_folder, bad), args.output)
    tell_left_out(bad)
    if not done.tasks:
        kinds = ', '.join(TASKS)
        raise BadSuite(f'{args.run_folder} has no conversation of Full-Duplex-Bench: {kinds}')
    for task, count in sorted(done.tasks.items()):
        console.print(f'{count:5} {task}')
    console.print(
        f'in {escape(str(args.output))}; which is which: {LIST}'
        + (f'; {done.left_out} are of no task of it' if done.left_out else '')
    )
    if not done.with_words:
        console.print(
            f'without output.json: let its asr.py hear them, or score first: '
            f'kame eval score {escape(str(args.run_folder))}',
            style='dim',
        )
    return int(bool(bad))
