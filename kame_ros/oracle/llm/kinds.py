"""The kinds of LLM clients, and the door for those of other packages.

A new client is one file with its `Kind` (see kame_ros.oracle.llm.clients.base), and one line: in
`DOOR`, or in the pyproject.toml of another package:

    [project.entry-points.'kame_ros.llm']
    mine = 'my_package.my_llm:KIND'

`--set oracle.backend=mine:model` takes it then. Its servers are trusted and its key is sent to them
as its `Kind` says, because it is installed; it is told of no other key than its own.
"""

from __future__ import annotations

from functools import cache

from kame_ros.oracle.llm.clients.base import Kind
from kame_ros.runtime.doors import Door
from kame_ros.trust.services import Service, register

_CLIENTS = 'kame_ros.oracle.llm.clients'
DOOR = Door(
    'LLM client',
    'kame_ros.llm',
    {
        'embedded': f'{_CLIENTS}.embedded:KIND',
        'ollama': f'{_CLIENTS}.ollama:KIND',
        'openai': f'{_CLIENTS}.openai:KIND',
        'anthropic': f'{_CLIENTS}.anthropic:KIND',
        'gemini': f'{_CLIENTS}.gemini:KIND',
    },
    Kind,
    'and no Kind of kame_ros.oracle.llm.clients.base',
)


def names() -> tuple[str, ...]:
    """The names of all kinds, ours first. Imports no client of another package."""
    return DOOR.names()


def is_ours(name: str) -> bool:
    """Whether the client is of this package."""
    return name in DOOR.ours


@cache
def find(name: str) -> Kind:
    """The kind of this name; its service is trusted from now on, as long as this process lives.

    Raises ValueError, with a sentence, if there is none or if it cannot be used.
    """
    try:
        kind: Kind = DOOR.load(name)
        owner = '' if is_ours(name) else DOOR.label(name)
        register(Service(kind.key, kind.hosts, kind.address_variable, owner))
    except ImportError as error:
        raise ValueError(str(error)) from error
    except ValueError as error:
        if name in DOOR.names():
            raise ValueError(f'{DOOR.label(name)} cannot be used: {error}') from error
        raise
    return kind


for _name in DOOR.ours:
    find(_name)
