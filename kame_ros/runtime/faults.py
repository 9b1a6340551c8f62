"""What somebody's code raises though nobody expects it: counted, told once per kind, survived."""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import fields, replace
from typing import TYPE_CHECKING, TypeVar

from kame_ros.text.well_formed import printable_lines
from kame_ros.trust.redact import redact

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

# What code of others (a client of an LLM, an engine, a consumer, a callback) may raise without
# ending who calls it. SystemExit is among it, as an SDK may call sys.exit. KeyboardInterrupt,
# CancelledError and GeneratorExit are not: they are meant for who calls.
RAISED_BY_OTHERS = (Exception, SystemExit)
T = TypeVar('T')
D = TypeVar('D', bound='DataclassInstance')
_KINDS = 50  # remembered; further ones are counted and not told


def with_trace(where: str, error: BaseException) -> str:
    """What is told of a fault of ours: where to look for it."""
    trace = ''.join(traceback.format_exception(error)[-6:])
    return f'a fault in {where}: {type(error).__name__}: {error}\n{trace}'


class Faults:
    """Exceptions that nobody expected. `tell` gets a text, once per place and type.

    `words` makes the text, which is cleaned of secrets and of what no screen can bear.
    """

    def __init__(
        self,
        tell: Callable[[str], None],
        words: Callable[[str, BaseException], str] = with_trace,
    ) -> None:
        self.count = 0
        self.by_place: Counter[str] = Counter()
        self._tell, self._words = tell, words
        self._kinds: Counter[tuple[str, str]] = Counter()

    @property
    def kinds(self) -> int:
        """How many kinds of them were told."""
        return len(self._kinds)

    def book(self, where: str, error: BaseException) -> None:
        """Counts it, and tells it if it is the first of its kind."""
        self.count += 1
        self.by_place[where] += 1
        kind = where, type(error).__name__
        if kind not in self._kinds and len(self._kinds) >= _KINDS:
            return
        self._kinds[kind] += 1
        if self._kinds[kind] == 1:
            try:
                self._tell(printable_lines(redact(self._words(where, error))))
            except RAISED_BY_OTHERS:
                self.count += 1  # nobody is left who could be told

    def guarded(self, where: str, callback: Callable[[T], None]) -> Callable[[T], None]:
        """The callback, but what it raises is booked here."""

        def call(value: T) -> None:
            try:
                callback(value)
            except RAISED_BY_OTHERS as error:
                self.book(where, error)

        return call

    def guard(self, callbacks: D) -> D:
        """A dataclass of callbacks, but what they raise is booked: who listens stops nobody."""
        guarded = {
            each.name: self.guarded(each.name, getattr(callbacks, each.name))
            for each in fields(callbacks)
        }
        return replace(callbacks, **guarded)
