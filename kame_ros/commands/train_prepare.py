"""`kame train prepare`: recordings, transcripts and oracles to shards of tokens."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from rich.markup import escape

from kame_ros.commands.argument_types import above_zero
from kame_ros.commands.show import bar, console, fail

if TYPE_CHECKING:
    from kame_ros.training.data.data_file import DataFolder
    from kame_ros.training.data.inputs import Input, Problem
    from kame_ros.training.data.prepare import PrepareOptions, PrepareReport

MOST_DRAWN_S = 300  # a picture is 1.4 inches a second wide, and may have 65,535 pixels
ABOUT = """\
Makes shards of tokens from dialogues of two people, to train on.

AUDIO_DIR holds NAME.wav or NAME.flac in stereo, speaker A on the left channel and B on the right,
at any rate; TRANSCRIPTS_DIR holds NAME.json, a list of {speaker, word, start, end}, for each; and
ORACLES_DIR holds what "kame train oracles" made of the transcripts. The codec and the tokeniser are
those of the checkpoint that is to be trained: data for one Moshi or KAME fit all that share them.

Everything is looked at before the work begins, and all that is wrong is listed. The work can be
ended at any time and started again: it goes on where it was. With more dialogues than the last time
only the new ones are encoded. A shard that is damaged is made anew.
"""
EXAMPLES = """\
examples:
  kame train oracles transcripts/ -o oracles/ --backend ollama:llama3.2
  kame train prepare audio/ transcripts/ --oracles oracles/ -o data/ --checkpoint SakanaAI/kame
  kame train prepare audio/ transcripts/ -o data/ --checkpoint my_kame/ --speaker both
  kame train prepare --verify data/
  kame train look data/ -n 3 -o dialogue.png
"""


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments."""
    parser.description, parser.epilog = ABOUT, EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument('audio', nargs='?', type=Path, metavar='AUDIO_DIR')
    parser.add_argument('transcripts', nargs='?', type=Path, metavar='TRANSCRIPTS_DIR')
    parser.add_argument('--oracles', type=Path, metavar='ORACLES_DIR', help='default: none')
    parser.add_argument('-o', '--output', type=Path, metavar='FOLDER', help='where the shards go')
    parser.add_argument(
        '--checkpoint',
        metavar='MODEL',
        help='a folder, or a repository on the Hugging Face hub such as SakanaAI/kame',
    )
    parser.add_argument(
        '--speaker',
        choices=('A', 'B', 'both'),
        default='A',
        help='who is the robot; both: every dialogue is used twice (default: A)',
    )
    parser.add_argument('--swap', action='store_true', help='A is on the right channel')
    parser.add_argument(
        '--held-out', type=float, default=0.05, help='share that is not trained on (default: 0.05)'
    )
    parser.add_argument('--skip-bad', action='store_true', help='go on without bad dialogues')
    parser.add_argument(
        '--shard-mb', type=float, default=64.0, help='MB of a shard (default: 64, about 28 h)'
    )
    parser.add_argument('--device', default='cpu', help='cpu, cuda, cuda:N or auto (default: cpu)')
    parser.add_argument(
        '--workers', type=int, default=0, help='processes that encode (default: as many as cores)'
    )
    parser.add_argument('--verify', type=Path, metavar='FOLDER', help='reads all shards instead')


def run(args: argparse.Namespace) -> int:
    """Prepares data, or verifies what was prepared. Raises DataError and what the codec raises."""
    if args.verify is not None:
        return _verify(args.verify)
    wanted = ('audio', 'transcripts', 'output', 'checkpoint')
    names = ('AUDIO_DIR', 'TRANSCRIPTS_DIR', '-o FOLDER', '--checkpoint MODEL')
    for value, name in zip((getattr(args, each) for each in wanted), names, strict=True):
        if value is None:
            return fail(f'{name} is missing; see kame train prepare --help')
    if not 0 <= args.held_out < 1:
        return fail(f'--held-out is a share from 0 to less than 1, not {args.held_out}')
    if args.device.split(':')[0] not in ('cpu', 'cuda', 'auto'):
        return fail(f'--device is cpu, cuda, cuda:N or auto, not {escape(args.device)}')
    if not args.shard_mb > 0 or args.workers < 0:
        return fail('--shard-mb must be above 0, and --workers not below')
    sources, problems = _look_at_all(args)
    if problems and not args.skip_bad:
        for problem in problems:
            console.print(escape(problem.text), soft_wrap=True)
        return fail(
            f'{len(problems)} of {len(sources) + len(problems)} dialogues cannot be used; nothing '
            'was encoded. Mend them, or leave them out with --skip-bad'
        )
    if not sources:
        return fail('no dialogue can be used')
    try:
        return _prepare(args, sources, problems)
    except ImportError as error:
        from kame_ros.s2s.moshi.build import HOW_TO_INSTALL

        return fail(escape(f'{HOW_TO_INSTALL} ({error})'))


def _prepare(args: argparse.Namespace, sources: list[Input], problems: list[Problem]) -> int:
    from kame_ros.s2s.moshi.weights import runtime
    from kame_ros.s2s.moshi.weights.errors import CheckpointError
    from kame_ros.training.data.prepare import Preparation

    try:
        args.device = runtime.choose_device(args.device)
    except (RuntimeError, ValueError) as error:
        return fail(escape(str(error)))
    try:
        work = Preparation(sources, args.output, _options(args))
        for shard in work.report.anew:
            console.print(f'[yellow]{shard} is missing or damaged: it is made anew[/]')
        with bar(percent=True) as shown:
            task = shown.add_task('encoding', total=work.seconds)
            data = work.run(lambda seconds: shown.update(task, advance=seconds))
    except CheckpointError as error:
        return fail(escape(str(error)))
    _tell(data, work.report, problems)
    return 0


def _options(args: argparse.Namespace) -> PrepareOptions:
    from kame_ros.training.data.prepare import PrepareOptions, cores

    return PrepareOptions(
        checkpoint=args.checkpoint,
        robots=('A', 'B') if args.speaker == 'both' else (args.speaker,),
        held_out=args.held_out,
        shard_mb=args.shard_mb,
        device=args.device,
        workers=args.workers or (cores() if args.device == 'cpu' else 1),
        skip_bad=args.skip_bad,
    )


def _look_at_all(args: argparse.Namespace) -> tuple[list[Input], list[Problem]]:
    from kame_ros.training.data.inputs import gather

    with bar(percent=True) as shown:
        task = shown.add_task('looking at files', total=None)
        return gather(
            args.audio,
            args.transcripts,
            args.oracles,
            args.swap,
            lambda done, total: shown.update(task, completed=done, total=total),
        )


def _tell(data: DataFolder, report: PrepareReport, problems: list[Problem]) -> None:
    from kame_ros.training.data.layout import FRAME_HZ

    entries = data.entries()
    hours = sum(entry.frames for entry in entries) / FRAME_HZ / 3600
    held = sum(entry.held_out for entry in entries)
    console.print(
        f'{len(entries)} dialogues ({held} held out), {hours:.2f} h, in {len(data.shards)} shards '
        f'in {data.folder}: {report.made} made, {report.kept} kept'
    )
    for problem in (left_out := problems + report.problems):
        console.print(f'[yellow]left out:[/] {escape(problem.text)}', soft_wrap=True)
    if left_out:
        console.print(f'{len(left_out)} dialogues left out')
    if report.count.unknown:
        share = report.count.unknown / report.count.words
        console.print(
            f"[yellow]{share:.1%} of the robot's words are unknown to the tokeniser[/] and have no "
            'text'
        )
    if not held:
        console.print('[yellow]no dialogue is held out: there is nothing to evaluate on[/]')


def _verify(folder: Path) -> int:
    from kame_ros.training.data import data_file
    from kame_ros.training.data.shards import verify

    data = data_file.read(folder)
    verify(data)
    state = 'whole' if data.complete else 'whole, but not finished: run it again'
    console.print(f'{len(data.shards)} shards with {len(data.entries())} dialogues: {state}')
    return 0 if data.complete else 1


def add_look(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `kame train look`."""
    parser.add_argument('--seconds', type=above_zero, default=12.8, help='to draw (default: 12.8)')
    parser.add_argument('--held-out', action='store_true', help='of what is not trained on')
    parser.add_argument(
        '--checkpoint', default='', metavar='MODEL', help='whose Mimi makes the sound'
    )


def is_data(folder: Path) -> bool:
    """Whether a folder holds prepared data."""
    from kame_ros.training.data.data_file import MANIFEST

    return (folder / MANIFEST).exists()


def look(args: argparse.Namespace) -> int:
    """Draws a crop of prepared data. Raises DataError."""
    if args.seconds > MOST_DRAWN_S:
        return fail(f'--seconds: a picture shows at most {MOST_DRAWN_S} s')
    from kame_ros.s2s.moshi.weights.errors import CheckpointError
    from kame_ros.training.pictures.look_data import draw

    try:
        crop = draw(
            args.folder, args.number, args.output, args.seconds, args.checkpoint, args.held_out
        )
    except CheckpointError as error:
        return fail(escape(f'{error}; --checkpoint names another model with the same Mimi'))
    console.print(f'drawn: {crop.name}, the robot is {crop.robot}: {args.output}')
    return 0
