"""`kame train small`: kame-small from nothing, or on from where it was ended."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.progress import TaskID

from kame_ros.commands.argument_types import above_zero, whole
from kame_ros.commands.show import bar, console, fail

if TYPE_CHECKING:
    from kame_ros.training.small.config import SmallRecipe
    from kame_ros.training.small.prepare import Missing

ABOUT = """\
Trains kame-small from nothing: makes what it is trained on in FOLDER/bank, then the weights.

Everything that is there already is kept, what is broken is made anew, and FOLDER/state.pt is
written every save_every steps: the same command goes on after an end of any kind. The weights in
FOLDER/kame_small can be given as s2s.small.weights; FOLDER/log.jsonl and curve.png show the course.

Texts for the robot to speak (some 20 MB, nothing needs to be installed):

  mkdir -p texts && cd texts && apt-get download wordnet-base fortunes fortunes-min
  for package in *.deb; do dpkg -x $package .; done

The users speak with espeak-ng (apt install libespeak-ng1) and flite (libflite1; it goes without).
A bank that is whole needs neither: copy FOLDER to a machine with a GPU and go on there.
"""
EXAMPLES = """\
examples:
  kame train small run/ --texts texts/ --dry-run
  kame train small run/ --texts texts/
  kame train small run/ --texts texts/ --prepare
  kame train small run/ --device cuda
  kame train small again/ --init kame_ros/s2s/small/kame_small --texts texts/
  kame ask question.wav --config kame-small --set s2s.small.weights=run/kame_small
"""


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments."""
    parser.description, parser.epilog = ABOUT, EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument('folder', type=Path, metavar='FOLDER', help='of the run')
    parser.add_argument(
        '--texts', type=Path, metavar='DIR', help='of WordNet and fortunes (default: FOLDER/texts)'
    )
    parser.add_argument('--config', type=Path, metavar='YAML', help='another recipe')
    parser.add_argument('--steps', type=whole(1), help='instead of those of the recipe')
    parser.add_argument('--hours', type=above_zero, help="of the robot's speech, likewise")
    parser.add_argument(
        '--device',
        type=_device,
        default='auto',
        help='cpu or cuda (default: cuda if it is there)',
    )
    parser.add_argument(
        '--init', type=Path, metavar='FOLDER', help='begins with these weights, not at random'
    )
    parser.add_argument(
        '--workers',
        type=whole(0),
        default=0,
        help='processes that make scenes (default: by the cores)',
    )
    parser.add_argument(
        '--anew',
        action='store_true',
        help='first makes codebooks and pieces anew, in place of those of this package',
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument('--prepare', action='store_true', help='only makes what is trained on')
    what.add_argument('--dry-run', action='store_true', help='only says time and memory')


def _device(text: str) -> str:
    if not re.fullmatch(r'auto|cpu|cuda(:\d+)?', text):
        raise argparse.ArgumentTypeError(f'{text!r} is no device: cpu, cuda, cuda:0 or auto')
    return text


def run(args: argparse.Namespace) -> int:
    """Prepares and trains, or says what that needs."""
    from kame_ros.training.small.config import RECIPE, read

    wanted = {'steps': args.steps, 'hours': args.hours}
    changes = {name: value for name, value in wanted.items() if value is not None}
    recipe = read(args.config or RECIPE, **changes)
    if args.texts is not None and not args.texts.is_dir():
        return fail(escape(f'--texts: there is no folder {args.texts}'))
    if args.init is not None and not list(args.init.glob('*.safetensors')):
        return fail(escape(f'--init: {args.init} holds no kame-small'))
    try:
        if args.dry_run:
            return _plan(args, recipe)
        bank = _prepare(args, recipe)
        return 0 if args.prepare else _train(args, recipe, bank)
    except KeyboardInterrupt:
        return fail('ended; the same command goes on from what is there')
    except ModuleNotFoundError as error:
        if error.name == 'torch':
            return fail('training needs torch; get it with: pip install -r requirements/torch.txt')
        raise


def _plan(args: argparse.Namespace, recipe: SmallRecipe) -> int:
    from kame_ros.s2s.small.pieces import Pieces
    from kame_ros.training.small.prepare import missing
    from kame_ros.training.small.recipe import device_of
    from kame_ros.training.small.train import try_out

    left = missing(recipe, args.folder, args.anew)
    if left.any:
        console.print(
            f'to be made: {left.hours:.1f} h of speech, {len(left.users)} files of users, about '
            f'{left.minutes:.0f} minutes of one core'
        )
    for what in _lacks(left, args.texts or args.folder / 'texts'):
        console.print(f'[yellow]missing:[/] {escape(what)}', soft_wrap=True)
    device = device_of(args.device)
    if device == 'cpu':
        console.print('a part of a step is tried, which takes some minutes on a CPU')
    cost = try_out(recipe, recipe.model_size(len(Pieces.load().names)), device)
    console.print(
        f'{cost.parameters / 1e6:.1f} M parameters, {cost.step_s:.2f} s a step on {device}, '
        f'{cost.step_s * recipe.steps / 3600:.1f} h for {recipe.steps} steps, '
        f'{cost.memory_gb:.1f} GB of memory and up to {cost.pool_gb:.1f} GB for scenes'
    )
    return 0


def _lacks(left: Missing, texts: Path) -> Iterator[str]:
    """What stops the making of what is left, with what brings it."""
    from kame_ros.training.small import voices
    from kame_ros.training.small.corpus import NoTextsError, find_wordnet
    from kame_ros.training.small.espeak import EspeakMissingError

    try:
        if left.hours or left.phrases or left.books:
            find_wordnet(texts)
    except NoTextsError as error:
        yield str(error)
    try:
        if left.users:
            voices.present(voices.TRAINING)
    except EspeakMissingError as error:
        yield str(error)


def _prepare(args: argparse.Namespace, recipe: SmallRecipe) -> Path:
    from kame_ros.training.small.prepare import prepare

    tasks: dict[str, TaskID] = {}
    with bar(percent=True) as shown:

        def tell(stage: str, done: float, all_: float) -> None:
            if stage not in tasks:
                tasks[stage] = shown.add_task(stage, total=all_)
            shown.update(tasks[stage], completed=done)

        return prepare(recipe, args.folder, args.texts or args.folder / 'texts', args.anew, tell)


def _train(args: argparse.Namespace, recipe: SmallRecipe, bank: Path) -> int:
    from kame_ros.training.pictures.curve import draw
    from kame_ros.training.small import recipe as small
    from kame_ros.training.small.train import LOG

    device = small.device_of(args.device)
    with bar() as shown:
        task = shown.add_task(f'training on {device}', total=recipe.steps)

        def show(step: int, numbers: dict[str, float]) -> None:
            shown.update(task, completed=step)
            if numbers:
                what = f'loss {numbers["loss"]:.2f}, {numbers["step_s"]:.2f} s a step'
                shown.update(task, description=what)

        where = small.run(recipe, args.folder, bank, device, args.init, args.workers, show)
    try:
        draw(args.folder / LOG, args.folder / 'curve.png')
    except (RuntimeError, OSError) as error:
        console.print(f'[yellow]no picture:[/] {escape(str(error))}')
    console.print(f'the model is in {where}; measure it: kame train measure {where}')
    return 0
