"""The services that may be told what the user says, with the variables of their keys.

An LLM client says in its own file which servers and which key are its service's
(see kame_ros.oracle.llm.kinds); those that need no client of their own stand here.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass

# They speak OpenAI's protocol.
_COMPATIBLE = {
    'OPENROUTER_API_KEY': ('openrouter.ai',),
    'MISTRAL_API_KEY': ('api.mistral.ai',),
    'GROQ_API_KEY': ('api.groq.com',),
    'DEEPSEEK_API_KEY': ('api.deepseek.com',),
    'TOGETHER_API_KEY': ('api.together.xyz',),
    'XAI_API_KEY': ('api.x.ai',),
}
_BRING_MORE = ('kame_ros.oracle.llm.kinds',)  # modules that register services when imported


@dataclass(frozen=True)
class Service:
    """Servers of one maker, the variable of the key that they gave, and who brings it.

    `address_variable` is the one in which the maker's SDK takes another address. `owner` is the
    package that brought it; empty for this one.
    """

    key: str
    hosts: tuple[str, ...] = ()
    address_variable: str = ''
    owner: str = ''


_services = [Service(key, hosts) for key, hosts in _COMPATIBLE.items()]


def register(service: Service) -> None:
    """Adds one for the life of this process.

    Raises ValueError if another package claims servers for a key that is not its own.
    """
    if service in _services:
        return
    for other in _services:
        if service.key and other.key == service.key and service.owner != other.owner:
            more = set(service.hosts) - set(other.hosts)
            if more or service.address_variable not in ('', other.address_variable):
                raise ValueError(
                    f'{service.key} is the key of {", ".join(other.hosts)}: name other servers '
                    'for it in the environment variable KAME_KEY_HOSTS'
                )
    _services.append(service)


def services() -> tuple[Service, ...]:
    """All that are known; those of other packages once their client has been chosen."""
    for module in _BRING_MORE:
        importlib.import_module(module)
    return tuple(_services)
