"""How loud a stream of frames was in the last minute, in steps of 10 ms."""

from __future__ import annotations

import numpy as np

from kame_ros.audio.level import FULL_SCALE, SILENCE_DBFS
from kame_ros.record.voiced import HOP_S, Segment, levels, stretches
from kame_ros.wire.frame import Frame


class LastLevels:
    """Keeps the levels of the last `span_s` seconds; what no frame was of is silent.

    Times are those of the frames. A clock that goes back, or jumps, begins anew.
    """

    def __init__(self, span_s: float = 60.0) -> None:
        self._kept = np.zeros(max(1, round(span_s / HOP_S)))
        self._end: int | None = None  # the step after the last one that is kept
        self._speech: list[Segment] | None = None  # None: to be found

    def add(self, frame: Frame) -> None:
        """Takes a frame; one that is late goes where it belongs."""
        self._speech = None
        new = levels(frame.samples)
        end = round(frame.t / HOP_S) + len(new)
        size = len(self._kept)
        ahead = size if self._end is None else end - self._end
        if abs(ahead) >= size:
            self._kept[:] = 0.0
            self._end = end
        elif ahead > 0:
            self._kept[:-ahead] = self._kept[ahead:]
            self._kept[-ahead:] = 0.0
            self._end = end
        last = size + min(0, ahead) if abs(ahead) < size else size
        if last >= len(new):
            self._kept[last - len(new) : last] = new

    @property
    def start(self) -> float:
        """The time of the first step that is kept, in seconds; 0 before the first frame."""
        return 0.0 if self._end is None else (self._end - len(self._kept)) * HOP_S

    @property
    def dbfs(self) -> float:
        """The level of the last 80 ms, root mean square, -90 at least."""
        rms = float(np.sqrt(np.mean(self._kept[-8:] ** 2)))
        return max(SILENCE_DBFS, 20.0 * float(np.log10(max(rms, 1e-9) / FULL_SCALE)))

    def speech(self) -> list[Segment]:
        """The stretches of speech in the last minute, on the audio clock."""
        if self._speech is None:
            start = self.start
            found = stretches(self._kept)
            self._speech = [Segment(start + s.start, start + s.end) for s in found]
        return self._speech
