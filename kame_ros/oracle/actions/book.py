"""What the LLM may ask the robot to do, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kame_ros.settings.values import shown
from kame_ros.text.misfit import misfit

OPEN, CLOSE = '<action>', '</action>'  # what a request is written between
_MAX_REQUEST = 2_000  # characters
_LARGEST = 1e15  # of a number without bounds: beyond, a whole number is no longer exact
_TYPES: dict[str, tuple[type, ...]] = {
    'string': (str,),
    'number': (int, float),
    'integer': (int,),
    'boolean': (bool,),
}


class ActionError(ValueError):
    """A request that is not allowed or not understood, with the reason."""


@dataclass(frozen=True)
class Argument:
    """A typed argument; numbers lie in [minimum, maximum], strings have at most 200 characters."""

    type: str
    description: str = ''
    required: bool = True
    choices: tuple[object, ...] = ()
    minimum: float | None = None
    maximum: float | None = None

    def __post_init__(self) -> None:
        if self.type not in _TYPES:
            raise ValueError(f"an argument is {', '.join(_TYPES)}, not '{self.type}'")
        for bound in (self.minimum, self.maximum):
            if bound is not None and not isinstance(bound, int | float):
                raise ValueError(f'the bounds of an argument are numbers, not {bound!r}')

    def check(self, name: str, value: object) -> None:
        """Raises ActionError if the value is not one of this argument."""
        allowed = _TYPES[self.type]
        if not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed):
            raise ActionError(f'{name} is a {self.type}, not {value!r}')
        if self.choices and value not in self.choices:
            raise ActionError(f'{name} is one of {list(self.choices)}, not {value!r}')
        if isinstance(value, str) and len(value) > 200:
            raise ActionError(f'{name} is too long')
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            low = self.minimum if self.minimum is not None else -_LARGEST
            high = self.maximum if self.maximum is not None else _LARGEST
            if not low <= value <= high:  # NaN and Infinity are outside too
                raise ActionError(f'{name} is {value}, outside of {low} to {high}')


@dataclass(frozen=True)
class Action:
    """Something that the robot can do: declared by the user, asked for by the LLM."""

    name: str
    description: str
    arguments: Mapping[str, Argument] = field(default_factory=dict)

    @property
    def signature(self) -> str:
        """How the LLM is told of it."""
        arguments = ', '.join(_describe(name, a) for name, a in self.arguments.items())
        return f'{self.name}({arguments}): {self.description}'


@dataclass(frozen=True)
class ActionRequest:
    """A request that passed every check; `id` names it in the result."""

    id: str
    name: str
    arguments: Mapping[str, object]
    utterance: int
    generation: int


@dataclass(frozen=True)
class ActionBook:
    """The declared actions; `allowed` names those that may be asked for (None: all)."""

    actions: tuple[Action, ...] = ()
    allowed: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        names = [action.name for action in self.actions]
        if len(set(names)) != len(names):
            raise ValueError('two actions have the same name')
        unknown = set(self.allowed or ()) - set(names)
        if unknown:
            raise ValueError(f'allowed, but not declared: {", ".join(sorted(unknown))}')

    @property
    def usable(self) -> dict[str, Action]:
        """The actions that may be asked for, by name."""
        return {a.name: a for a in self.actions if self.allowed is None or a.name in self.allowed}

    @property
    def prompt(self) -> str:
        """What the LLM is told; empty without actions."""
        if not self.usable:
            return ''
        example = f'{OPEN}{{"name": "...", "arguments": {{...}}}}{CLOSE}'
        lines = '\n'.join(action.signature for action in self.usable.values())
        return f'If the user asks for it, act by writing {example}. You can:\n{lines}'

    def parse(self, text: str) -> tuple[str, dict[str, object]]:
        """The name and arguments of a request written by an LLM. Raises ActionError."""
        if len(text) > _MAX_REQUEST:
            raise ActionError('the request is too long')
        try:
            request = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ActionError(f'the request is not JSON: {error}') from error
        if not isinstance(request, dict) or set(request) - {'name', 'arguments'}:
            raise ActionError('a request has a name and arguments')
        name, arguments = request.get('name'), request.get('arguments', {})
        action = self.usable.get(name) if isinstance(name, str) else None
        if action is None:
            raise ActionError(f'no action is called {name!r}')
        if not isinstance(arguments, dict):
            raise ActionError('the arguments are not an object')
        unknown = set(arguments) - set(action.arguments)
        if unknown:
            raise ActionError(f'{name} has no argument {", ".join(sorted(unknown))}')
        for key, argument in action.arguments.items():
            if key in arguments:
                argument.check(key, arguments[key])
            elif argument.required:
                raise ActionError(f'{name} needs {key}')
        return action.name, arguments


def actions_from_config(
    declared: Sequence[Mapping[str, object]], allowed: Sequence[str] | None = None
) -> ActionBook:
    """Reads actions as a YAML or JSON file has them: name, description, arguments by name.

    Raises ValueError for a declaration that is not understood.
    """
    actions = []
    for entry in declared:
        try:
            arguments = entry.get('arguments') or {}
            actions.append(
                Action(
                    str(entry['name']),
                    str(entry.get('description', '')),
                    {k: _argument(v) for k, v in arguments.items()},  # type: ignore[attr-defined]
                )
            )
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ValueError(
                f'not a declaration of an action: {shown(entry)} ({misfit(error)})'
            ) from error
    return ActionBook(tuple(actions), None if allowed is None else tuple(allowed))


def _argument(entry: Mapping[str, object]) -> Argument:
    settings = dict(entry)
    if 'choices' in settings:
        settings['choices'] = tuple(settings['choices'])  # type: ignore[arg-type]
    return Argument(**settings)  # type: ignore[arg-type]


def _describe(name: str, argument: Argument) -> str:
    if argument.choices:
        return f'{name}: one of {", ".join(map(str, argument.choices))}'
    bounds = ''
    if argument.minimum is not None or argument.maximum is not None:
        bounds = f' from {argument.minimum} to {argument.maximum}'
    return f'{name}: {argument.type}{bounds}' + ('' if argument.required else ', optional')
