"""Tells from each frame whether a voice is in it: a codec's silence is loud, and is none."""

from __future__ import annotations

from kame_ros.audio.hearing import Hearing
from kame_ros.audio.level import CODEC_SPEECH_RMS_DBFS, rms_dbfs
from kame_ros.turns.vad import SileroVad
from kame_ros.wire.frame import Frame

_THRESHOLD = 0.5
_STRANGE_FRAMES = 63  # 5 s of loud sound without a voice: what a model of random weights has to say


class VoiceMeter:
    """Hears the frames that were played, one after the other. Raises MissingWeights."""

    def __init__(self) -> None:
        self._vad = SileroVad()
        self._hearing = Hearing()
        self._strange = 0  # loud frames on end in which there was no voice
        self.speaks = False  # in the frame that was heard last

    def hear(self, frame: Frame) -> bool:
        """Whether somebody speaks in this frame."""
        found = [p for window in self._hearing.push(frame) for p in self._vad.push(window.sound)]
        if found:
            self.speaks = max(found) > _THRESHOLD
        loud = rms_dbfs(frame.samples) > CODEC_SPEECH_RMS_DBFS
        self._strange = self._strange + 1 if loud and not self.speaks else 0
        return self.speaks or self._strange > _STRANGE_FRAMES
