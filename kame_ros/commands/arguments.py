"""The command line of `kame`, so that `--help` needs neither ROS nor a model."""

from __future__ import annotations

import argparse
import importlib
import math
from pathlib import Path
from typing import Any

from kame_ros.graph import DEFAULT_CONFIG, DEFAULT_NAMESPACE
from kame_ros.names import DISCOVERY

_LONGEST_S = 1e9  # what timers of ROS can still count in nanoseconds
_INT32 = 2**31  # the bound of the field `priority` of the action


class _Later:
    """Imports a command when it is run: ROS and the models take a second to load."""

    def __init__(self, module: str, function: str) -> None:
        self._module = module
        self._function = function

    def __call__(self, args: argparse.Namespace) -> int:
        module = importlib.import_module(f'kame_ros.commands.{self._module}')
        return int(getattr(module, self._function)(args))


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= _LONGEST_S:
        raise argparse.ArgumentTypeError(f'{text!r} is no number of seconds')
    return seconds


def _priority(text: str) -> int:
    try:
        priority = int(text)
    except ValueError:
        priority = _INT32
    if not -_INT32 <= priority < _INT32:
        raise argparse.ArgumentTypeError(f'{text!r} is no whole number of 32 bits')
    return priority


def add(commands: Any) -> None:
    """Adds all commands to a parser's subparsers."""
    _ask(commands)
    _up(commands)
    _conduct(commands)
    _say(commands)
    _doctor(commands)
    _devices(commands)
    train = _command(commands, 'train', 'makes training data, and trains a small KAME')
    try:
        from kame_ros.commands import train_arguments
    except ImportError:  # without what training needs, the other commands still work
        train.add_argument('what', nargs=argparse.REMAINDER)
    else:
        train_arguments.add(train)


def _command(commands: Any, name: str, help_text: str, more: str = '') -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=help_text,
        description=help_text[0].upper() + help_text[1:] + '.',
        epilog=more,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=_Later(name, name))
    return parser


def _add_graph(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group('the graph')
    group.add_argument(
        '--config',
        default=DEFAULT_CONFIG,
        metavar='NAME',
        help='a configuration by name, or the path of a ROS parameter file (default: %(default)s; '
        '`kame doctor` lists the names)',
    )
    group.add_argument(
        '--set',
        action='append',
        default=[],
        metavar='NODE.PARAMETER=VALUE',
        help='changes a parameter; the value is taken as it is typed; can be given again',
    )
    group.add_argument(
        '--params-file',
        default='',
        metavar='FILE',
        help='a ROS parameter file that outranks the configuration',
    )
    group.add_argument(
        '--patience',
        type=_seconds,
        default=180.0,
        metavar='SECONDS',
        help='how long the nodes may come no further while they come up (default: %(default)g)',
    )
    _add_where(parser)
    group.add_argument(
        '--discovery',
        default=DISCOVERY[0],
        metavar='RANGE',
        help=f'who may find the nodes: {", ".join(DISCOVERY)}: this machine only (the default), '
        'or the network',
    )


def _add_where(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group('where')
    group.add_argument(
        '--namespace',
        default=DEFAULT_NAMESPACE,
        help='the namespace of the nodes: one for each robot (default: %(default)s)',
    )
    group.add_argument(
        '--domain', default='', metavar='N', help='the ROS_DOMAIN_ID (default: one of its own)'
    )


def _ask(commands: Any) -> None:
    parser = _command(
        commands,
        'ask',
        'asks a spoken question and records the spoken answer',
        'The recording is played at real time into the graph, and the answer recorded as the robot '
        'plays it.\nSeveral turns separated by silence are several turns. The answer starts at the '
        'same instant as the\nquestion, so that the two can be laid side by side.\n\n'
        'exit status: 0 answered (or nothing was said), 1 failed, 2 wrong arguments',
    )
    parser.add_argument('question', type=Path, help='a sound file, of any rate, up to 10 minutes')
    parser.add_argument(
        '-o', '--output', type=Path, metavar='WAV', help='where the answer goes (24 kHz, mono)'
    )
    parser.add_argument(
        '--json', type=Path, metavar='JSON', help='where the record of the session goes'
    )
    _add_graph(parser)


def _up(commands: Any) -> None:
    parser = _command(
        commands,
        'up',
        'runs the graph until Ctrl-C',
        'A node that dies is started anew. `kame say`, `ros2 topic echo /robot/transcript` and\n'
        'your own nodes reach it in the ROS_DOMAIN_ID that is printed (that of the environment, '
        'if it is set).',
    )
    parser.add_argument(
        '--for',
        type=_seconds,
        dest='duration',
        metavar='SECONDS',
        help='ends by itself after a while',
    )
    _add_graph(parser)


def _conduct(commands: Any) -> None:
    parser = _command(
        commands,
        'conduct',
        'brings up the nodes of a graph that somebody else starts',
        'The launch file runs it: each node is configured and activated, and again when its '
        'process was\nstarted anew. exit status: 1 if a node refuses in the first bring-up',
    )
    _add_graph(parser)
    parser.set_defaults(patience=0.0)


def _say(commands: Any) -> None:
    parser = _command(
        commands,
        'say',
        'makes a running robot say something',
        'Ctrl-C stops the robot in mid-sentence. exit status: 0 said, 1 not (all) said',
    )
    parser.add_argument('text', help='what to say')
    parser.add_argument(
        '--priority',
        type=_priority,
        default=10,
        help='the highest speaks first; the LLM has 0 (default: %(default)s)',
    )
    parser.add_argument(
        '--patience', type=_seconds, default=30.0, help='seconds until it must begin (default: 30)'
    )
    _add_where(parser)
    parser.set_defaults(namespace=None)


def _doctor(commands: Any) -> None:
    parser = _command(commands, 'doctor', 'checks the machine and says what to do about each lack')
    parser.add_argument('--json', action='store_true', help='prints JSON instead of a table')


def _devices(commands: Any) -> None:
    parser = _command(commands, 'devices', 'lists the microphones and loudspeakers')
    parser.add_argument('--json', action='store_true', help='prints JSON instead of a table')
