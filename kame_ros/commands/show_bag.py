"""`kame show`: the conversation in a bag, as a table and as a picture."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.markup import escape

from kame_ros.bag.bag import Bag
from kame_ros.bag.stored import BadBag
from kame_ros.commands.show import console, fail, turn_table
from kame_ros.commands.writable import check_writable
from kame_ros.conversation.conversation import Conversation
from kame_ros.conversation.page import page
from kame_ros.conversation.picture import Picture
from kame_ros.record.record import Record, RecordedTurn, turn_record
from kame_ros.text.os_errors import in_words
from kame_ros.text.well_formed import printable

_KINDS = ('.html', '.svg')


def show_bag(args: argparse.Namespace) -> int:
    """Reads a bag, prints its turns, and draws them where that is wanted."""
    record, conversation = Record(), Conversation(bounded=False)
    try:
        if args.output is not None:
            check_picture(args.output)
        bag = Bag(args.bag)
        namespace = bag.namespace(args.namespace)
        bag.tell(namespace, record, conversation)
    except (BadBag, OSError) as error:
        return fail(escape(printable(in_words(error))))
    turns = record.turns()
    if args.json:
        found = told(bag, namespace, record, turns, conversation)
        print(json.dumps(found, indent=2, ensure_ascii=False))
    elif turns:
        console.print(turn_table(turns))
    else:
        console.print('nobody said anything')
    for problem in bag.problems:
        console.print(f'[yellow]{escape(printable(problem))}[/]')
    for (node, name), count in conversation.losses.items():
        console.print(f'[yellow]{escape(node)}[/]: {escape(name)} grew by {count:g}')
    if args.output is None:
        return 0
    name = bag.files[0].parent.name if bag.path.is_dir() else bag.path.name
    return draw(args.output, name, record, turns, conversation, bag.problems)


def told(
    bag: Bag,
    namespace: str,
    record: Record,
    turns: Sequence[RecordedTurn],
    conversation: Conversation,
) -> dict[str, Any]:
    """All of it, for JSON; times in seconds from the first frame heard."""
    first = record.generations.first
    return {
        'bag': [str(path) for path in bag.files],
        'namespace': namespace,
        'problems': bag.problems,
        'turns': [turn_record(turn, record.t0, first) for turn in turns],
        'losses': {f'{node}.{name}': n for (node, name), n in conversation.losses.items()},
    }


def check_picture(path: Path) -> None:
    """Raises OSError, in words, for a file that no picture can be written to later."""
    if path.suffix not in _KINDS:
        raise OSError(f'{path}: a picture ends with {" or ".join(_KINDS)}')
    check_writable(path)


def draw(
    path: Path,
    name: str,
    record: Record,
    turns: Sequence[RecordedTurn],
    conversation: Conversation,
    problems: Sequence[str],
) -> int:
    """Writes the picture, or the page with the sound; 1 if it cannot, of which it tells."""
    picture = Picture(record, conversation, turns)
    whole = path.suffix == '.html'
    try:
        text = page(name, record, picture, problems) if whole else picture.svg
        path.write_text(text, encoding='utf-8')
    except OSError as error:
        return fail(escape(in_words(error)))
    console.print(f'{"page, with the sound" if whole else "picture"}: {path}')
    return 0
