"""`kame say`: makes a running robot say something."""

from __future__ import annotations

import argparse
import os

from rich.markup import escape

from kame_ros.commands.show import console, fail, refuse
from kame_ros.graph.description import DEFAULT_NAMESPACE
from kame_ros.graph.names import DISCOVERY, BadConfig, check_domain, check_namespace
from kame_ros.graph.processes import environment, join
from kame_ros.graph.running_graphs import Note, running_graphs
from kame_ros.graph.surroundings import BadSurroundings
from kame_ros.text.speakable import left_out
from kame_ros.text.well_formed import well_formed
from kame_ros.trust.private_folder import NoPrivateFolder


def say(args: argparse.Namespace) -> int:
    """Sends a goal to the action `say` and follows it."""
    try:
        domain = check_domain(args.domain, '--domain')
        check_namespace(args.namespace or '')
        note = _find(args.namespace, domain)
        namespace = args.namespace or (note.namespace if note else DEFAULT_NAMESPACE)
        if domain is None:
            domain = note.domain if note else check_domain(os.environ.get('ROS_DOMAIN_ID', ''))
        env = environment(domain or 0, note.discovery if note else DISCOVERY[0])
    except BadConfig as error:
        return refuse(error)
    except (BadSurroundings, NoPrivateFolder) as error:
        return fail(escape(str(error)))
    join(env)
    from kame_ros.nodes.visitor.say_client import NoRobot, say_to_robot

    try:
        said, problem = say_to_robot(
            f'/{namespace.strip("/")}/say'.replace('//', '/'),  # '/': that of all robots
            well_formed(args.text),
            args.priority,
            args.patience,
            _Echo(),
        )
    except NoRobot as error:
        return fail(escape(f'{error}; is there a robot? `kame up` starts one'))
    if said:  # the words are on a line that is not ended yet
        console.print()
    if problem:
        return fail(escape(f'{problem}; said: {said or "nothing"}'))
    if missing := left_out(well_formed(args.text)):
        console.print(escape(f'{missing}: this voice reads Latin letters'))
    return 0


def _find(namespace: str | None, domain: int | None) -> Note | None:
    """The newest graph on this machine that fits what was asked for."""
    fits = [
        note
        for note in running_graphs()
        if (namespace is None or namespace.strip('/') == note.namespace.strip('/'))
        and domain in (None, note.domain)
    ]
    return fits[-1] if fits else None


class _Echo:
    """Prints the words as they are spoken."""

    def __init__(self) -> None:
        self._shown = 0

    def __call__(self, said: str) -> None:
        console.print(escape(said[self._shown :]), end='')
        self._shown = len(said)
