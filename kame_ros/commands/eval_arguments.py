"""The arguments of `kame eval`, so that `--help` needs neither ROS nor a model."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from kame_ros.commands.argument_types import within

Make = Callable[[str, str], Callable[[argparse.Namespace], int]]
AddGraph = Callable[[argparse.ArgumentParser], None]

EXAMPLES = """\
the whole way, on this machine:
  kame eval make facts -o suite/facts           40 questions; or scenes, mtbench, recordings
  kame eval run suite/facts -o runs/tandem      each is asked through the real graph (7 minutes)
  kame eval score runs/tandem                   latency from sound, right answers by rules
  kame eval report runs/tandem -o report        a table, pictures and a page with sound
  kame eval compare runs/cascade runs/tandem    the same questions, paired

a robot or another system that you recorded:
  kame eval score recordings/ -o scores/other   pairs of wav, stereo wav, Full-Duplex-Bench folders
"""


def add(parser: argparse.ArgumentParser, later: Make, add_graph: AddGraph) -> None:
    """Adds the subcommands."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EXAMPLES
    kinds = parser.add_subparsers(dest='what', required=True, metavar='WHAT')

    def kind(name: str, help_text: str, more: str = '') -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = kinds.add_parser(
            name,
            help=help_text,
            description=help_text[0].upper() + help_text[1:] + '.',
            epilog=more,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        made.set_defaults(run=later(f'eval_{name}', name))
        return made

    _make(kind('make', 'makes a suite: what is said to the robot, with exact labels', _SUITES))
    _run(kind('run', 'leads the conversations of a suite with a configuration', _RUNS), add_graph)
    _score(kind('score', 'measures and judges what was recorded', _SCORES))
    _report(kind('report', 'makes a page, tables and pictures of scored runs'))
    _export(kind('export', 'writes a run as folders of Full-Duplex-Bench', _EXPORTS))
    _compare(kind('compare', 'says whether two runs of one suite differ, question by question'))


_SUITES = """\
suites:
  facts       short questions with accepted answers; --data FILE for yours, as JSON lines of
              {"id", "category", "text", "accepted": [regular expressions], "answer"}
  scenes      pauses, smooth turns, interruptions, back-channels both ways, talk to others, noise
  mtbench     two turns each; --data FOLDER with question.jsonl of FastChat (the package has none)
  recordings  --data FOLDER of your own sound files; questions.jsonl in it says what is in them

voices: hibari (of this package), hibari-low, slt, rms, awb, kal16 (libflite1), en-us, espeak:NAME
"""
_RUNS = """\
The graph is brought up once; between two conversations it forgets. Each is written whole or not at
all, so that a run that was stopped (Ctrl-C) goes on where it was when it is started again.
Figures of time are those of a machine that does nothing else.
"""
_SCORES = """\
RUN is a folder of kame eval run, or one of recordings:
  NAME.input.wav + NAME.output.wav    pairs; or pairs.csv: input, output, text, accepted, turn_end
  NAME.wav with two channels          the user left, the system right
  NAME.mcap, or the folder of a bag   both sides, as kame up --record writes them
  ID/input.wav + ID/output.wav …      Full-Duplex-Bench v1 and v1.5, with its JSON files

A judge is any LLM that the robot can use, as in --judge openai:gpt-4.1. First it is tried with
good, foreign and empty answers; one that cannot tell them apart is refused.
What it said is kept, and is not asked (and paid) again.
"""


_EXPORTS = """\
Folders of v1.0 and v1.5 for each task: input.wav, output.wav and labels, at 16 kHz; output.json
with the words if the run is scored. Scenes that the benchmark does not have are left out.
"""


def _make(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('suite', choices=('facts', 'scenes', 'mtbench', 'recordings'))
    parser.add_argument('-o', '--output', type=Path, required=True, metavar='FOLDER')
    parser.add_argument(
        '--data', type=Path, metavar='PATH', help='questions or recordings of yours'
    )
    parser.add_argument(
        '--voices', default='hibari', metavar='NAMES', help='comma between (default: %(default)s)'
    )
    parser.add_argument(
        '--categories',
        default='',
        metavar='NAMES',
        help='of questions; of mtbench the default is reasoning,stem,humanities',
    )
    parser.add_argument('--seed', type=int, default=0, help='of the noises (default: 0)')


def _run(parser: argparse.ArgumentParser, add_graph: AddGraph) -> None:
    parser.add_argument('suite', type=Path, help='a folder of kame eval make')
    parser.add_argument('-o', '--output', type=Path, required=True, metavar='RUN')
    parser.add_argument('--repeat', type=_count, default=1, metavar='N', help='times (default: 1)')
    parser.add_argument(
        '--items', action='append', default=[], metavar='PATTERN', help="such as 'fact-0*'"
    )
    parser.add_argument(
        '--hold',
        type=_hold,
        default=0.0,
        metavar='SECONDS',
        help='keeps the mouth shut until the user has been silent so long, for the curve of score '
        'against latency (sets s2s.hold_s)',
    )
    parser.add_argument(
        '--dry-run',
        action='store_true',
        help='only says how long, at what cost, and what would be refused',
    )
    parser.add_argument(
        '--budget', type=_money, metavar='PRICE', help="stops before the LLM's bill gets higher"
    )
    parser.add_argument(
        '--text-only',
        action='store_true',
        help='asks the LLM of the configuration in writing; no graph, no sound',
    )
    add_graph(parser)


def _score(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('folder', type=Path, metavar='RUN', help='or a folder of recordings')
    parser.add_argument('-o', '--output', type=Path, metavar='FOLDER', help='default: RUN itself')
    parser.add_argument(
        '--stt', default='whisper-base', metavar='MODEL', help='who hears the answers (%(default)s)'
    )
    parser.add_argument(
        '--compat',
        action='store_true',
        help="Full-Duplex-Bench's figures as its code gives them, errors included",
    )
    parser.add_argument(
        '--offset',
        type=within(-3600, 3600),
        default=0.0,
        help='s: the system is late by so much',
    )
    judging = parser.add_argument_group('the judge of MT-Bench')
    judging.add_argument('--judge', default='', metavar='KIND:MODEL[@URL]')
    judging.add_argument(
        '--mtbench', type=Path, metavar='FOLDER', help='with judge_prompts.jsonl and references'
    )
    judging.add_argument('--price-in', type=_money, default=0.0, help='of a million tokens')
    judging.add_argument('--price-out', type=_money, default=0.0, help='of a million tokens')
    judging.add_argument(
        '--budget', type=_money, metavar='PRICE', help='stops before more is spent'
    )
    judging.add_argument('--dry-run', action='store_true', help='only says what it would cost')


def _report(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('runs', nargs='+', type=Path, metavar='RUN', help='runs that are scored')
    parser.add_argument('-o', '--output', type=Path, required=True, metavar='FOLDER')
    parser.add_argument(
        '--published',
        action='store_true',
        help="adds the KAME paper's figures, marked as published",
    )


def _export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('run_folder', type=Path, metavar='RUN', help='a run, best a scored one')
    parser.add_argument('-o', '--output', type=Path, required=True, metavar='FOLDER')


def _compare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('a', type=Path, metavar='A')
    parser.add_argument('b', type=Path, metavar='B')
    parser.add_argument('--metric', default='', help='default: the score of the suite')


def _count(text: str) -> int:
    count = _number(text, 1, 1000)
    if count != int(count):
        raise argparse.ArgumentTypeError(f'{text!r} is no whole number')
    return int(count)


def _hold(text: str) -> float:
    return _number(text, 0, 30)


def _money(text: str) -> float:
    return _number(text, 0, 1e6)


def _number(text: str, low: float, high: float) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not low <= value <= high:
        raise argparse.ArgumentTypeError(f'{text!r} is no number from {low:g} to {high:g}')
    return value
