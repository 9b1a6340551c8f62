"""The jitter buffer: frames in as they arrive, exactly one out per tick."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from kame_ros.audio.frame import Frame

_SILENT_PEAK = 64  # of 32768 (-54 dBFS): dither and codec noise are no speech


@dataclass(frozen=True)
class PlayoutConfig:
    """Depths and patience, in frames of 80 ms.

    `target`: how many frames must wait before the first is played; `slack`: how far above the
    target the depth may stay before a silent frame is dropped to catch up; `capacity`: the bound;
    `max_gap`: a longer hole in the numbers is jumped over instead of being played as silence;
    `restart_after`: after so many empty ticks the stream counts as new, and its first frames wait
    for the target again.
    """

    target: int = 1
    slack: int = 1
    capacity: int = 25
    max_gap: int = 5
    restart_after: int = 12

    def __post_init__(self) -> None:
        if self.target < 1 or self.slack < 0 or self.max_gap < 1 or self.restart_after < 1:
            raise ValueError('target, max_gap and restart_after are at least 1, slack at least 0')
        if self.capacity < self.target + self.slack + 1:
            raise ValueError('capacity is at least target + slack + 1')


class Playout:
    """Orders frames by `seq` and never plays one twice or back in time.

    A frame that is missing while a later one is here is played as silence in its place
    (`concealed`). When nothing is here at all (`underruns`), silence is played and the next frame
    keeps its turn: the delay grows by a frame, and is won back by dropping a silent one. Speech is
    dropped only when the buffer is full of it. `played + late + duplicates + dropped_silent +
    dropped_speech + flushed + depth == pushed` always holds.

    Not thread-safe: the owner of the two ends locks.
    """

    def __init__(self, config: PlayoutConfig | None = None) -> None:
        self.config = config or PlayoutConfig()
        self._waiting: dict[int, Frame] = {}
        self._next: int | None = None  # the seq whose turn it is; None: no stream yet
        self._dropped: set[int] = set()  # seqs that were left out on purpose: no silence for them
        self._running = False  # the target was reached and frames are being played
        self._empty_ticks = 0
        self._ticks = 0
        self._count: Counter[str] = Counter()

    @property
    def depth(self) -> int:
        """Frames that wait."""
        return len(self._waiting)

    def push(self, frame: Frame) -> None:
        """Takes a frame of speech."""
        self._count['pushed'] += 1
        if self._is_new_stream(frame.seq):
            self._restart()
        if self._next is None:
            self._next = frame.seq
        if frame.seq < self._next and not self._running and not self._count['played']:
            self._next = frame.seq  # out of order before anything was played: not late yet
        if frame.seq in self._waiting:
            self._count['duplicates'] += 1
        elif frame.seq < self._next or frame.seq in self._dropped:
            self._count['late'] += 1
        else:
            self._waiting[frame.seq] = frame
            if len(self._waiting) > self.config.capacity:
                self._drop_one()

    def pull(self, t: float) -> Frame:
        """What is played from `t` on: always a frame; its `source_seq` is -1 where it is silence
        of the buffer's own.
        """
        seq = self._ticks
        self._ticks += 1
        frame = self._take()
        if frame is None:
            return Frame(seq, t)
        self._count['played'] += 1
        return Frame(seq, t, frame.samples, source_seq=frame.seq)

    def flush(self) -> int:
        """Forgets what waits, as on a barge-in; returns how many frames were dropped."""
        dropped = len(self._waiting)
        self._count['flushed'] += dropped
        if self._waiting:
            self._next = max(self._waiting) + 1
        self._waiting.clear()
        self._dropped.clear()
        self._running = False
        return dropped

    def counters(self) -> dict[str, float]:
        """Running totals, and the depth now."""
        names = (
            'pushed played concealed underruns idle late duplicates dropped_silent '
            'dropped_speech flushed skipped restarts'
        )
        totals = {name: float(self._count[name]) for name in names.split()}
        totals['depth'] = self.depth
        return totals

    def _is_new_stream(self, seq: int) -> bool:
        """A number far in the past, or any past one after a long silence, is a new sender's."""
        if self._next is None or seq >= self._next:
            return False
        far = self._next - seq > 4 * self.config.capacity
        return far or self._empty_ticks >= self.config.restart_after

    def _restart(self) -> None:
        self.flush()
        self._next = None
        self._count['restarts'] += 1

    def _take(self) -> Frame | None:
        """The frame whose turn it is, or None where silence is played."""
        if not self._waiting:
            self._note_empty()
            return None
        if not self._running and len(self._waiting) < self.config.target:
            self._count['idle'] += 1
            return None
        self._running = True
        self._empty_ticks = 0
        self._jump_gap()
        self._catch_up()
        assert self._next is not None
        frame = self._waiting.pop(self._next, None)
        self._next += 1
        if frame is None:
            self._count['concealed'] += 1
        return frame

    def _note_empty(self) -> None:
        self._empty_ticks += 1
        if self._running and self._empty_ticks < self.config.restart_after:
            self._count['underruns'] += 1
        else:
            self._running = False
            self._count['idle'] += 1

    def _jump_gap(self) -> None:
        """Passes over the numbers that were dropped, and over a hole too long to be waited for."""
        assert self._next is not None
        while self._next in self._dropped:
            self._dropped.discard(self._next)
            self._next += 1
        first = min(self._waiting)
        if first - self._next > self.config.max_gap:
            self._count['skipped'] += first - self._next
            self._next = first
            self._dropped = {seq for seq in self._dropped if seq > first}

    def _catch_up(self) -> None:
        """Drops one silent frame where the delay has grown; speech keeps its length."""
        if len(self._waiting) > self.config.target + self.config.slack:
            head = self._waiting.get(self._next if self._next is not None else -1)
            if head is not None and _is_silent(head):
                self._drop(head.seq)
                self._jump_gap()

    def _drop_one(self) -> None:
        """The buffer is full: the oldest silent frame goes, or the oldest where all are speech."""
        order = sorted(self._waiting)
        silent = (seq for seq in order if _is_silent(self._waiting[seq]))
        self._drop(next(silent, order[0]))

    def _drop(self, seq: int) -> None:
        frame = self._waiting.pop(seq)
        self._dropped.add(seq)
        self._count['dropped_silent' if _is_silent(frame) else 'dropped_speech'] += 1


def _is_silent(frame: Frame) -> bool:
    return int(np.abs(frame.samples.astype(np.int32)).max()) <= _SILENT_PEAK
