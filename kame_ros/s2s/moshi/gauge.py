"""How long the steps take, and whether that is fast enough."""

from __future__ import annotations

from collections import deque

from kame_ros.audio.frame import FRAME_S

REMEMBERED = 750  # steps: 60 s
SUSTAINED = 125  # steps: 10 s
ADVICE = {
    'cuda': 'set quantise to int8, a shorter context (750 frames are 60 s), or fewer slots',
    'cpu': 'use a GPU, a smaller model, or the tts front-end, which is made for a CPU',
}


class StepGauge:
    """Step times in seconds in; percentiles, real-time factor and a complaint out."""

    def __init__(self, device: str) -> None:
        self._advice = ADVICE['cpu' if device == 'cpu' else 'cuda']
        self.reset()

    def reset(self) -> None:
        """Forgets the steps so far, as after the warm-up."""
        self._times: deque[float] = deque(maxlen=REMEMBERED)
        self.steps = self.slow = 0

    def add(self, seconds: float) -> None:
        """Takes the time of one step; one that is longer than a frame counts as slow."""
        self._times.append(seconds)
        self.steps += 1
        self.slow += seconds > FRAME_S

    def percentile(self, percent: float) -> float:
        """The time, in seconds, that so many percent of the last steps took at most."""
        if not self._times:
            return 0.0
        ordered = sorted(self._times)
        return ordered[min(len(ordered) - 1, int(percent / 100 * len(ordered)))]

    def real_time_factor(self, last: int = REMEMBERED) -> float:
        """Time taken over time heard; above 1 the model falls behind."""
        some = list(self._times)[-last:]
        return sum(some) / (len(some) * FRAME_S) if some else 0.0

    def complaint(self) -> str:
        """What to tell a user if the model cannot keep up for 10 s, or nothing."""
        if len(self._times) < SUSTAINED:
            return ''
        factor = self.real_time_factor(SUSTAINED)
        if factor <= 1:
            return ''
        return (
            f'the speech model needs {factor:.2f} s for each second of sound, so speech breaks up '
            f'and falls behind: {self._advice}'
        )
