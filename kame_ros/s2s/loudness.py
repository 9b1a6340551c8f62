"""Tells from its loudness when the robot starts and stops speaking."""

from __future__ import annotations

import numpy as np

from kame_ros.audio.level import CODEC_SPEECH_RMS_DBFS, rms_dbfs
from kame_ros.wire.turn import TurnKind

QUIET_FRAMES = 6  # 0.48 s: a pause between two words is no end


class LoudnessGate:
    """Frames of sound in, at most one start or end of speech out."""

    def __init__(self) -> None:
        self.speaking = False
        self._quiet = 0

    def feel(self, samples: np.ndarray) -> TurnKind | None:
        """Takes a frame, int16[1920], and says what it begins or ends."""
        loud = rms_dbfs(samples) > CODEC_SPEECH_RMS_DBFS
        self._quiet = 0 if loud else self._quiet + 1
        if loud and not self.speaking:
            self.speaking = True
            return TurnKind.ROBOT_SPEECH_START
        if self.speaking and self._quiet >= QUIET_FRAMES:
            self.speaking = False
            return TurnKind.ROBOT_SPEECH_END
        return None
