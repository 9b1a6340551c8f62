"""`kame conduct`: brings up nodes that somebody else starts, such as the launch file."""

from __future__ import annotations

import argparse

from rich.markup import escape

from kame_ros.commands.bring_up import load
from kame_ros.commands.show import console, fail, refuse
from kame_ros.graph.names import BadConfig
from kame_ros.graph.surroundings import BadSurroundings
from kame_ros.nodes.visitor.conductor import BringUpError
from kame_ros.nodes.visitor.running_graph import Stopped, conducting


def conduct(args: argparse.Namespace) -> int:
    """Configures and activates a graph's nodes, and again those that are started anew."""
    try:
        graph = load(args)
        with conducting(graph, args.domain, args.discovery) as conductor:
            conductor.bring_up(args.patience or None)
            console.print(f'{len(graph.nodes)} nodes are up in /{graph.namespace.strip("/")}')
            while True:
                conductor.step()
    except BadConfig as error:
        return refuse(error)
    except (BadSurroundings, BringUpError) as error:
        return fail(escape(str(error)))
    except Stopped:
        return 0
