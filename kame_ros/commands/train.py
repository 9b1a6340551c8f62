"""`kame train`: oracles for dialogues, and the small KAME from data to weights."""

from __future__ import annotations

import argparse
import asyncio
from dataclasses import replace
from pathlib import Path

from rich.markup import escape

from kame_ros.commands import train_measure, train_prepare, train_run
from kame_ros.commands.show import bar, console, fail


def train(args: argparse.Namespace) -> int:
    """Runs one of the subcommands; a known error is printed in one sentence."""
    from kame_ros.oracle.clients.base import LlmError
    from kame_ros.s2s.moshi.codec2 import Codec2MissingError
    from kame_ros.training.config import ConfigError
    from kame_ros.training.dialogue import DataError
    from kame_ros.training.espeak import EspeakMissingError
    from kame_ros.training.oracle_run import ServerDownError
    from kame_ros.weights import MissingWeights

    known = (
        *(LlmError, ServerDownError, DataError, ConfigError, MissingWeights),
        *(Codec2MissingError, EspeakMissingError, OSError),
    )
    try:
        return {
            'oracles': _oracles,
            'prepare': train_prepare.run,
            'run': train_run.run,
            'tiny': _tiny,
            'measure': train_measure.measure,
            'look': _look,
        }[args.what](args)
    except known as error:
        return fail(escape(str(error)))
    except RuntimeError as error:
        from kame_ros.training.trainer import TrainingError

        if isinstance(error, TrainingError):
            return fail(escape(str(error)))
        raise


def _oracles(args: argparse.Namespace) -> int:
    from kame_ros.oracle.backend import parse_backend
    from kame_ros.training import oracle_run
    from kame_ros.training.dialogue import load

    paths = sorted(p for path in args.transcripts for p in _json_files(path))
    if not paths:
        return fail('no transcripts: give JSON files, or folders of them')
    backend = None
    if not args.random:
        try:
            backend = parse_backend(args.backend, price_in=args.price_in, price_out=args.price_out)
        except ValueError as error:
            return fail(escape(str(error)))
        backend.check()
    how = f'{"random" if backend is None else backend.name} seed={args.seed}'
    jobs = oracle_run.prepare([load(path) for path in paths], args.output, how)
    cost = oracle_run.estimate(jobs, backend)
    console.print(
        f'{len(jobs)} dialogues, {cost.requests} oracles to write, {cost.calls} calls'
        + (f', about {cost.tokens_in} + {cost.tokens_out} tokens' if cost.calls else '')
        + (f', about {cost.cost:.2f} at the given prices' if cost.cost else '')
    )
    if args.dry_run:
        return 0
    if backend is None:
        tally = oracle_run.write_random(jobs, args.seed)
    else:
        parallel = args.parallel or backend.parallel
        tally = asyncio.run(_ask_all(jobs, backend, args.seed, parallel, cost.requests))
    console.print(
        f'{tally.written} written, {tally.failed} failed, '
        f'{tally.tokens_in} + {tally.tokens_out} tokens, in {args.output}'
    )
    if tally.failed:
        return fail(escape(f'run it again for the rest; the last error: {tally.last_error}'))
    return 0


async def _ask_all(jobs, backend, seed, parallel, total):  # type: ignore[no-untyped-def]
    from kame_ros.training.oracle_run import write_simulated

    client = backend.connect()
    try:
        with bar() as shown:
            task = shown.add_task('oracles', total=total)
            return await write_simulated(
                jobs,
                client,
                seed,
                parallel,
                lambda tally: shown.update(task, completed=tally.written + tally.failed),
            )
    finally:
        await client.aclose()


def _json_files(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(path.glob('*.json'))
    return [path]


def _tiny(args: argparse.Namespace) -> int:
    from kame_ros.training.config import read
    from kame_ros.training.curve import draw
    from kame_ros.training.tiny.train import CONFIG, train, try_out

    config = read(args.config or CONFIG)
    if args.steps:
        config = replace(config, steps=args.steps)
    if args.dry_run:
        cost = try_out(config, args.output, args.device)
        console.print(
            f'{cost.parameters / 1e6:.1f} M parameters, {cost.step_s:.2f} s a step, '
            f'{cost.hours:.1f} h for {config.steps} steps, {cost.memory_gb:.1f} GB of memory'
        )
        return 0
    with bar() as shown:
        task = shown.add_task('training', total=config.steps)

        def show(step: int, numbers: dict[str, float]) -> None:
            what = f'text {numbers["text"]:.2f} audio {numbers["audio"]:.2f}'
            shown.update(task, completed=step, description=what)

        where = train(config, args.output, args.device, show)
    try:
        draw(args.output / 'log.jsonl', args.output / 'curve.png')
    except RuntimeError as error:
        console.print(f'[yellow]no picture:[/] {escape(str(error))}')
    console.print(f'the model is in {where}; hear it: kame ask QUESTION.wav --config kame-tiny')
    console.print(f'  --set s2s.moshi.weights={where}')
    return 0


def _look(args: argparse.Namespace) -> int:
    if train_prepare.is_data(args.folder):
        return train_prepare.look(args)
    from kame_ros.training.config import read
    from kame_ros.training.look import draw
    from kame_ros.training.tiny.recipe import TinySource
    from kame_ros.training.tiny.recogniser import decode
    from kame_ros.training.tiny.train import CONFIG

    config = read(args.config or CONFIG)
    source = TinySource(args.folder, config.seed, 1, config.frames, config.lessons)
    example = source.scene(f'look/{args.number}', config.frames)
    names = {token: word for word, token in source.ids.items()}
    draw(
        example,
        decode(example.user),
        decode(example.robot),
        lambda token: names.get(token, '?'),
        source.marks,
        args.output,
        f'scene {args.number} of kame-tiny',
    )
    console.print(f'drawn: {args.output}')
    return 0
