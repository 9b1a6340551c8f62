"""What the options of the benchmarks may be: what would fail in the middle is refused at once.

Each reads the text of an option, for argparse; raises ArgumentTypeError with one sentence.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from kame_ros.commands.writable import check_writable
from kame_ros.graph.description import load_graph
from kame_ros.graph.names import BadConfig
from kame_ros.runtime import weights


def writable(text: str) -> Path:
    """A file that can be written; its folder is made when it is."""
    path = Path(text)
    try:
        check_writable(path, makes_folder=True)
    except OSError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return path


def made_folder(text: str) -> Path:
    """A folder that files can be put into; it is made."""
    path = Path(text)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise argparse.ArgumentTypeError(f'{path}: {error.strerror}') from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise argparse.ArgumentTypeError(f'{path} cannot be written')
    return path


def whisper_model(text: str) -> str:
    """The name of a Whisper, or its folder."""
    try:
        weights.find(text, 'stt')
    except (weights.MissingWeights, weights.CorruptWeights) as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return text


def configuration(text: str) -> str:
    """The name of a configuration, or its file."""
    try:
        load_graph(text)
    except (BadConfig, OSError) as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return text


def some_of(choices: Sequence[str]) -> Callable[[str], list[str]]:
    """Some of these names, with commas between them."""

    def read(text: str) -> list[str]:
        names = [name for name in text.split(',') if name]
        unknown = [name for name in names if name not in choices]
        if unknown or not names:
            told = ', '.join(choices)
            raise argparse.ArgumentTypeError(f'{(unknown or [text])[0]!r} is none of {told}')
        return names

    return read
