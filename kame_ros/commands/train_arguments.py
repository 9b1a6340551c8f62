"""The arguments of `kame train`, so that `--help` needs no model."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from kame_ros.commands import train_measure, train_prepare, train_run


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the subcommands."""
    kinds = parser.add_subparsers(dest='what', required=True, metavar='WHAT')
    _oracles(_kind(kinds, 'oracles', 'writes oracles for dialogues, with an LLM or at random'))
    train_prepare.add(_kind(kinds, 'prepare', 'makes shards of tokens from recorded dialogues'))
    train_run.add(_kind(kinds, 'run', 'trains on prepared dialogues: fine-tuning, LoRA, or anew'))
    _tiny(_kind(kinds, 'tiny', 'trains kame-tiny from nothing: voice, dialogues, model'))
    train_measure.add(_kind(kinds, 'measure', 'measures a kame-tiny, frame by frame'))
    _look(_kind(kinds, 'look', 'draws what is trained on: prepared data, or a scene of kame-tiny'))


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


def _tiny(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('-o', '--output', type=Path, required=True, metavar='FOLDER')
    parser.add_argument('--config', type=Path, metavar='YAML', help='another recipe')
    parser.add_argument('--steps', type=int, default=0, help='instead of those of the recipe')
    parser.add_argument('--device', default='cpu', help='cpu or cuda (default: cpu)')
    parser.add_argument('--dry-run', action='store_true', help='only says time and memory')


def _look(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('folder', type=Path, help='of prepared data, or of a run of kame-tiny')
    parser.add_argument('-n', '--number', type=int, default=0, help='which crop or scene')
    parser.add_argument('-o', '--output', type=Path, default=Path('scene.png'), metavar='PNG')
    parser.add_argument('--config', type=Path, metavar='YAML', help='another recipe of kame-tiny')
    train_prepare.add_look(parser)
