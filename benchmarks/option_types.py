"""What the options of the benchmarks may be: what would fail in the middle is refused at once.

Each reads the text of an option, for argparse; raises ArgumentTypeError with one sentence.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from kame_ros.commands.argument_types import above_zero, from_zero, whole, within
from kame_ros.commands.writable import check_writable
from kame_ros.graph.description import load_graph
from kame_ros.graph.names import BadConfig
from kame_ros.runtime import weights


def readable(text: str) -> Path:
    """A file that is there."""
    path = Path(text)
    if not path.is_file() or not os.access(path, os.R_OK):
        raise argparse.ArgumentTypeError(f'{path} is no file that can be read')
    return path


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


def at_most(most: float, read: Callable[[str], Any]) -> Callable[[str], Any]:
    """What `read` reads, up to a number beyond which no machine has the time or the memory."""

    def limited(text: str) -> Any:
        value = read(text)
        if value > most:
            raise argparse.ArgumentTypeError(f'{text!r} is more than {most:g}')
        return value

    return limited


in_minutes = at_most(10_000, above_zero)  # a week
in_seconds = at_most(600_000, above_zero)
seconds_or_none = at_most(600_000, from_zero)


def how_often(least: int = 1) -> Callable[[str], int]:
    """How often something is done."""
    return at_most(1_000_000, whole(least))


def decibels(text: str) -> float | None:
    """How much louder speech is than the noise, dB; None for `clean`."""
    if text == 'clean':
        return None
    try:
        return within(-40, 100)(text)
    except argparse.ArgumentTypeError:
        raise argparse.ArgumentTypeError(f"{text!r} is neither -40 to 100 dB nor 'clean'") from None
