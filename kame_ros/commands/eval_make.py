"""`kame eval make`: what is said to the robot, as sound with exact labels."""

from __future__ import annotations

import argparse

from rich.markup import escape
from rich.status import Status

from kame_ros.commands.show import console, fail, refuse
from kame_ros.evaluation import make as maker
from kame_ros.evaluation.questions import OURS, read_questions
from kame_ros.evaluation.suite import BadSuite, Suite
from kame_ros.text.os_errors import in_words


def make(args: argparse.Namespace) -> int:
    """Makes a suite; what is wrong is said in one sentence."""
    try:
        suite = _made(args)
    except BadSuite as error:
        return refuse(error)
    except OSError as error:
        return fail(escape(in_words(error)))
    seconds = _seconds(suite)
    console.print(
        f'{len(suite.items)} conversations, {seconds:.0f} s of sound, in {args.output} '
        f'[dim](sha256 {suite.sha256[:12]})[/]'
    )
    console.print(f'next: kame eval run {args.output} -o RUN --config tandem', style='dim')
    return 0


def _made(args: argparse.Namespace) -> Suite:
    voices = tuple(filter(None, (name.strip() for name in args.voices.split(','))))
    categories = tuple(filter(None, (name.strip() for name in args.categories.split(','))))
    if not voices:
        raise BadSuite('--voices needs a name')
    if args.suite in ('mtbench', 'recordings') and args.data is None:
        raise BadSuite(f'{args.suite} needs --data: {_DATA[args.suite]}')
    if args.data is not None and not args.data.exists():
        raise BadSuite(f'there is no {args.data}')
    with Status('', console=console) as status:

        def show(name: str) -> None:
            status.update(f'speaking {escape(name)}')

        if args.suite == 'facts':
            questions = read_questions(args.data or OURS)
            chosen = [q for q in questions if not categories or q.category in categories]
            if not chosen:
                raise BadSuite(f'no question is of {", ".join(categories)}')
            return maker.facts(args.output, voices, chosen, show)
        if args.suite == 'scenes':
            return maker.scenes(args.output, voices, args.seed, show)
        if args.suite == 'mtbench':
            wanted = categories or maker.CATEGORIES
            return maker.mtbench(args.output, args.data, voices, wanted, show)
        if not args.data.is_dir():
            raise BadSuite(f'{args.data} is no folder')
        return maker.recordings(args.output, args.data, show)


_DATA = {
    'mtbench': 'a folder with question.jsonl of FastChat (fastchat/llm_judge/data/mt_bench)',
    'recordings': 'a folder of sound files',
}


def _seconds(suite: Suite) -> float:
    import soundfile

    return sum(soundfile.info(suite.folder / name).duration for name in suite.sounds)
