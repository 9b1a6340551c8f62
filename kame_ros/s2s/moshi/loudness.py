"""Tells from its loudness when the robot starts and stops speaking."""

from __future__ import annotations

import numpy as np

from kame_ros.s2s.front_end import Happening

LOUD = 10 ** (-45 / 20)  # RMS of full scale; the codec's silence is far below, speech above
QUIET_FRAMES = 6  # 0.48 s: a pause between two words is no end


class LoudnessGate:
    """Frames of sound in, at most one start or end of speech out."""

    def __init__(self) -> None:
        self.speaking = False
        self._quiet = 0

    def feel(self, samples: np.ndarray) -> Happening | None:
        """Takes a frame, int16[1920], and says what it begins or ends."""
        loud = float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))) / 32768 > LOUD
        self._quiet = 0 if loud else self._quiet + 1
        if loud and not self.speaking:
            self.speaking = True
            return Happening.ROBOT_SPEECH_START
        if self.speaking and self._quiet >= QUIET_FRAMES:
            self.speaking = False
            return Happening.ROBOT_SPEECH_END
        return None
