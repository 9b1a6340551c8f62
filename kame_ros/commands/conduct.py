"""`kame conduct`: brings up nodes that somebody else starts, such as the launch file."""

from __future__ import annotations

import argparse

from rich.markup import escape

from kame_ros.commands.bring_up import load
from kame_ros.commands.show import console, fail
from kame_ros.names import BadConfig
from kame_ros.nodes.conductor import BringUpError
from kame_ros.nodes.running_graph import Stopped, conducting
from kame_ros.surroundings import BadSurroundings


def conduct(args: argparse.Namespace) -> int:
    """Configures and activates a graph's nodes, and again those that are started anew."""
    try:
        graph = load(args)
        with conducting(graph, args.domain) as conductor:
            conductor.bring_up(args.patience or None)
            console.print(f'{len(graph.nodes)} nodes are up in /{graph.namespace.strip("/")}')
            while True:
                conductor.step()
    except (BadConfig, BadSurroundings, BringUpError) as error:
        return fail(escape(str(error)))
    except Stopped:
        return 0
