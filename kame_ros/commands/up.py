"""`kame up`: the graph, until Ctrl-C."""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import time
from collections.abc import Sequence

from rich.markup import escape

from kame_ros.commands.bring_up import bring_up, explain, load
from kame_ros.commands.follow import consumers, following
from kame_ros.commands.get import get_missing
from kame_ros.commands.live import Screen
from kame_ros.commands.page_link import page_token, tell_page
from kame_ros.commands.show import console, fail, refuse, warnings
from kame_ros.consumers.queued import Queued
from kame_ros.conversation.conversation import Conversation
from kame_ros.conversation.happening import What
from kame_ros.fetch.errors import FetchError
from kame_ros.graph.names import BadConfig
from kame_ros.graph.processes import Taken
from kame_ros.graph.running_graphs import Note, noted
from kame_ros.graph.surroundings import BadSurroundings
from kame_ros.nodes.visitor.conductor import BringUpError
from kame_ros.nodes.visitor.running_graph import RunningGraph, Stopped, running
from kame_ros.text.os_errors import in_words
from kame_ros.text.well_formed import printable
from kame_ros.trust.private_folder import NoPrivateFolder

_LOOK_S = 0.5
_SHOW_S = 0.15
_DOUBLE = 'there are two of this name: another robot runs in this namespace'
_QUIET_S = 60.0
_KINDS = 200  # of problems that are remembered


def up(args: argparse.Namespace) -> int:
    """Runs a graph and revives its nodes, until it is stopped."""
    try:
        graph = load(args)
        followers = consumers(args.consumer, graph)
        token = page_token(graph)
        get_missing(graph, args.get)
    except BadConfig as error:
        return refuse(error)
    except FetchError as error:
        return fail(escape(printable(str(error))))
    conversation = Conversation()
    watched = [] if args.quiet else [conversation]
    try:
        with running(graph, domain=args.domain, discovery=args.discovery) as run:
            note = Note(os.getpid(), graph.config, graph.namespace, run.domain, args.discovery)
            try:
                with noted(note), following(run, followers, watched) as queued:
                    bring_up(run, args.patience)
                    tell_page(run, token)
                    _greet(run, args.discovery)
                    screen = Screen(console, conversation) if watched else None
                    return _watch(run, args.duration, queued, conversation, screen)
            except BringUpError as error:
                return explain(run, error)
    except (Taken, BadSurroundings, NoPrivateFolder, OSError) as error:
        return fail(escape(in_words(error)))
    except Stopped:
        console.print('stopped')
        return 0


def _greet(run: RunningGraph, discovery: str) -> None:
    console.print('say something, or: [bold]kame say "Hello."[/]   [dim]Ctrl-C ends[/]')
    console.print(
        f'[dim]other nodes join with: export ROS_DOMAIN_ID={run.domain} '
        f'ROS_AUTOMATIC_DISCOVERY_RANGE={discovery}[/]',
        soft_wrap=True,  # to be copied as one line
    )


def _watch(
    run: RunningGraph,
    duration: float | None,
    followers: Sequence[Queued],
    conversation: Conversation,
    screen: Screen | None,
) -> int:
    with screen.shown() if screen else contextlib.nullcontext():
        return _look(run, duration, followers, conversation, screen)


def _look(
    run: RunningGraph,
    duration: float | None,
    followers: Sequence[Queued],
    conversation: Conversation,
    screen: Screen | None,
) -> int:
    seen = 0
    end = None if duration is None else time.monotonic() + duration
    told = Told()
    while end is None or time.monotonic() < end:
        run.spin(_SHOW_S if screen else _LOOK_S)
        run.revive()
        if screen:
            screen.update()
        seen = tell_failures(conversation, told, seen)
        double = run.conductor.doubled
        if double and told.is_news(time.monotonic(), double, _DOUBLE):
            console.print(f'[yellow]{double}[/]: {_DOUBLE}')
        for name, health in run.conductor.health.items():
            if health.level and told.is_news(time.monotonic(), name, health.message):
                console.print(f'[yellow]{name}[/]: {escape(printable(health.message))}')
        for name, line in warnings(run.conductor.health):
            if told.is_news(time.monotonic(), name, line):
                console.print(f'[yellow]{name}[/]: {escape(printable(line))}')
        for follower in followers:
            dropped = f'{follower.dropped} things were dropped: it is too slow'
            if follower.dropped and told.is_news(time.monotonic(), follower.name, dropped):
                console.print(f'[yellow]{escape(follower.name)}[/]: {dropped}')
    return 0


def tell_failures(conversation: Conversation, told: Told, seen: int) -> int:
    """Prints why the LLM failed since happening number `seen`; gives the number of the newest."""
    for happening in conversation.since(seen):
        seen = happening.number
        if happening.what is not What.FAILED or not happening.text:
            continue
        if told.is_news(time.monotonic(), 'LLM', happening.text):
            console.print(f'[yellow]oracle[/]: {escape(printable(happening.text))}', soft_wrap=True)
    return seen


class Told:
    """Which problems were told: each kind once, and again when it was gone for a minute.

    Two messages are of one kind if they differ in their numbers only.
    """

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], float] = {}

    def is_news(self, t: float, name: str, message: str) -> bool:
        """Whether to tell what the node `name` says of itself at `t`."""
        kind = name, re.sub(r'[-+]?\d[\d.,:e+-]*', '#', message)
        before = self._seen.get(kind)
        if len(self._seen) >= _KINDS and before is None:
            del self._seen[min(self._seen, key=self._seen.__getitem__)]
        self._seen[kind] = t
        return before is None or t - before > _QUIET_S
