"""What ROS takes for a namespace, a domain and a discovery range, and words for what it refuses."""

from __future__ import annotations

import os
import re

from kame_ros.settings.values import WrongType, truth

DISCOVERY = ('LOCALHOST', 'SUBNET', 'SYSTEM_DEFAULT')
_NAMESPACE = re.compile(r'/?[A-Za-z_][A-Za-z0-9_]*(/[A-Za-z_][A-Za-z0-9_]*)*/?')
_DOMAINS = range(233)  # what fits into the ports of DDS; Linux lends those above 101 to others


class BadConfig(ValueError):
    """A configuration that does not exist or does not describe a graph."""


def check_namespace(namespace: str) -> None:
    """Raises BadConfig for a namespace that ROS would refuse, with one that it would take."""
    if namespace.strip('/') and not _NAMESPACE.fullmatch(namespace):
        better = re.sub('_+', '_', re.sub(r'[^A-Za-z0-9_/]', '_', namespace)).strip('/_')
        better = '/'.join(f'r{p}' if p[0].isdigit() else p for p in better.split('/') if p)
        hint = f', such as {better}' if _NAMESPACE.fullmatch(better) else ''
        raise BadConfig(
            f'{namespace!r} is no namespace: its parts are letters, digits and _, and begin '
            f'with no digit{hint}'
        )


def visitor_name() -> str:
    """The name of the node that this process has in a graph that it starts or follows."""
    return f'kame_{os.getpid()}'


def node_paths(text: str, namespace: str) -> list[str]:
    """The full names of nodes, from names with commas between: `stt` is one of the namespace.

    Raises BadConfig for what cannot be the name of a node.
    """
    paths = []
    for name in filter(None, (word.strip() for word in text.split(','))):
        path = name if name.startswith('/') else f'/{namespace.strip("/")}/{name}'
        path = path.replace('//', '/', 1)  # the namespace of all robots is empty
        if name.endswith('/') or not _NAMESPACE.fullmatch(path):
            raise BadConfig(f'{name!r} is no name of a node, such as s2s, stt or /other/stt')
        paths.append(path)
    return paths


def check_domain(text: str, what: str = 'ROS_DOMAIN_ID') -> int | None:
    """A ROS domain from a text; None if it is empty. Raises BadConfig for what is no domain."""
    text = text.strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and int(text) in _DOMAINS):
        raise BadConfig(f'{what} is a number from 0 to {_DOMAINS[-1]}, not {text!r}')
    return int(text)


def check_discovery(text: str) -> str:
    """Who may find the nodes, in ROS's spelling; raises BadConfig for what no graph can live with.

    With OFF nodes of one machine do not find each other either.
    """
    word = text.strip().upper()
    if word == 'OFF':
        raise BadConfig(
            'with discovery OFF the nodes of the graph do not find each other; LOCALHOST keeps '
            'them on this machine'
        )
    if word not in DISCOVERY:
        raise BadConfig(f'discovery is one of {", ".join(DISCOVERY)}, not {text!r}')
    return word


def switch(text: str, name: str) -> bool:
    """A truth value given as a word, such as a launch argument; raises BadConfig for others."""
    try:
        return truth(text)
    except WrongType as error:
        raise BadConfig(f'{name} is {error}') from error
