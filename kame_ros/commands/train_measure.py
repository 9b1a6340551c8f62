"""`kame train measure`: how well a kame-small does what it is for."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from rich.markup import escape

from kame_ros.commands.argument_types import whole
from kame_ros.commands.show import bar, fail
from kame_ros.commands.writable import check_writable

TRIALS = 40


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments."""
    parser.add_argument(
        'checkpoint',
        metavar='FOLDER',
        help='of the model or of its run, or kame-small for the one of this package',
    )
    parser.add_argument(
        '--trials',
        type=whole(1),
        default=TRIALS,
        help=f'of each kind, five times as many of unknown words (default: {TRIALS})',
    )
    parser.add_argument('--kinds', nargs='+', metavar='KIND', help='of trials (default: all)')
    parser.add_argument('--temperature', type=float, help='of the sound (default: as it runs)')
    parser.add_argument('--silent-above', type=float, help='see the parameter s2s.small')
    parser.add_argument(
        '--speak', metavar='WHEN', help='always, after_turn or guided (default: as it runs)'
    )
    parser.add_argument('--seed', type=whole(0), default=1)
    parser.add_argument('--json', type=Path, metavar='JSON', help='where the numbers go')
    parser.add_argument(
        '--whisper',
        metavar='MODEL',
        default='whisper-base',
        help='who listens, to the model and to its voice alone; "" for nobody (default: '
        'whisper-base)',
    )
    parser.add_argument(
        '--model-only', action='store_true', help='the voices without the model are left out'
    )


def measure(args: argparse.Namespace) -> int:
    """Measures and prints; the numbers and some sentences also go to a file."""
    if args.json is not None:
        check_writable(args.json)
    weights = small_weights(args.checkpoint)
    if weights is None:
        return fail(escape(f'{args.checkpoint} holds no kame-small, nor a run of one'))
    return _measure(args, weights)


def small_weights(name: str) -> str | None:
    """The name or the folder of a kame-small, also in the folder of its run; None if it is none."""
    from kame_ros.s2s.small.config import KAME_SMALL
    from kame_ros.training.small.config import RESULT

    if name == KAME_SMALL:
        return name
    for folder in (Path(name).expanduser(), Path(name).expanduser() / RESULT):
        try:
            config = json.loads((folder / 'config.json').read_text())
        except (OSError, ValueError):
            continue
        if isinstance(config, dict) and {'pieces', 'ahead', 'silence'} <= set(config):
            return str(folder)
    return None


def _measure(args: argparse.Namespace, weights: str) -> int:
    from kame_ros.s2s.small.config import SmallConfig
    from kame_ros.training.small.measure import KINDS, measure_weights, table, trials_in_all

    kinds = args.kinds or KINDS
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown:
        return fail(escape(f'no trials are {unknown[0]!r}: {", ".join(KINDS)}'))
    given = {
        'silent_above': args.silent_above,
        'temperature': args.temperature,
        'speak': args.speak,
    }
    chosen = {name: value for name, value in given.items() if value is not None}
    try:
        config = SmallConfig(weights=weights, seed=args.seed, **chosen)
    except ValueError as error:
        return fail(escape(str(error)))
    with bar() as progress:
        task = progress.add_task('trials', total=trials_in_all(args.trials, kinds))
        found = measure_weights(
            *(config, args.trials, args.whisper, not args.model_only, kinds),
            lambda: progress.advance(task),
        )
    print(table(found))
    if args.json is not None:
        kept = {'numbers': found.numbers, 'said': found.said}
        args.json.write_text(json.dumps(kept, indent=1) + '\n')
    return 0
