"""Sound by its time: frames that arrive with stamps become one recording without seams."""

from __future__ import annotations

import numpy as np

from kame_ros.audio.frame import SAMPLE_RATE, Frame


class Recording:
    """Lays frames on a time axis that starts at `t0`; what is missing is silence.

    A frame whose stamp is within half a frame of the end of the one before it, and whose `seq`
    is the next, is laid right behind it, so that rounded stamps make no clicks.
    """

    def __init__(self) -> None:
        self._frames: list[tuple[int, np.ndarray]] = []
        self._last: Frame | None = None
        self._at = 0

    def add(self, frame: Frame) -> None:
        """Takes a frame, in the order of `seq`."""
        at = round(frame.t * SAMPLE_RATE)
        last = self._last
        if last is not None and frame.seq == last.seq + 1:
            behind = self._at + len(last.samples)
            if abs(at - behind) < len(frame.samples) // 2:
                at = behind
        self._frames.append((at, frame.samples))
        self._last, self._at = frame, at

    def __len__(self) -> int:
        return len(self._frames)

    @property
    def start(self) -> float | None:
        """The time of the first sample, in seconds; None when there is none."""
        return self._frames[0][0] / SAMPLE_RATE if self._frames else None

    def samples(self, t0: float) -> np.ndarray:
        """All of it as int16 at 24 kHz, from `t0` on."""
        origin = round(t0 * SAMPLE_RATE)
        length = max((at - origin + len(s) for at, s in self._frames), default=0)
        sound = np.zeros(max(0, length), np.int16)
        for at, samples in self._frames:
            begin = at - origin
            if begin + len(samples) <= 0:
                continue
            cut = max(0, -begin)
            sound[begin + cut : begin + len(samples)] = samples[cut:]
        return sound
