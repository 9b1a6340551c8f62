"""Keeps what the loudspeaker played, to be read at the times of the microphone's sound."""

from __future__ import annotations

from collections import deque

import numpy as np

from kame_ros.audio.playout.fractional import TAPS, interpolate
from kame_ros.wire.frame import FRAME_SAMPLES, SAMPLE_RATE, Frame

_KEPT_S = 3.0
_SEAM_S = 0.02  # stamps that differ more from the end of the frame before mean a hole
_PULL = 0.05  # of the error that one frame makes good: stamps are restless
_JUMP = 0.01 * SAMPLE_RATE  # samples: a larger error is a new beginning


class EchoReference:
    """Frames of `audio/played` in; the sound that was played at a time out.

    The loudspeaker's and the microphone's clocks differ: the reference is read a little faster or
    slower than it was written, without seams.
    """

    def __init__(self) -> None:
        self._sound = np.zeros(TAPS, np.float32)
        self._base = 0  # index of its first sample
        self._marks: deque[tuple[int, float]] = deque()  # (index, time) of the frames' beginnings
        self._at: float | None = None  # index that is read next
        self.jumps = 0
        self.missing = 0  # samples that were asked for too early

    def add(self, frame: Frame) -> None:
        """A frame that left the loudspeaker at `frame.t`."""
        end = self._base + len(self._sound)
        hole = frame.t - self._end_time()
        if self._marks and _SEAM_S < hole < _KEPT_S:  # it was silent in between
            count = round(hole * SAMPLE_RATE)
            self._marks.append((end, frame.t - count / SAMPLE_RATE))
            self._sound = np.concatenate([self._sound, np.zeros(count, np.float32)])
            end += count
        elif self._marks and not -_SEAM_S <= hole < _KEPT_S:  # another time: nothing is known of it
            self._marks.clear()
        self._marks.append((end, frame.t))
        self._sound = np.concatenate([self._sound, frame.samples.astype(np.float32)])
        surplus = len(self._sound) - round(_KEPT_S * SAMPLE_RATE)
        if surplus > 0:
            self._sound, self._base = self._sound[surplus:], self._base + surplus
            while len(self._marks) > 1 and self._marks[1][0] <= self._base:
                self._marks.popleft()

    def read(self, t: float) -> np.ndarray:
        """float32[1920], as int16 in size: what was played from `t` on; zeros where unknown."""
        out = np.zeros(FRAME_SAMPLES, np.float32)
        if not self._marks:
            self._at = None
            return out
        wanted = self._index(t)
        if self._at is None or abs(wanted - self._at) > _JUMP:
            self.jumps += self._at is not None
            self._at = wanted
        speed = 1.0 + _PULL * (wanted - self._at) / FRAME_SAMPLES
        positions = self._at - self._base + np.arange(FRAME_SAMPLES) * speed
        self._at += FRAME_SAMPLES * speed
        known = (positions >= TAPS) & (positions < len(self._sound) - TAPS)
        self.missing += int(np.count_nonzero(positions >= len(self._sound) - TAPS))
        first = max(0, int(positions[0]) - TAPS)
        if known.any() and self._sound[first : int(positions[-1]) + TAPS].any():
            out[known] = interpolate(self._sound, positions[known])
        return out

    def rough(self, t: float) -> np.ndarray:
        """As `read`, to the nearest sample, and without a place in the sound that is kept."""
        out = np.zeros(FRAME_SAMPLES, np.float32)
        if self._marks:
            start = round(self._index(t)) - self._base
            first, last = max(0, start), min(start + FRAME_SAMPLES, len(self._sound))
            if last > first:
                out[first - start : last - start] = self._sound[first:last]
        return out

    def _end_time(self) -> float:
        if not self._marks:
            return 0.0
        index, t = self._marks[-1]
        return t + (self._base + len(self._sound) - index) / SAMPLE_RATE

    def _index(self, t: float) -> float:
        index, start = self._marks[0]
        for mark in self._marks:
            if mark[1] > t:
                break
            index, start = mark
        return index + (t - start) * SAMPLE_RATE


def power(samples: np.ndarray) -> float:
    """Mean square of a frame, in units of int16."""
    sound = samples.astype(np.float64)
    return float(np.mean(sound * sound))
