"""A microphone of another node: makes frames of the sound that somebody feeds in."""

from __future__ import annotations

import queue
from collections import Counter

import numpy as np

from kame_ros.audio.devices.device_stream import Tell, say_nothing
from kame_ros.audio.devices.mixdown import Mixdown
from kame_ros.audio.devices.pace import Clock
from kame_ros.wire.frame import FRAME_S, FRAME_SAMPLES, SAMPLE_RATE, Frame

_CAPACITY_S = 1.0  # of sound that waits at most
_MOST_S = 2.0  # of sound at once
_STALL_S = 0.3  # s without sound: silence stands in
_GRACE_S = 0.04  # s: how long a frame of silence waits for a sender that is known to be silent
_JUMP_S = 0.2  # a stamp further off than this is a hole, or another clock


class FedSource:
    """Implements `kame_ros.audio.devices.source.Source` for sound that another thread feeds.

    Blocks of any length, rate and number of channels become frames. The sender sets the rhythm
    and the stamps; a hole in its numbers of up to 2 s is filled with silence. When nothing comes
    for 0.3 s, frames of silence keep the rhythm until it is back. All of it is counted; a sender
    that `may_pause` has then lost nothing.
    """

    _MAX_HOLE = 25  # blocks

    def __init__(
        self,
        *,
        clock: Clock,
        channel: int = -1,
        tell: Tell = say_nothing,
        may_pause: bool = False,
    ) -> None:
        self._may_pause = may_pause
        self._clock = clock
        self._channel = channel
        self._tell = tell
        self._count: Counter[str] = Counter()
        self._blocks: queue.SimpleQueue[tuple[np.ndarray, float]] = queue.SimpleQueue()
        self._mixdown: Mixdown | None = None
        self._held_s = 0.0  # what the resampler holds back
        self._expected: int | None = None
        self.open()

    @property
    def ended(self) -> bool:
        """Never: the sender may come back."""
        return False

    def prepare(self) -> None:
        """Nothing to get: the sender may come later."""

    def open(self) -> None:
        """Starts to listen."""
        self._blocks = queue.SimpleQueue()
        self._waiting = np.zeros(0, np.int16)
        self._next = 0
        self._silent = False  # silence stands in for the sender now
        self._t = self._clock()  # the end of what was given
        self._heard_t = self._t  # the time of the first sample that waits

    def close(self) -> None:
        """Nothing to stop."""

    def feed(
        self, sound: np.ndarray, rate: int, channels: int, t: float, seq: int | None = None
    ) -> None:
        """Takes int16 or float32, interleaved, whose first sample was heard at `t`.

        Called by one thread. Raises ValueError for a format that cannot be.
        """
        mixdown = self._mixdown
        dtype = np.dtype(sound.dtype)
        if mixdown is None or (mixdown.rate, mixdown.channels) != (rate, channels):
            channel = self._channel if self._channel < channels else -1
            mixdown = self._mixdown = Mixdown(rate, channels, channel, dtype)
            self._held_s = 0.0
        if len(sound) > _MOST_S * rate * channels:
            raise ValueError(f'{len(sound)} samples at once are more than {_MOST_S:.0f} s of sound')
        missing = 0 if self._expected is None or seq is None else seq - self._expected
        self._expected = None if seq is None else seq + 1
        if 0 < missing <= self._MAX_HOLE and missing * len(sound) <= _MOST_S * rate * channels:
            self._count['blocks_missing'] += missing
            hole = np.zeros(missing * len(sound), dtype)
            t -= missing * len(sound) / channels / rate
            sound = np.concatenate([hole, sound])
        mono = mixdown.push(sound)
        t -= self._held_s
        self._held_s += len(sound) / channels / rate - len(mono) / SAMPLE_RATE
        if self._blocks.qsize() * len(mono) > _CAPACITY_S * SAMPLE_RATE:
            self._count['blocks_dropped'] += 1
            return
        self._blocks.put((mono, t))

    def read(self) -> Frame:
        """The next frame; blocks until its last sample has come."""
        while len(self._waiting) < FRAME_SAMPLES:
            patience = _GRACE_S if self._silent else _STALL_S
            timeout = self._t + FRAME_S + patience - self._clock()
            most = FRAME_S + patience  # a clock that runs back is not waited for
            try:
                mono, t = self._blocks.get(timeout=min(max(0.0, timeout), most))
            except queue.Empty:
                return self._silence()
            self._take(mono, t)
        samples, self._waiting = self._waiting[:FRAME_SAMPLES], self._waiting[FRAME_SAMPLES:]
        t, self._heard_t = self._heard_t, self._heard_t + FRAME_S
        return self._frame(samples, t)

    def counters(self) -> dict[str, float]:
        """Running totals, by name."""
        names = 'frames frames_silent frames_paused blocks_dropped blocks_missing blocks_late'
        return {name: float(self._count[name]) for name in f'{names} stamp_jumps losses'.split()}

    def _take(self, mono: np.ndarray, t: float) -> None:
        if self._silent:
            self._silent = False
            while not self._blocks.empty():  # what comes late was replaced by silence
                self._count['blocks_late'] += 1
                mono, t = self._blocks.get_nowait()
            self._waiting = self._waiting[:0]
            self._heard_t = t
        off = t - (self._heard_t + len(self._waiting) * FRAME_S / FRAME_SAMPLES)
        if abs(off) > _JUMP_S:
            self._count['stamp_jumps'] += 1
            self._heard_t += off
        else:  # a slow clock is followed, restless stamps are not
            self._heard_t += 0.02 * off
        self._waiting = np.concatenate([self._waiting, mono])

    def _silence(self) -> Frame:
        self._count['frames_paused' if self._may_pause else 'frames_silent'] += 1
        if not self._silent:
            self._silent = True
            if not self._may_pause:
                self._count['losses'] += 1
                self._tell('no sound comes; silence stands in for it until it does')
        frame = self._frame(np.zeros(FRAME_SAMPLES, np.int16), self._t)
        self._t = frame.end
        return frame

    def _frame(self, samples: np.ndarray, t: float) -> Frame:
        frame = Frame(self._next, t, samples)
        self._next += 1
        self._t = self._clock() if not self._silent else self._t
        self._count['frames'] += 1
        return frame
