"""The command line of `kame`, so that `--help` needs neither ROS nor a model."""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path
from typing import Any

from kame_ros.commands.argument_types import within
from kame_ros.graph.description import DEFAULT_CONFIG, DEFAULT_NAMESPACE
from kame_ros.graph.names import DISCOVERY

_seconds = within(0, 1e9)  # what timers of ROS can still count in nanoseconds
_INT32 = 2**31  # the bound of the field `priority` of the action


class _Later:
    """Imports a command when it is run: ROS and the models take a second to load."""

    def __init__(self, module: str, function: str) -> None:
        self._module = module
        self._function = function

    def __call__(self, args: argparse.Namespace) -> int:
        module = importlib.import_module(f'kame_ros.commands.{self._module}')
        return int(getattr(module, self._function)(args))


def _file(text: str) -> Path:
    if not text.strip():
        raise argparse.ArgumentTypeError('the name of a file is empty')
    return Path(text)


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
    _show(commands)
    _replay(commands)
    _get(commands)
    _doctor(commands)
    _devices(commands)
    _evaluate(commands)
    train = _command(commands, 'train', 'makes training data, and trains a small KAME')
    try:
        from kame_ros.commands import train_arguments
    except ImportError:  # without what training needs, the other commands still work
        train.add_argument('what', nargs=argparse.REMAINDER)
    else:
        train_arguments.add(train)


def _evaluate(commands: Any) -> None:
    from kame_ros.commands import eval_arguments

    parser = _command(commands, 'eval', 'measures how good the conversation is: answers and times')
    eval_arguments.add(parser, _Later, _add_graph)


class _Help(argparse.RawDescriptionHelpFormatter):
    """Help in which {llms} stands for the kinds of LLMs, which are looked up only when shown."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return super()._fill_text(
            text.replace('{llms}', _llms()) if '{llms}' in text else text, width, indent
        )


def _llms() -> str:
    from kame_ros.oracle.llm import kinds

    lines = []
    for name in kinds.names():
        try:
            kind = kinds.find(name)
        except ValueError as error:  # of another package
            lines.append(f'  {error}')
            continue
        key = f' ({kind.key})' if kind.key and kind.needs_key else ''
        lines.append(f'  {f"{name}:{kind.example}":34} {kind.about}{key}')
    return '\n'.join(lines)


def _command(commands: Any, name: str, help_text: str, more: str = '') -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=help_text,
        description=help_text[0].upper() + help_text[1:] + '.',
        epilog=more,
        formatter_class=_Help,
    )
    parser.set_defaults(run=_Later(name, name))
    return parser


def _add_graph(
    parser: argparse.ArgumentParser,
    patience: tuple[float, str] = (180.0, '180'),
    domain: str = 'that of the environment, or one of its own',
) -> None:
    """`patience`: seconds, and what help calls them; `domain`: which one, if none is given."""
    group = parser.add_argument_group('the graph')
    _add_config(group)
    group.add_argument(
        '--record',
        default='',
        metavar='FOLDER',
        help='keeps all topics with the sound in a new bag (MCAP) below this folder, as ros2 bag '
        'does; `kame show` and `kame replay` read it',
    )
    group.add_argument(
        '--patience',
        type=_seconds,
        default=patience[0],
        metavar='SECONDS',
        help=f'how long the nodes may come no further while they come up (default: {patience[1]})',
    )
    _add_where(parser, domain)
    group.add_argument(
        '--discovery',
        default=DISCOVERY[0],
        metavar='RANGE',
        help=f'who may find the nodes: {", ".join(DISCOVERY)}: this machine only (the default), '
        'or the network',
    )


def _add_config(group: Any) -> None:
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


def _add_consumers(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--consumer',
        action='append',
        default=[],
        metavar='NAME[:KEY=VALUE;...]',
        help='who follows the conversation: captions prints it, and other packages bring more; '
        'can be given again',
    )


def _add_page(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group('the page')
    group.add_argument(
        '--page',
        nargs='?',
        const='show',
        default='',
        metavar='talk',
        help='a page that shows the conversation, in any browser; with `talk`, the browser (or any '
        "client of OpenAI's Realtime protocol) is the robot's microphone and loudspeaker",
    )
    group.add_argument(
        '--page-host',
        default='',
        metavar='ADDRESS',
        help='where the page is served (default: 127.0.0.1, this machine only)',
    )


def _add_get(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--get',
        action='store_true',
        help='gets weights that are not on this machine without asking (see kame get)',
    )


def _add_where(
    parser: argparse.ArgumentParser,
    domain: str,
    namespace: str = DEFAULT_NAMESPACE,
) -> None:
    """`domain`, `namespace`: what help says is taken if none is given."""
    group = parser.add_argument_group('where')
    group.add_argument(
        '--namespace',
        default=DEFAULT_NAMESPACE,
        help=f'the namespace of the nodes: one for each robot (default: {namespace})',
    )
    group.add_argument(
        '--domain', default='', metavar='N', help=f'the ROS_DOMAIN_ID (default: {domain})'
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
    parser.add_argument('question', type=_file, help='a sound file, of any rate, up to 10 minutes')
    parser.add_argument(
        '-o', '--output', type=Path, metavar='WAV', help='where the answer goes (24 kHz, mono)'
    )
    parser.add_argument(
        '--json', type=Path, metavar='JSON', help='where the record of the session goes'
    )
    _add_graph(parser, domain='that of the environment where no robot runs, or one of its own')
    _add_get(parser)
    _add_consumers(parser)


def _up(commands: Any) -> None:
    parser = _command(
        commands,
        'up',
        'runs the graph until Ctrl-C',
        'A node that dies is started anew. `kame say`, `ros2 topic echo /robot/transcript` and\n'
        'your own nodes reach it in the ROS_DOMAIN_ID that is printed (that of the environment, '
        'if it is set).\n\nLLMs, for --set oracle.backend=KIND:MODEL[@URL]; keys come from the '
        'environment:\n{llms}',
    )
    parser.add_argument(
        '--for',
        type=_seconds,
        dest='duration',
        metavar='SECONDS',
        help='ends by itself after a while',
    )
    parser.add_argument(
        '--quiet',
        action='store_true',
        help='shows no conversation, only what is wrong',
    )
    _add_graph(parser)
    _add_page(parser)
    _add_get(parser)
    _add_consumers(parser)


def _conduct(commands: Any) -> None:
    parser = _command(
        commands,
        'conduct',
        'brings up the nodes of a graph that somebody else starts',
        'The launch file runs it: each node is configured and activated, and again when its '
        'process was\nstarted anew. exit status: 1 if a node refuses in the first bring-up',
    )
    _add_graph(parser, (0.0, 'for ever'), 'that of the environment')
    _add_page(parser)


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
        '--patience',
        type=_seconds,
        default=30.0,
        metavar='SECONDS',
        help='until when it must begin (default: %(default)g)',
    )
    robot = 'that of the robot that runs on this machine'
    _add_where(parser, robot, robot)
    parser.set_defaults(namespace=None)


def _show(commands: Any) -> None:
    parser = _command(
        commands,
        'show',
        'shows the conversation in a bag: its turns, and a picture on one time axis',
        'A bag is the folder that `kame up --record` or `ros2 bag record` wrote (MCAP or SQLite), '
        'or one\nof its files; one that was cut off is read as far as it goes. Of a folder with '
        'several, the newest.',
    )
    parser.add_argument('bag', type=_file, help='a bag')
    parser.add_argument(
        '-o',
        '--output',
        type=Path,
        metavar='FILE',
        help='draws it: .html is a page with the sound, .svg the picture alone',
    )
    parser.add_argument('--json', action='store_true', help='prints JSON instead of a table')
    parser.add_argument(
        '--namespace', help='of which robot, where there are several (default: the only one)'
    )
    parser.set_defaults(run=_Later('show_bag', 'show_bag'))


def _replay(commands: Any) -> None:
    parser = _command(
        commands,
        'replay',
        'answers a recorded conversation again, and says what differs',
        "The user's sound runs through the recogniser, the oracle and the front-end of a "
        'configuration on\nvirtual time. The LLM answers as it did in the record; with --set '
        'oracle.backend=… another one answers\nthe same questions, side by side. A sound file has '
        'the user left, and no record to compare.\n\n'
        'exit status: 0 replayed, 1 failed, 2 wrong arguments, 3 something differs (--strict)',
    )
    parser.add_argument('source', type=_file, help='a bag, or a sound file (mono or stereo)')
    parser.add_argument(
        '-o',
        '--output',
        type=Path,
        metavar='FILE',
        help='draws the replay, as `kame show` does: .html or .svg',
    )
    parser.add_argument('--json', action='store_true', help='prints JSON instead of a table')
    parser.add_argument('--strict', action='store_true', help='exit status 3 if a decision differs')
    parser.add_argument(
        '--namespace', help='of which robot, where there are several (default: the only one)'
    )
    _add_config(parser.add_argument_group('the parts'))


def _get(commands: Any) -> None:
    parser = _command(
        commands,
        'get',
        'gets weights onto this machine, and goes on where a broken line has ended',
        'names:\n'
        '  kame                     SakanaAI/kame, 32 GB; its Mimi and tokeniser with it\n'
        '  moshi                    kyutai/moshiko-pytorch-bf16, 16 GB\n'
        '  mimi                     only the codec and the tokeniser of that\n'
        '  OWNER/NAME [FILE ...]    any repository of the Hugging Face hub; of a checkpoint of\n'
        '                           Moshi or KAME what it needs, else all files\n'
        '  FOLDER                   what a checkpoint of your own names and lacks\n'
        '  qwen2.5-1.5b, …          weights that ship in packages; kame doctor lists them\n'
        '  ollama:MODEL             a model of the ollama server of this machine\n\n'
        'Weights of the hub lie in its own cache (HF_HOME) and are used from there without asking\n'
        'it again. Terms are accepted on their page; the token comes from HF_TOKEN, or from\n'
        '"hf auth login". exit status: 0 all is here, 1 not (yet), 130 stopped',
    )
    parser.add_argument('name', metavar='NAME', help='what to get')
    parser.add_argument('files', nargs='*', metavar='FILE', help='only these of a repository')
    parser.add_argument(
        '--revision', default='', metavar='R', help='a branch, tag or commit (default: the newest)'
    )


def _doctor(commands: Any) -> None:
    parser = _command(
        commands,
        'doctor',
        'checks the machine and says what to do about each lack',
        'With --config or --set it says whether this machine can run that configuration, before\n'
        'anything is got or loaded: GPU memory, disk, RAM, driver, compilers. exit status: 1 if\n'
        'something is missing',
    )
    parser.add_argument(
        '--config', default='', metavar='NAME', help='whether this configuration will fit here'
    )
    parser.add_argument(
        '--set',
        action='append',
        default=[],
        metavar='NODE.PARAMETER=VALUE',
        help='changes a parameter of it; can be given again',
    )
    parser.add_argument('--json', action='store_true', help='prints JSON instead of a table')


def _devices(commands: Any) -> None:
    parser = _command(commands, 'devices', 'lists the microphones and loudspeakers')
    parser.add_argument('--json', action='store_true', help='prints JSON instead of a table')
