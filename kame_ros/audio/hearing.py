"""Makes an unbroken 16 kHz stream of frames that may be lost, late, repeated or restarted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from kame_ros.audio.resample import Resampler
from kame_ros.wire.frame import FRAME_S, FRAME_SAMPLES, SAMPLE_RATE, Frame

MODEL_RATE = 16_000  # Hz, what Silero and Whisper hear
WINDOW = 512  # samples at 16 kHz: 32 ms
MAX_CONCEALED = 25  # frames (2 s) of silence put in for a gap; a longer gap is a new beginning
JUMP_S = 0.25  # a stamp further than this from the count of samples is a jump of the clock


@dataclass(frozen=True)
class Window:
    """32 ms of sound, float32[512] at 16 kHz, at `t` seconds of the stream."""

    t: float
    sound: np.ndarray

    @property
    def end(self) -> float:
        """The time after the last sample, s."""
        return self.t + WINDOW / MODEL_RATE


class Hearing:
    """Frames in, windows out, on a time of its own that never jumps: samples heard.

    `clock(t)` turns that time into the audio clock of the newest frame, so that an interval keeps
    its length when the clock jumps in the middle of it. `counters` tell what was mended: `gaps`
    and `concealed` frames, `stale` (late or repeated, dropped), `restarts` of the source, `jumps`
    of the clock, `clipped` frames.
    """

    def __init__(self) -> None:
        self._resampler = Resampler(SAMPLE_RATE, MODEL_RATE)
        self._rest = np.zeros(0, np.float32)
        self._windows = 0
        self._frames = 0  # taken, concealed ones included
        self._expected: int | None = None
        self._offset = 0.0  # audio clock minus stream time
        self.counters: Counter[str] = Counter()

    @property
    def now(self) -> float:
        """The end of what was heard, s of the stream. Up to 72 ms more than the windows cover."""
        return self._frames * FRAME_S

    def clock(self, t: float) -> float:
        """A time of the stream on the audio clock, s."""
        return t + self._offset

    def push(self, frame: Frame) -> list[Window]:
        """Take a frame; give the windows that it completes."""
        missing = self._missing(frame)
        if missing is None:
            self.counters['stale'] += 1
            return []
        windows = [w for _ in range(missing) for w in self._hear(np.zeros(FRAME_SAMPLES, np.int16))]
        self._follow(frame)
        self._expected = frame.seq + 1
        if int(np.count_nonzero(np.abs(frame.samples.astype(np.int32)) >= 32_767)) > 3:
            self.counters['clipped'] += 1
        return windows + self._hear(frame.samples)

    def _missing(self, frame: Frame) -> int | None:
        """How many frames of silence come before this one; None if it is too late for its place."""
        if self._expected is None or frame.seq == self._expected:
            return 0
        ahead = frame.seq - self._expected
        if -MAX_CONCEALED <= ahead < 0 and frame.seq != 0:
            return None
        self.counters['gaps' if ahead > 0 else 'restarts'] += 1
        concealed = ahead if 0 < ahead <= MAX_CONCEALED else MAX_CONCEALED
        self.counters['concealed'] += concealed
        return concealed

    def _follow(self, frame: Frame) -> None:
        """Keep to the clock of the frames if it jumps; small unrest is left out."""
        off = frame.t - self.clock(self.now)
        if self._frames == 0:
            self._offset = frame.t
        elif abs(off) > JUMP_S:
            self._offset += off
            self.counters['jumps'] += 1

    def _hear(self, samples: np.ndarray) -> list[Window]:
        self._frames += 1
        sound = np.concatenate([self._rest, self._resampler.push(samples)])
        count = len(sound) // WINDOW
        self._rest = sound[count * WINDOW :]
        windows = []
        for chunk in sound[: count * WINDOW].reshape(count, WINDOW):
            windows.append(Window(self._windows * WINDOW / MODEL_RATE, chunk))
            self._windows += 1
        return windows
