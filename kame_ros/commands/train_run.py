"""`kame train run`: prepared dialogues to a model, from a checkpoint or from nothing."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from rich.markup import escape

from kame_ros.commands.show import bar, console, fail

if TYPE_CHECKING:
    from kame_ros.training.config import RunConfig
    from kame_ros.training.run.run import Result

ABOUT = """\
Trains a KAME on a folder that "kame train prepare" made.

The configuration says what it begins with: the checkpoint of a KAME, that of a Moshi (which gets an
oracle stream), or nothing but an architecture. Fine-tuning trains all weights, or few with LoRA.

FOLDER/state.pt is written every save_every steps, and the same command goes on from it after an
end of any kind, with the same numbers as if there had been none. FOLDER/checkpoint is the result,
FOLDER/best the one with the lowest loss on held-out dialogues; both can be given as
s2s.moshi.weights. FOLDER/log.jsonl and curve.png show the course.
"""
EXAMPLES = """\
examples:
  kame train run data/ -o run/ --config lora --dry-run
  kame train run data/ -o run/ --config lora
  kame train run data/ -o run/ --config finetune --checkpoint kyutai/moshiko-pytorch-bf16
  kame train run data/ -o run/ --config lora --processes 4
  accelerate launch --config_file config/training/fsdp.yaml -m kame_ros.cli \\
    train run data/ -o run/ --config finetune
  kame ask question.wav --config kame --set s2s.moshi.weights=run/checkpoint
"""


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments."""
    parser.description, parser.epilog = ABOUT, EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument('data', type=Path, metavar='DATA_FOLDER')
    parser.add_argument('-o', '--output', type=Path, required=True, metavar='FOLDER')
    parser.add_argument(
        '--config',
        type=Path,
        required=True,
        metavar='YAML',
        help='a file, or finetune, lora or from-scratch (config/training of this package)',
    )
    parser.add_argument(
        '--checkpoint',
        metavar='MODEL',
        help='instead of that of the configuration: a folder, or a repository',
    )
    parser.add_argument('--steps', type=int, help='instead of those of the configuration')
    parser.add_argument(
        '--device', default='auto', help='cpu or cuda (default: cuda if it is there)'
    )
    parser.add_argument(
        '--processes', type=int, default=1, help='on this machine, one for each GPU (default: 1)'
    )
    parser.add_argument(
        '--merge', action='store_true', help='writes a LoRA result as a whole model'
    )
    parser.add_argument(
        '--dry-run', action='store_true', help='only says parameters, memory and time'
    )


def run(args: argparse.Namespace) -> int:
    """Trains, or says what training needs. A known error is one sentence."""
    from kame_ros.training.config import ConfigError, read

    try:
        changes = {'checkpoint': args.checkpoint, 'steps': args.steps}
        args.config = _config_file(args.config)
        config = read(args.config, **{k: v for k, v in changes.items() if v is not None})
        from kame_ros.s2s.moshi.weights.errors import CheckpointError
        from kame_ros.s2s.moshi.weights.runtime import choose_device
    except ImportError as error:
        from kame_ros.s2s.moshi.build import HOW_TO_INSTALL

        return fail(escape(f'{HOW_TO_INSTALL} ({error})'))
    if args.processes < 1:
        return fail('--processes must be at least 1')
    try:
        device = choose_device(args.device)
    except RuntimeError as error:
        return fail(escape(str(error)))
    try:
        if args.dry_run:
            return _plan(args, config, device)
        if args.processes > 1:
            return _spread(args)
        return _train(args, config, device)
    except CheckpointError as error:
        raise ConfigError(str(error)) from error
    except KeyboardInterrupt:
        return fail('ended; the same command goes on from the last state')


def _config_file(name: Path) -> Path:
    """A file, or one of those that come with the package: `lora` is config/training/lora.yaml."""
    from kame_ros.graph.description import config_folder

    if not name.exists() and not name.suffix and len(name.parts) == 1:
        own = config_folder() / 'training' / f'{name}.yaml'
        return own if own.exists() else name
    return name


def _plan(args: argparse.Namespace, config: RunConfig, device: str) -> int:
    from kame_ros.training.plan.dry_run import plan

    found = plan(config, args.data, device, args.processes)
    for line in found.lines():
        console.print(escape(line), soft_wrap=True)
    return 0


def _spread(args: argparse.Namespace) -> int:
    """Starts this command again, once for each process; torch's launcher ends all if one fails."""
    from kame_ros.training.run.accelerated import MISSING

    if find_spec('accelerate') is None:
        return fail(MISSING)
    launcher = [sys.executable, '-m', 'torch.distributed.run', '--standalone']
    count = ['--nproc_per_node', str(args.processes)]
    own = ['train', 'run', str(args.data), '-o', str(args.output), '--config', str(args.config)]
    own += ['--device', args.device]
    own += ['--checkpoint', args.checkpoint] if args.checkpoint else []
    own += ['--steps', str(args.steps)] if args.steps is not None else []
    own += ['--merge'] if args.merge else []
    env = {'OMP_NUM_THREADS': '1', **os.environ}
    return subprocess.run(
        [*launcher, *count, '-m', 'kame_ros.cli', *own], env=env, check=False
    ).returncode


def _train(args: argparse.Namespace, config: RunConfig, device: str) -> int:
    from kame_ros.training.run.accelerated import launched, leave
    from kame_ros.training.run.run import run as train

    first = os.environ.get('RANK', '0') == '0'
    with bar(first) as shown:
        task = shown.add_task('training', total=config.steps)

        def show(step: int, numbers: dict[str, float]) -> None:
            what = f'text {numbers["text"]:.2f} audio {numbers["audio"]:.2f}'
            shown.update(task, completed=step, description=what)

        done = train(config, args.data, args.output, device, args.merge, show)
    if first:
        _report(args, done)
    if launched():
        leave()
    return 0


def _report(args: argparse.Namespace, done: Result) -> None:
    _picture(args.output)
    console.print(f'the model is in {done.last}')
    if done.best.exists():
        console.print(f'the best one, of held-out loss {done.best_loss:.3f}, is in {done.best}')
    if done.lost:
        console.print(f'[yellow]{done.lost} states could not be saved: the disk is full[/]')


def _picture(folder: Path) -> None:
    from kame_ros.training.pictures.curve import draw

    try:
        draw(folder / 'log.jsonl', folder / 'curve.png')
    except (RuntimeError, OSError) as error:
        console.print(f'[yellow]no picture:[/] {escape(str(error))}')
