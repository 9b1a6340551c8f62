"""What it costs to judge the end of a turn: processor time, for `turns.py`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from speech_material import frames
from turn_hearing import KnownVad, VirtualExecutor
from turn_material import LEAD_S, Turn

from kame_ros.turns.end_listener import EndListener
from kame_ros.turns.end_of_turn import Decision, Pause
from kame_ros.turns.end_of_turn.combined import Combined
from kame_ros.turns.smart_turn import SmartTurn
from kame_ros.turns.turn_tracker import TurnTracker


class _Metered(Combined):
    """Counts the processor time that it takes; never says that a turn is over."""

    def __init__(self, now: list[float]) -> None:
        executor = VirtualExecutor(lambda: now[0])  # the model works in this thread, too
        self.listener = EndListener(SmartTurn(), executor)
        super().__init__(None, self.listener)
        self.spent_s: list[float] = []

    def decide(self, pause: Pause) -> Decision:
        """See EndOfTurn."""
        begun = time.process_time()
        super().decide(pause)
        self.spent_s.append(time.process_time() - begun)
        return Decision(False, '')


def cost_of(turns: Sequence[Turn], cache: Path) -> dict[str, float]:
    """Of long turns, from their first to their last sound; by the processor's own clock.

    `call_ms`: of a call of the model, with its features, the median; where others compute on the
    same cores it is longer, and `call_least_ms` nearer to the truth. `share_of_a_core`: all calls
    and decisions, of the time in which the user speaks.
    """
    calls, spent, seconds = 0, 0.0, 0.0
    heavy: list[float] = []
    for turn in turns:
        now = [0.0]
        strategy, vad = _Metered(now), KnownVad(turn, cache)
        tracker = TurnTracker(vad, strategy)
        for frame in frames(turn.sound):
            if frame.t > turn.end:
                break
            now[0] = frame.end
            before = strategy.listener.calls
            tracker.hear(frame.samples)
            if strategy.listener.calls > before:
                heavy.append(strategy.spent_s[-1])
        calls += strategy.listener.calls
        spent += sum(strategy.spent_s)
        seconds += turn.end - LEAD_S
    return {
        'call_ms': round(1000 * float(np.median(heavy)), 1),
        'call_least_ms': round(1000 * min(heavy), 1),
        'calls_per_minute': round(60 * calls / seconds, 1),
        'share_of_a_core': round(spent / seconds, 4),
    }
