"""Chooses the weights of `combined` on one half of the recordings, for `turns.py --choose`.

A turn is heard once, by a strategy that never says that it is over. What others would have decided
is found by asking them the same, without hearing it again. The best weights are those by which the
ends are known soonest, while no more than 8 % of the pauses are taken for ends.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
from turn_material import Turn

from kame_ros.turns.end_listener import ASKED_AFTER_S, HEARD_S, WHOLE_S, EndListener
from kame_ros.turns.end_of_turn import Decision, Pause
from kame_ros.turns.end_of_turn import combined as weighed
from kame_ros.turns.end_of_turn.combined import Combined, is_heard_again
from kame_ros.turns.smart_turn import EndModel

CHOSEN_IN = ('en', 'fr')  # of which one half may be looked at
MOST_TAKEN = 0.08  # of the pauses
_LONGEST_S = 3.0  # what takes longer counts as this
_COST_S = 30.0  # of all pauses, if they were taken beyond that
_STEPS = {  # by how much a weight is moved at first
    'BEGIN': 0.4,
    'MELODY': 0.3,
    'PER_S': 0.3,
    'SHORT': 0.4,
    'TELLS': 0.3,
    'complete': 0.3,
    'incomplete': 0.4,
}
_ROUNDS = 3  # each with half of the steps of the one before

Weights = dict[str, float]


def is_chosen_on(turn: Turn) -> bool:
    """Whether weights may be chosen by this turn: one half of the English and the French ones.

    A recording is in one half by its name, with noise and without.
    """
    return turn.language in CHOSEN_IN and zlib.crc32(turn.name.encode()) // 3 % 2 == 0


@dataclass(frozen=True)
class Asked:
    """What a strategy was asked once, and what the melody had told then.

    `whole`: that of the whole turn, where it is heard again.
    """

    pause: Pause
    over: float | None
    clear_db: float
    whole: float | None = None


class Watcher:
    """Never says that a turn is over; keeps what it was asked."""

    min_silence_s = ASKED_AFTER_S

    def __init__(self) -> None:
        self.asked: list[Asked] = []

    def listening(self, model: EndModel, executor: Executor) -> Watcher:
        """Itself, with an ear."""
        self._listener = EndListener(model, executor)
        return self

    def decide(self, pause: Pause) -> Decision:
        """See EndOfTurn."""
        over, heard = self._listener.hear(pause), pause.words
        again = over is not None and is_heard_again(over, pause)
        whole = self._listener.hear(pause, WHOLE_S) if again else None
        words: Any = SimpleNamespace(
            expected=heard.expected,
            now=heard.now,
            language=heard.language,
            noise_until=heard.noise_until,
        )
        told = replace(pause, words=words)
        self.asked.append(Asked(told, over, self._listener.clear_db, whole))
        return Decision(False, '')

    def reset(self) -> None:
        """A new session."""


class _Told:
    """An `EndListener` that is told what the melody says."""

    def __init__(self) -> None:
        self.now: Asked

    @property
    def clear_db(self) -> float:
        return self.now.clear_db

    def hear(self, pause: Pause, seconds: float = HEARD_S) -> float | None:
        return self.now.over if seconds == HEARD_S else self.now.whole

    def reset(self) -> None:
        """Nothing is kept."""


def ends_told(asked: Sequence[Asked]) -> list[float]:
    """When `combined` would have ended the turn, s; once in a pause."""
    told: Any = _Told()
    strategy, out, ended = Combined(None, told), list[float](), -1.0
    for told.now in asked:
        pause = told.now.pause
        if pause.voice_end_s != ended and strategy.decide(pause).over:
            ended = pause.voice_end_s
            out.append(pause.now_s)
    return out


@contextmanager
def weighing(chosen: Mapping[str, float]) -> Iterator[None]:
    """`combined` has these weights meanwhile."""
    before = current(chosen)
    try:
        _set(chosen)
        yield
    finally:
        _set(before)


def current(names: Mapping[str, float] = _STEPS) -> Weights:
    """The weights of `combined` by name."""
    return {n: weighed.WORDS[n] if n in weighed.WORDS else getattr(weighed, n) for n in names}


def _set(chosen: Mapping[str, float]) -> None:
    for name, value in chosen.items():
        if name in weighed.WORDS:
            weighed.WORDS[name] = value
        else:
            setattr(weighed, name, value)


def cost(taken: float, latencies: Sequence[float]) -> float:
    """Mean s of latency, and what is paid for pauses taken beyond the limit."""
    late = float(np.mean(np.minimum(latencies, _LONGEST_S)))
    return late + _COST_S * max(0.0, taken - MOST_TAKEN)


def choose(costs: Callable[[], float], say: Callable[[str], None] = print) -> Weights:
    """The weights by which `costs`, with them set, is least: one after the other is moved."""
    best = current()
    least = costs()
    for turn in range(_ROUNDS):
        for name, step in _STEPS.items():
            for way in (1.0, -1.0):
                while True:
                    tried = {**best, name: round(best[name] + way * step / 2**turn, 4)}
                    with weighing(tried):
                        found = costs()
                    if found >= least - 1e-4:
                        break
                    best, least = tried, found
        say(f'round {turn + 1}: {least:.3f} s, {best}')
    return best
