"""The loudspeaker of a replay: each frame is played so much later than it was heard."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

import numpy as np

from kame_ros.wire.frame import Frame, silence


class VirtualPlayout:
    """Frames in, with the gain that is asked for; those that are due out."""

    def __init__(self, delay_s: float) -> None:
        self._delay_s = delay_s
        self._waiting: deque[Frame] = deque()
        self._gain = 1.0
        self._numbers = 0

    def put(self, speech: Frame) -> None:
        """A frame of the speech."""
        self._waiting.append(replace(speech, t=speech.t + self._delay_s, source_seq=speech.seq))

    def gain(self, gain: float) -> None:
        """How loud from now on; 0 throws away what waits."""
        self._gain = gain
        if gain == 0.0:
            held = (replace(f, samples=silence(), source_seq=-1) for f in self._waiting)
            self._waiting = deque(held)

    def due(self, now: float) -> list[Frame]:
        """What has begun to be played by now, as audio/played has it."""
        played = []
        while self._waiting and self._waiting[0].t <= now:
            frame = self._waiting.popleft()
            samples = frame.samples
            if self._gain != 1.0:
                samples = np.round(samples * self._gain).astype(np.int16)
            played.append(replace(frame, seq=self._numbers, samples=samples))
            self._numbers += 1
        return played
