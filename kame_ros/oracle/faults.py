"""Faults of the oracle's own code and of its callbacks: counted, told once per kind, survived."""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Callable
from typing import TypeVar

from kame_ros.oracle.outputs import Outputs
from kame_ros.redact import redact
from kame_ros.well_formed import well_formed

T = TypeVar('T')
_KINDS = 50  # remembered; further ones are counted and not told


class Faults:
    """Exceptions that nobody expected. `tell` gets a text, once per place and type."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self.count = 0
        self._tell = tell
        self._kinds: Counter[tuple[str, str]] = Counter()

    def book(self, where: str, error: BaseException) -> None:
        """Counts it, and tells it if it is the first of its kind."""
        self.count += 1
        kind = where, type(error).__name__
        if kind not in self._kinds and len(self._kinds) >= _KINDS:
            return
        self._kinds[kind] += 1
        if self._kinds[kind] == 1:
            trace = ''.join(traceback.format_exception(error)[-6:])
            text = f'a fault in {where}: {type(error).__name__}: {error}\n{trace}'
            try:
                self._tell(well_formed(redact(text)))
            except Exception:
                self.count += 1  # nobody is left who could be told

    def guarded(self, where: str, callback: Callable[[T], None]) -> Callable[[T], None]:
        """The callback, but what it raises is booked here."""

        def call(value: T) -> None:
            try:
                callback(value)
            except Exception as error:
                self.book(where, error)

        return call

    def guard(self, outputs: Outputs) -> Outputs:
        """The same callbacks: a listener that fails is not a reason to stop thinking."""
        return Outputs(
            self.guarded('on_chunk', outputs.on_chunk),
            self.guarded('on_event', outputs.on_event),
            self.guarded('on_action', outputs.on_action),
            self.guarded('on_action_cancelled', outputs.on_action_cancelled),
            self.guarded('on_turn', outputs.on_turn),
        )
