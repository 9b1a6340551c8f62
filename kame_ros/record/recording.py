"""Puts frames of sound together by their time stamps, into one recording without seams."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kame_ros.audio.playout.fractional import TAPS, interpolate
from kame_ros.wire.frame import SAMPLE_RATE, Frame

_SLACK = 120  # samples, 5 ms: how far from its stamp a frame may lie
_MOST = 2  # samples, 0.1 % of a frame: how much longer or shorter it may be made, unheard


@dataclass(frozen=True)
class _Piece:
    """A frame from sample `at` on, to be made `length` samples long."""

    at: int
    samples: np.ndarray
    length: int

    @property
    def end(self) -> int:
        return self.at + self.length


class Recording:
    """Lays frames on a time axis that starts at `t0`; what is missing is silence.

    A frame whose stamp is within half a frame of the end of the one before it, and whose `seq`
    is the next, is laid right behind it, so that rounded stamps make no clicks. Where the two
    drift apart, as the clocks of two devices do, some frames are stretched a little. A frame that
    begins in the silence at the end of the one before cuts it short: so it was played.
    """

    def __init__(self) -> None:
        self._pieces: list[_Piece] = []
        self._last: Frame | None = None

    def add(self, frame: Frame) -> None:
        """Takes a frame, in the order of `seq`."""
        at, length = round(frame.t * SAMPLE_RATE), len(frame.samples)
        if self._last is not None and frame.seq == self._last.seq + 1:
            behind = self._pieces[-1].end
            off = at - behind
            if -length // 2 < off < -_SLACK and self._end_is_silent(-off):
                last = self._pieces[-1]
                cut = last.samples[: len(last.samples) + off]
                self._pieces[-1] = _Piece(last.at, cut, len(cut))
            elif abs(off) < length // 2:
                at = behind
                if abs(off) > _SLACK:
                    length += max(-_MOST, min(_MOST, off))
        self._pieces.append(_Piece(at, frame.samples, length))
        self._last = frame

    def _end_is_silent(self, count: int) -> bool:
        last = self._pieces[-1]
        whole = len(last.samples) == last.length > count
        return whole and not last.samples[-count:].any()

    def __len__(self) -> int:
        return len(self._pieces)

    @property
    def start(self) -> float | None:
        """The time of the first sample, in seconds; None when there is none."""
        return self._pieces[0].at / SAMPLE_RATE if self._pieces else None

    def samples(self, t0: float) -> np.ndarray:
        """All of it as int16 at 24 kHz, from `t0` on."""
        origin = round(t0 * SAMPLE_RATE)
        length = max((piece.end - origin for piece in self._pieces), default=0)
        sound = np.zeros(max(0, length), np.int16)
        for i, piece in enumerate(self._pieces):
            begin, end = piece.at - origin, piece.end - origin
            if end > 0:
                sound[max(0, begin) : end] = self._stretched(i)[max(0, -begin) :]
        return sound

    def _stretched(self, i: int) -> np.ndarray:
        """The samples of a piece in its length, without a seam to those beside it."""
        piece = self._pieces[i]
        count = len(piece.samples)
        if piece.length == count:
            return piece.samples
        margin = np.zeros(TAPS, np.int16)  # the kernel needs 16 samples on each side
        before, after = margin, margin
        if i > 0 and self._pieces[i - 1].end == piece.at:
            before = self._pieces[i - 1].samples[-TAPS:]
        if i + 1 < len(self._pieces) and self._pieces[i + 1].at == piece.end:
            after = self._pieces[i + 1].samples[:TAPS]
        near = np.concatenate([before, piece.samples, after]).astype(np.float32)
        sound = interpolate(near, TAPS + np.arange(piece.length) * count / piece.length)
        return np.clip(np.round(sound), -32_768, 32_767).astype(np.int16)
