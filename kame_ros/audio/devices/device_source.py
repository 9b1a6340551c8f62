"""A microphone through PyAudio.

The callback of the device only copies blocks of 20 ms into a bounded queue: larger blocks come
quantised by some drivers, and work in the callback is lost sound. Frames of 80 ms are made by the
owner's thread.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from kame_ros.audio.devices.device_stream import BLOCK_S, DeviceStream, Tell, say_nothing
from kame_ros.audio.devices.mixdown import Mixdown
from kame_ros.audio.devices.pace import Clock
from kame_ros.audio.devices.stream_clock import StreamClock
from kame_ros.wire.frame import FRAME_S, FRAME_SAMPLES, SAMPLE_RATE, Frame

CAPACITY = 25  # blocks: half a second waits at most
STALL_S = 0.3  # s without a block: silence stands in for the device
LOST_S = 0.6  # s without a block: it is gone
_GRACE_S = 0.04  # s: how long a frame of silence waits for a device that is known to be silent


class DeviceSource(DeviceStream):
    """A microphone. Implements `kame_ros.audio.devices.source.Source`.

    Of several `channels`, `channel` is heard, or their mean where it is -1. Stamps follow the
    device's own clock. When it falls silent for 0.3 s, frames of silence keep the rhythm and are
    counted; after 0.6 s it is looked for, and picked up again when it is back.
    """

    def __init__(
        self,
        device: str | int = '',
        *,
        rate: int = 0,
        channels: int = 0,
        channel: int = -1,
        sample_format: str = 'int16',
        clock: Clock = time.monotonic,
        tell: Tell = say_nothing,
    ) -> None:
        if channel < -1 or (channels and channel >= channels):
            raise ValueError(f'channel {channel} is not one of {channels} channels')
        super().__init__(
            device,
            output=False,
            rate=rate,
            channels=channels,
            clock=clock,
            sample_format=sample_format,
            tell=tell,
        )
        self._channel = channel
        self._blocks: queue.SimpleQueue[tuple[bytes, float]] = queue.SimpleQueue()

    @property
    def ended(self) -> bool:
        """Never: a microphone has no end."""
        return False

    def open(self) -> None:
        """Starts to listen; raises DeviceError."""
        self._next = 0
        self._waiting = np.zeros(0, np.int16)
        self._silent = False  # silence stands in for the device now
        self._begin()
        self._t = self._block_at = self._clock()  # the end of what was given; the last block

    def read(self) -> Frame:
        """The next frame; blocks until its last sample was heard."""
        while len(self._waiting) < FRAME_SAMPLES:
            end = self._t + FRAME_S
            patience = _GRACE_S if self._silent else STALL_S
            try:
                data, at = self._blocks.get(timeout=max(0.0, end + patience - self._clock()))
            except queue.Empty:
                return self._silence()
            self._take(data, at)
        samples, self._waiting = self._waiting[:FRAME_SAMPLES], self._waiting[FRAME_SAMPLES:]
        self._given += FRAME_SAMPLES
        end = self._stream_clock.time(self._given) - self._latency
        return self._frame(samples, end - FRAME_S, end)

    def counters(self) -> dict[str, float]:
        """Frames, silences that stood in for the device, and blocks lost, as running totals."""
        names = 'frames frames_silent blocks_dropped blocks_late device_flags losses returns'
        totals = {name: float(self._count[name]) for name in names.split()}
        totals['blocks_waiting'] = self._blocks.qsize()
        clock = getattr(self, '_stream_clock', None)
        totals['clock_jumps'] = clock.jumps if clock else 0
        totals['clock_ppm'] = round(clock.ppm, 1) if clock else 0.0
        return totals

    def _begun(self) -> None:
        self._blocks = queue.SimpleQueue()
        if self._channel >= self._channels:  # asked for by number alone: all are opened
            raise ValueError(f'{self.device} has no channel {self._channel}')
        self._mixdown = Mixdown(self._rate, self._channels, self._channel, self._dtype)
        self._stream_clock = StreamClock(SAMPLE_RATE)
        self._block_at = self._clock()  # it has as long as any to give its first block
        self._heard = 0  # samples at 24 kHz since the stream began
        self._given = 0
        self._latency = float(self._stream.get_input_latency())

    def _fewest(self, device: Any, most: int) -> int:
        return most if self._channel >= 0 else super()._fewest(device, most)

    def _callback(self, serial: int) -> Callable[..., tuple[None, int]]:
        def record(data: bytes, count: int, times: Any, status: int) -> tuple[None, int]:
            """PortAudio's thread: copies, no more."""
            self._count['device_flags'] += status != 0
            if serial == self._serial:
                if self._blocks.qsize() >= CAPACITY:
                    self._blocks.get_nowait()  # only this thread fills: the oldest makes room
                    self._count['blocks_dropped'] += 1
                self._blocks.put((data, self._clock()))
            return None, 0

        return record

    def _take(self, data: bytes, at: float) -> None:
        since, self._block_at = at - self._block_at, at
        if self._silent:
            if not 0.5 * BLOCK_S <= since <= 3.0 * BLOCK_S:  # silence stood in for it already
                self._count['blocks_late'] += 1
                return
            self._silent = False
            self._waiting = self._waiting[:0]
            self._mixdown.reset()
            self._given = self._heard
        sound = self._mixdown.push(data)
        self._heard += round(len(data) / self._mixdown.frame_bytes * SAMPLE_RATE / self._rate)
        self._stream_clock.update(self._heard, at)
        self._waiting = np.concatenate([self._waiting, sound])

    def _silence(self) -> Frame:
        self._count['frames_silent'] += 1
        self._silent = True
        if self._clock() - self._block_at > LOST_S:
            self._lose('gives no sound')
        return self._frame(np.zeros(FRAME_SAMPLES, np.int16), self._t, self._t + FRAME_S)

    def _frame(self, samples: np.ndarray, t: float, end: float) -> Frame:
        frame = Frame(self._next, t, samples)
        self._next += 1
        self._t = end
        self._count['frames'] += 1
        return frame
