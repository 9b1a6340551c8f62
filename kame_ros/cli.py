"""The command `kame`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from kame_ros import __version__

_EPILOG = """\
examples:
  kame ask question.wav -o answer.wav        a spoken question in, the spoken answer out
  kame up                                    run the robot's voice until Ctrl-C
  kame say "My battery is low."              make a running robot say something
  kame ask q.wav -o a.wav --set stt.model=whisper-tiny.en --set oracle.backend=ollama
  kame doctor                                what this machine has, and what it lacks
"""


def make_parser() -> argparse.ArgumentParser:
    """The parser of the command line."""
    parser = argparse.ArgumentParser(
        prog='kame',
        description='A robot that answers at once and thinks while it speaks.',
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('--version', action='version', version=f'kame_ros {__version__}')
    commands = parser.add_subparsers(dest='command', required=True, metavar='COMMAND')
    from kame_ros.commands import arguments

    arguments.add(commands)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit status."""
    args = make_parser().parse_args(argv)
    return int(args.run(args))


if __name__ == '__main__':
    sys.exit(main())
