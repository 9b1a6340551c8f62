"""Measures how irregularly the frames of a stream arrive. Pure."""

from __future__ import annotations

from collections import deque

from kame_ros.wire.frame import FRAME_S

_WINDOW = 250  # frames, 20 s
_SHARE = 0.99  # of them: a single hiccup does not delay the conversation for ever
_JUMP_S = 5.0  # no network is so restless: the clock was set


class Jitter:
    """The spread of lateness over the last 20 s of frames, s.

    A frame's lateness is its arrival minus seq * 80 ms; the spread is from the least to the 99 %
    quantile.
    """

    def __init__(self) -> None:
        self._late: deque[float] = deque(maxlen=_WINDOW)
        self._seq: int | None = None
        self.spread_s = 0.0  # s

    def push(self, seq: int, now: float) -> None:
        """A frame has come; numbers or times that jump begin a new stream."""
        if self._seq is not None and (seq < self._seq - 250 or seq > self._seq + 250):
            self._late.clear()
        self._seq = seq
        late = now - seq * FRAME_S
        if self._late and abs(late - self._late[-1]) > _JUMP_S:
            self._late.clear()
        self._late.append(late)
        if seq % 12 == 0 or len(self._late) < 12:  # once a second will do
            order = sorted(self._late)
            self.spread_s = order[int(_SHARE * (len(order) - 1))] - order[0]
