"""How long the steps of a model take, beside how long they may."""

from __future__ import annotations

from collections import deque

import numpy as np


class StepTimes:
    """Keeps the durations of the last `window` steps, in seconds.

    `period` is the time that one step has; the real-time factor is the mean duration over it, so
    that a sustained value above 1 means that the model cannot keep up.
    """

    def __init__(self, period: float, window: int = 375) -> None:
        self._period = period
        self._times: deque[float] = deque(maxlen=window)

    def add(self, seconds: float) -> None:
        """Notes one step."""
        self._times.append(seconds)

    @property
    def real_time_factor(self) -> float:
        """Mean duration over the period; 0 before the first step."""
        times = self._copy()
        return float(times.mean()) / self._period if len(times) else 0.0

    @property
    def overloaded(self) -> bool:
        """Whether a whole window of steps took longer than it had."""
        return len(self._times) == self._times.maxlen and self.real_time_factor > 1.0

    def counters(self) -> dict[str, float]:
        """Percentiles in milliseconds and the real-time factor, for diagnostics."""
        times = self._copy()
        if not len(times):
            return {}
        median, p99 = np.percentile(times, (50, 99)) * 1000
        return {
            'step_median_ms': round(float(median), 2),
            'step_p99_ms': round(float(p99), 2),
            'step_max_ms': round(float(times.max()) * 1000, 2),
            'real_time_factor': round(float(times.mean()) / self._period, 4),
        }

    def _copy(self) -> np.ndarray:
        return np.array(tuple(self._times))
