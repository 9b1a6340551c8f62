"""The arguments of `kame train`, so that `--help` needs no model."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from kame_ros.commands import train_measure, train_prepare, train_run, train_small


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the subcommands."""
    kinds = parser.add_subparsers(dest='what', required=True, metavar='WHAT')
    _oracles(_kind(kinds, 'oracles', 'writes oracles for dialogues, with an LLM or at random'))
    train_prepare.add(_kind(kinds, 'prepare', 'makes shards of tokens from recorded dialogues'))
    train_run.add(_kind(kinds, 'run', 'trains on prepared dialogues: fine-tuning, LoRA, or anew'))
    train_small.add(_kind(kinds, 'small', 'trains kame-small from nothing: voice, users, model'))
    train_measure.add(_kind(kinds, 'measure', 'measures a kame-small, frame by frame'))
    _look(_kind(kinds, 'look', 'draws prepared dialogues, as training sees them'))


def _kind(kinds: Any, name: str, help_text: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = kinds.add_parser(
        name, help=help_text, description=help_text[0].upper() + help_text[1:] + '.'
    )
    return parser


def _oracles(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        'transcripts',
        nargs='+',
        type=Path,
        help='JSON files of [{speaker, word, start, end}], or folders of them',
    )
    parser.add_argument('-o', '--output', type=Path, required=True, metavar='FOLDER')
    how = parser.add_mutually_exclusive_group(required=True)
    how.add_argument('--random', action='store_true', help='answers to other turns; no LLM')
    how.add_argument('--backend', metavar='KIND:MODEL', help='an LLM, such as ollama:llama3.2')
    parser.add_argument('--price-in', type=float, default=0.0, help='of a million tokens')
    parser.add_argument('--price-out', type=float, default=0.0, help='of a million tokens')
    parser.add_argument('--parallel', type=int, default=0, help='calls at once (default: its own)')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--dry-run', action='store_true', help='only says what it will cost')


def _look(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('folder', type=Path, help='of prepared data')
    parser.add_argument('-n', '--number', type=int, default=0, help='which crop')
    parser.add_argument('-o', '--output', type=Path, default=Path('scene.png'), metavar='PNG')
    train_prepare.add_look(parser)
