"""Doors: things of one kind that are chosen by name, ours and those of other packages.

Ours stand in a table, `{'name': 'module:object'}`; another package brings one by an entry point in
its pyproject.toml, and nobody can replace one of ours. Of two packages that bring one name, the
first by the alphabet is taken, and that is told. Nothing is imported before it is chosen.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import metadata
from typing import Any

from kame_ros.runtime.faults import RAISED_BY_OTHERS

log = logging.getLogger(__name__)


class UnknownName(ValueError):
    """There is nothing of this name; the message lists the names there are."""


@dataclass(frozen=True)
class Door:
    """One kind of thing. `what` it is called in messages, `group` is that of its entry points.

    `kind` is the class or (runtime-checkable) protocol that such a thing has, and `needs` says in
    words what one lacks that is none: 'has neither feed nor finish'.
    """

    what: str
    group: str
    ours: Mapping[str, str]
    kind: Any = object
    needs: str = ''

    def names(self) -> tuple[str, ...]:
        """The names of all, ours first. Imports none of them."""
        found = {point.name for point in metadata.entry_points(group=self.group)}
        return (*self.ours, *sorted(found - self.ours.keys()))

    def load(self, name: str) -> Any:
        """The thing itself, where the entry point names it and not a function that makes it.

        Raises ValueError for a name that is none, ImportError for what another package brings and
        cannot be loaded, or is none; one of ours raises what its import raises.
        """
        return self._checked(name, self._object(name))

    def make(self, name: str, *told: Any) -> Any:
        """What the function or class called so makes of `told`.

        Raises as `load`; what ours raises; and ValueError for all that another package's raises.
        """
        maker = self._object(name)
        try:
            thing = maker(*told)
        except RAISED_BY_OTHERS as error:
            if name in self.ours:
                raise
            raise ValueError(
                f'{self.label(name)} cannot be made: {type(error).__name__}: {error}'
            ) from error
        return self._checked(name, thing)

    def label(self, name: str) -> str:
        """What to call it in a message, with the package that brings it."""
        point = self._point(name)
        of = '' if name in self.ours else f' of the package {_owner(point)}'
        return f'the {self.what} {name}{of}'

    def _point(self, name: str) -> metadata.EntryPoint:
        if name in self.ours:
            return metadata.EntryPoint(name, self.ours[name], self.group)
        if points := _brought(self.group, name):
            return points[0]
        there = ', '.join(self.names())
        raise UnknownName(f'there is no {self.what} {name!r}; there are: {there}')

    def _object(self, name: str) -> Any:
        point = self._point(name)
        if name in self.ours:
            _tell_ignored(self.what, self.group, name)
        else:
            _tell_of_others(self.what, self.group, name)
        try:
            return point.load()
        except RAISED_BY_OTHERS as error:
            if name in self.ours:
                raise
            raise ImportError(
                f'{self.label(name)} cannot be loaded: {type(error).__name__}: {error}'
            ) from error

    def _checked(self, name: str, thing: Any) -> Any:
        if isinstance(thing, self.kind):
            return thing
        raise ImportError(f'{self.label(name)} is none: {type(thing).__name__} {self.needs}')


def _owner(point: metadata.EntryPoint) -> str:
    return point.dist.name if point.dist else point.module


def _brought(group: str, name: str) -> list[metadata.EntryPoint]:
    """What packages bring under a name, in the same order on each machine."""
    points = metadata.entry_points(group=group, name=name)
    return sorted(points, key=lambda point: (_owner(point).lower(), point.value))


@lru_cache(maxsize=64)
def _tell_ignored(what: str, group: str, name: str) -> None:
    """Says once that a package's thing that is called as one of ours is not the one chosen."""
    for point in _brought(group, name):
        log.warning(
            'the %s %s of the package %s is not used: kame_ros has one of this name; give it '
            'another one in its pyproject.toml',
            what,
            name,
            _owner(point),
        )


@lru_cache(maxsize=64)
def _tell_of_others(what: str, group: str, name: str) -> None:
    """Says once which of several packages' things of one name is the one chosen."""
    taken, *others = _brought(group, name)
    for point in others:
        if point.value != taken.value:
            log.warning(
                'the %s %s is that of the package %s; that of the package %s has the same name, '
                'and is not used: uninstall one of them, or give one another name in its '
                'pyproject.toml',
                what,
                name,
                _owner(taken),
                _owner(point),
            )
