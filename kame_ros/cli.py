"""The command `kame`."""

from __future__ import annotations

import argparse
import contextlib
import errno
import io
import os
import signal
import sys
from collections.abc import Sequence

from kame_ros import __version__

_INTERRUPTED = 130  # as shells have it: 128 + SIGINT
_GONE = 141  # 128 + SIGPIPE
_UNWRITABLE = (errno.EPIPE, errno.ENOSPC, errno.EIO, errno.EFBIG)
_EPILOG = """\
examples:
  kame ask question.wav -o answer.wav        a spoken question in, the spoken answer out
  kame up                                    run the robot's voice until Ctrl-C
  kame say "My battery is low."              make a running robot say something
  kame ask q.wav -o a.wav --set stt.model=whisper-tiny.en --set oracle.backend=ollama:llama3.2
  kame get kame                              the weights of --config kame, 32 GB
  kame eval make facts -o suite/facts        how good is it? see kame eval --help
  kame doctor                                what this machine has, and what it lacks
"""


def _unwritten(error: OSError) -> int:
    """Nothing more can be written: whoever reads has gone, which is no fault, or a disk is full.

    An error of a file does not tell which one it was.
    """
    gone = error.errno == errno.EPIPE
    if not gone:
        with contextlib.suppress(OSError):
            print(f'error: nothing more can be written: {error.strerror}', file=sys.stderr)
    with contextlib.suppress(OSError):  # Python would try it again at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return _GONE if gone else 1


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
    command = ''
    for stream in (sys.stdout, sys.stderr):  # a terminal of another encoding than UTF-8
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors='backslashreplace')
    try:
        args = make_parser().parse_args(argv)
        command = args.command
        status = int(args.run(args))
        if sys.stdout is not None:
            sys.stdout.flush()
        return status
    except OSError as error:
        if error.filename is not None or error.errno not in _UNWRITABLE:
            raise
        return _unwritten(error)
    except ModuleNotFoundError as error:
        print(
            f'error: the package of {error.name} is not installed; kame doctor tells how to get it',
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:  # before the command has its own way to end, or after
        print('stopped', file=sys.stderr)
        return 0 if command == 'up' else _INTERRUPTED
    finally:
        if argv is None:  # the process ends: a second Ctrl-C has nothing left to stop
            signal.signal(signal.SIGINT, signal.SIG_IGN)


if __name__ == '__main__':
    sys.exit(main())
