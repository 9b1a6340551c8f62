"""The link of the page, for the screen of who starts a graph."""

from __future__ import annotations

import os

from rich.markup import escape

from kame_ros.commands.show import console
from kame_ros.graph.description import Graph
from kame_ros.graph.names import BadConfig
from kame_ros.graph.page import NODE, page_link
from kame_ros.nodes.visitor.running_graph import RunningGraph
from kame_ros.page.access import TOKEN_VARIABLE, BadToken, given_token, new_token


def page_token(graph: Graph) -> str:
    """The token of the graph's page, for this process and those that it starts; empty: no page.

    Raises BadConfig for one in the environment that cannot be used.
    """
    if NODE not in graph.names:
        return ''
    try:
        os.environ[TOKEN_VARIABLE] = made = given_token() or new_token()
    except BadToken as error:
        raise BadConfig(str(error)) from error
    return made


def tell_page(run: RunningGraph, made: str) -> None:
    """Prints the link, once the page is up."""
    health = run.conductor.health.get(NODE)
    address = (health.values or {}).get('address', '') if health else ''
    if made and address:
        # Not folded: a link that is cut cannot be clicked.
        console.print(f'the page: [bold]{escape(page_link(address, made))}[/]', soft_wrap=True)
