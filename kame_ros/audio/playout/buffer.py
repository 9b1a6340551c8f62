"""The jitter buffer: takes frames as they arrive, and gives exactly one per tick."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from kame_ros.audio.level import SPEECH_PEAK_DBFS, pcm
from kame_ros.wire.frame import FRAME_S, FRAME_SAMPLES, Frame, silence

_SILENT_PEAK = pcm(SPEECH_PEAK_DBFS)
_FADE = 480  # samples: a hole begins with 20 ms of what was before it, fading


@dataclass(frozen=True)
class PlayoutConfig:
    """Depth and patience. Seconds, and frames of 80 ms.

    `target_s`: the margin with which the first frame of a stream is played: so much later may a
    frame come without a hole; `slack_s`: how far above the target the margin may stay before a
    silent frame is dropped to catch up; `capacity`: the bound; `max_gap`: a longer hole in the
    numbers is jumped over instead of being played; `restart_after`: after so many empty ticks the
    stream counts as new, and its first frames wait for the target again.
    """

    target_s: float = 0.0
    slack_s: float = 0.08
    capacity: int = 25
    max_gap: int = 5
    restart_after: int = 12

    def __post_init__(self) -> None:
        if self.max_gap < 1 or self.restart_after < 1:
            raise ValueError('max_gap and restart_after are at least 1')
        if self.target_s < 0.0 or self.slack_s < 0.0:
            raise ValueError('target_s and slack_s are at least 0')
        if self.capacity * FRAME_S < self.target_s + self.slack_s + 2 * FRAME_S:
            raise ValueError('capacity is at least two frames more than target_s + slack_s')


class Playout:
    """Orders frames by `seq` and never plays one twice or back in time.

    The margin is how much later the next frame may come without a hole. A frame that is missing
    while a later one is here is concealed in its place (`concealed`). When nothing is here at all
    (`underruns`), silence is played and the next frame keeps its turn: the margin grows by a
    frame, and is won back by dropping a silent one. A hole begins with what was before it, faded
    out, and ends with a short fade in: no clicks. Speech is dropped only when the buffer is full
    of it. `played + late + duplicates + dropped_silent +
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
        self._arrived = 0.0  # when the newest frame came, s
        self._last: np.ndarray | None = None  # what was played, if that was a frame
        self._hole = False  # the last tick had no frame
        self.target_s = self.config.target_s  # may be raised when the network is restless
        self.restarted = True  # another margin than before: for whoever watches it; set it back

    @property
    def depth(self) -> int:
        """Frames that wait."""
        return len(self._waiting)

    @property
    def running(self) -> bool:
        """Whether the frames of a stream are being played."""
        return self._running

    def margin(self, now: float) -> float:
        """How much later than it should the next frame may come, at a tick at `now`, s."""
        if self._next is None or not self._waiting:
            return 0.0
        ahead = max(self._waiting) - self._next
        return ahead * FRAME_S + min(max(0.0, now - self._arrived), FRAME_S)

    def push(self, frame: Frame, now: float = 0.0) -> None:
        """Takes a frame of speech that came at `now`, s."""
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
            if frame.seq == max(self._waiting):
                self._arrived = now
            if len(self._waiting) > self.config.capacity:
                self._drop_one()

    def pull(self, t: float, now: float | None = None) -> Frame:
        """What is played from `t` on: always a frame; its `source_seq` is -1 where it is the
        buffer's own. `now` is the time of the tick, `t` where it is not given.
        """
        seq = self._ticks
        self._ticks += 1
        frame = self._take(t if now is None else now)
        if frame is None:
            samples, self._last, self._hole = _faded(self._last), None, True
            return Frame(seq, t, samples)
        self._count['played'] += 1
        samples = _fade_in(frame.samples) if self._hole else frame.samples
        self._last, self._hole = samples, False
        return Frame(seq, t, samples, source_seq=frame.seq)

    def flush(self) -> int:
        """Forgets what waits, as on a barge-in; returns how many frames were dropped."""
        dropped = len(self._waiting)
        self._count['flushed'] += dropped
        if self._waiting:
            self._next = max(self._waiting) + 1
        self._waiting.clear()
        self._dropped.clear()
        self._running = False
        self.restarted = True
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

    def _take(self, now: float) -> Frame | None:
        """The frame whose turn it is, or None where silence is played."""
        if not self._waiting:
            self._note_empty()
            return None
        if not self._running and self.margin(now) < self.target_s - 1e-6:
            self._count['idle'] += 1
            return None
        self.restarted |= self._empty_ticks > 0 or not self._running
        self._running = True
        self._empty_ticks = 0
        self._jump_gap()
        self._catch_up(now)
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
            self.restarted = True
            self._dropped = {seq for seq in self._dropped if seq > first}

    def _catch_up(self, now: float) -> None:
        """Drops one silent frame where the margin has grown; speech keeps its length."""
        most = self.target_s + self.config.slack_s + FRAME_S
        if len(self._waiting) > 1 and self.margin(now) >= most - 1e-6:
            head = self._waiting.get(self._next if self._next is not None else -1)
            if head is not None and is_silent(head):
                self._drop(head.seq)
                self.restarted = True
                self._jump_gap()

    def _drop_one(self) -> None:
        """The buffer is full: the oldest silent frame goes, or the oldest where all are speech."""
        order = sorted(self._waiting)
        silent = (seq for seq in order if is_silent(self._waiting[seq]))
        self._drop(next(silent, order[0]))

    def _drop(self, seq: int) -> None:
        frame = self._waiting.pop(seq)
        self._dropped.add(seq)
        self._count['dropped_silent' if is_silent(frame) else 'dropped_speech'] += 1


def is_silent(frame: Frame) -> bool:
    """Whether nothing is missed where it is left out."""
    return frame.peak <= _SILENT_PEAK


def _faded(last: np.ndarray | None) -> np.ndarray:
    """Silence that begins with the end of the last frame, mirrored and faded out."""
    samples = silence()
    if last is not None:
        samples[:_FADE] = last[::-1][:_FADE] * np.linspace(1.0, 0.0, _FADE)
    return samples


def _fade_in(samples: np.ndarray) -> np.ndarray:
    ramp = np.ones(FRAME_SAMPLES)
    ramp[: _FADE // 4] = np.linspace(0.0, 1.0, _FADE // 4)
    return (samples * ramp).astype(np.int16)
