"""`kame train measure`: how well a kame-tiny does what it is for."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from kame_ros.commands.show import bar, console


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments."""
    parser.add_argument('checkpoint', type=Path, help='the folder of the model')
    parser.add_argument('--trials', type=int, default=30, help='of each kind (default: 30)')
    parser.add_argument('--temperature', type=float, default=0.3, help='of the sound')
    parser.add_argument('--temperature-text', type=float, default=0.0, help='of the text')
    parser.add_argument('--device', default='cpu')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--json', type=Path, metavar='JSON', help='where the numbers go')
    parser.add_argument(
        '--whisper',
        metavar='MODEL',
        help='such as whisper-base: it listens too, to the model and to its voice alone',
    )


def measure(args: argparse.Namespace) -> int:
    """Measures and prints; the numbers and some sentences also go to a file."""
    from kame_ros.s2s.moshi.build import build
    from kame_ros.s2s.moshi.config import MoshiConfig
    from kame_ros.training.tiny import lexicon, robot_voice, tokens
    from kame_ros.training.tiny.measure import KINDS
    from kame_ros.training.tiny.measure import measure as run
    from kame_ros.training.tiny.stranger import Stranger

    voice = robot_voice.load_or_make(lexicon.WORDS, args.checkpoint / 'voice.npz')
    split = tokens.splitter((args.checkpoint / 'tokenizer.model').read_bytes())
    config = MoshiConfig(
        weights=str(args.checkpoint),
        device=args.device,
        seed=args.seed,
        temperature=args.temperature,
        temperature_text=args.temperature_text,
    )
    front_end = build(config)
    front_end.warm_up()
    stranger = Stranger(args.whisper) if args.whisper else None
    with bar() as progress:
        task = progress.add_task('trials', total=args.trials * len(KINDS))
        report = run(
            front_end,
            voice,
            split,
            args.trials,
            args.seed,
            stranger,
            lambda: progress.advance(task),
        )
    numbers = {**report.numbers, 'real_time_factor': front_end.counters()['real_time_factor']}
    for name, value in numbers.items():
        console.print(f'{name:28} {value:8.3f}')
    if args.json:
        args.json.write_text(json.dumps({'numbers': numbers, 'said': report.said}, indent=1) + '\n')
    return 0
