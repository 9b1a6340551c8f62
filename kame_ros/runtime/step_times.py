"""How long the steps of a model take, beside how long they may."""

from __future__ import annotations

from collections import deque

import numpy as np


class StepTimes:
    """Keeps the durations of the last `window` steps, in seconds.

    `period_s` is the time that one step has; the real-time factor is the mean duration over it. A
    machine is overloaded when the factor of the last `sustained` steps is above 1: the model cannot
    keep up. `steps` and `slow_steps`, those that took longer than they had, count since `reset`.
    """

    def __init__(self, period_s: float, window: int = 750, sustained: int = 125) -> None:
        self._period_s = period_s
        self._window, self._sustained = window, sustained
        self.reset()

    def reset(self) -> None:
        """Forgets the steps so far, as after the warm-up."""
        self._times: deque[float] = deque(maxlen=self._window)
        self.steps = self.slow_steps = 0

    def add(self, seconds: float) -> None:
        """Notes one step."""
        self._times.append(seconds)
        self.steps += 1
        self.slow_steps += seconds > self._period_s

    @property
    def sustained_factor(self) -> float:
        """The real-time factor of the last `sustained` steps; 0 before there were so many."""
        times = self._copy()[-self._sustained :]
        return self._factor(times) if len(times) == self._sustained else 0.0

    @property
    def overloaded(self) -> bool:
        """Whether the last `sustained` steps took longer than they had."""
        return self.sustained_factor > 1.0

    def counters(self) -> dict[str, float]:
        """Totals, percentiles in milliseconds and the real-time factor, for diagnostics."""
        times = self._copy()
        counts = {'steps': self.steps, 'slow_steps': self.slow_steps}
        if not len(times):
            return {**counts, 'real_time_factor': 0.0}
        median, p99 = np.percentile(times, (50, 99)) * 1000
        return {
            **counts,
            'step_median_ms': round(float(median), 2),
            'step_p99_ms': round(float(p99), 2),
            'step_max_ms': round(float(times.max()) * 1000, 2),
            'real_time_factor': round(self._factor(times), 4),
        }

    def _factor(self, times: np.ndarray) -> float:
        return float(times.mean()) / self._period_s

    def _copy(self) -> np.ndarray:
        return np.array(tuple(self._times))
