"""`kame train`: oracles, data and fine-tuning of a KAME, and the small KAME from nothing."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from rich.markup import escape

from kame_ros.commands import train_measure, train_prepare, train_run, train_small
from kame_ros.commands.show import bar, console, fail
from kame_ros.text.os_errors import in_words


def train(args: argparse.Namespace) -> int:
    """Runs one of the subcommands; a known error is printed in one sentence."""
    from kame_ros.oracle.llm.clients.base import LlmError
    from kame_ros.runtime.weights import CorruptWeights, MissingWeights
    from kame_ros.training.config import ConfigError
    from kame_ros.training.data.dialogue import DataError
    from kame_ros.training.oracles.oracle_run import ServerDownError
    from kame_ros.training.small.espeak import EspeakMissingError
    from kame_ros.training.small.flite import FliteMissingError

    known = (
        *(LlmError, ServerDownError, DataError, ConfigError, MissingWeights, CorruptWeights),
        *(EspeakMissingError, FliteMissingError, OSError),
    )
    try:
        return {
            'oracles': _oracles,
            'prepare': train_prepare.run,
            'run': train_run.run,
            'small': train_small.run,
            'measure': train_measure.measure,
            'look': _look,
        }[args.what](args)
    except known as error:
        return fail(escape(in_words(error)))
    except RuntimeError as error:
        from kame_ros.training.run.state import TrainingError

        if isinstance(error, TrainingError):
            return fail(escape(str(error)))
        raise


def _oracles(args: argparse.Namespace) -> int:
    from kame_ros.oracle.llm.backend import parse_backend
    from kame_ros.training.data.dialogue import load
    from kame_ros.training.oracles import oracle_run

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
    from kame_ros.training.oracles.oracle_run import write_simulated

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


def _look(args: argparse.Namespace) -> int:
    if not train_prepare.is_data(args.folder):
        return fail(escape(f'{args.folder} is no folder of prepared data'))
    return train_prepare.look(args)
