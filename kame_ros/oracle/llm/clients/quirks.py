"""What a server turned out to refuse, or to want otherwise, so that it is not asked so again."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

_LENGTHS = ('max_tokens', 'max_completion_tokens')
_ESSENTIAL = ('model', 'messages', 'stream')
_OPTIONAL = ('stream_options', 'temperature', *_LENGTHS)
_NO_SYSTEM = re.compile(
    r'system.{0,20}(role|message|prompt).{0,30}not.{0,5}support|role.{0,40}system|'
    r'support.{0,30}system|roles must alternate',
    re.IGNORECASE,
)
_NO_FIELD = re.compile(
    r'unsupported|unknown|unrecogni[sz]ed|unexpected|extra|not (permitted|allowed|supported)|'
    r'invalid (field|param|argument|key)|additional propert',
    re.IGNORECASE,
)


@dataclass
class Quirks:
    """Of one model at one address.

    `refused`: fields that are left out. `path`: what the address lacked. `no_system`: the system
    text goes into the first message of the user.
    """

    refused: set[str] = field(default_factory=set)
    path: str = ''
    no_system: bool = False

    def __str__(self) -> str:
        parts = [f'no {name}' for name in sorted(self.refused)]
        parts += ['no system role'] if self.no_system else []
        parts += [f'path {self.path}'] if self.path else []
        return ', '.join(parts)

    def applied(self, request: dict[str, Any]) -> dict[str, Any]:
        """The request as this server takes it."""
        wanted = {k: v for k, v in request.items() if k not in self.refused}
        wanted['extra_body'] = {
            k: v for k, v in request.get('extra_body', {}).items() if k not in self.refused
        }
        length = next((request[name] for name in _LENGTHS if name in request), None)
        other = next((n for n in _LENGTHS if n not in request and n not in self.refused), None)
        if length is not None and not any(n in wanted for n in _LENGTHS) and other:
            wanted[other] = length
        if self.no_system:
            wanted['messages'] = _merged(request['messages'])
        return wanted

    def learn(self, sent: dict[str, Any], param: str, text: str, vague: bool) -> bool:
        """Takes a refusal of a request; True if it is worth asking again, another way.

        `param` and `text` are what the server says; `vague`: it may refuse without naming a field.
        """
        if _NO_SYSTEM.search(text) and not self.no_system and 'system' in text.lower() + param:
            self.no_system = True
            return True
        optional = [*(k for k in _OPTIONAL if k in sent), *sent.get('extra_body', {})]
        named = [k for k in optional if param.split('.')[0].split('[')[0] == k]
        if not named and param.split('.')[0] not in _ESSENTIAL:
            places = {k: _place(k, text) for k in optional}
            named = sorted((k for k in optional if places[k] >= 0), key=lambda k: places[k])[:1]
        if not named and optional and (vague or _NO_FIELD.search(text)) and not param:
            named = ['stream_options'] if 'stream_options' in optional else optional
        self.refused.update(named)
        return bool(named)


_known: dict[tuple[str, str], Quirks] = {}


def quirks_of(base_url: str, model: str) -> Quirks:
    """What this process has learned of a model at an address."""
    return _known.setdefault((base_url, model), Quirks())


def forget_quirks() -> None:
    """Forgets all that was learned."""
    _known.clear()


def _place(name: str, text: str) -> int:
    found = re.search(rf'(?<![\w]){re.escape(name)}(?![\w])', text)
    return found.start() if found else -1


def _merged(messages: list[dict[str, str]]) -> list[dict[str, str]]:
    system = '\n'.join(m['content'] for m in messages if m['role'] == 'system')
    rest = [dict(m) for m in messages if m['role'] != 'system']
    if rest and rest[0]['role'] == 'user':
        rest[0]['content'] = f'{system}\n\n{rest[0]["content"]}'
        return rest
    return [{'role': 'user', 'content': system}, *rest]
