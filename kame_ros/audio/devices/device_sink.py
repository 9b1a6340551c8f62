"""A loudspeaker through PyAudio.

The callback of the device only copies blocks of 20 ms out of a bounded queue: work in the callback
is heard as a click. All else is done by the owner's thread.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from kame_ros.audio.devices.device_source import CAPACITY, LOST_S, STALL_S
from kame_ros.audio.devices.device_stream import BLOCK_S, DeviceStream, Tell, say_nothing
from kame_ros.audio.devices.pace import Clock
from kame_ros.audio.devices.sink import OnPlayed, ignore
from kame_ros.audio.devices.stream_clock import StreamClock
from kame_ros.audio.resample import INT16_SCALE, Resampler
from kame_ros.wire.frame import FRAME_S, SAMPLE_RATE, Frame


@dataclass
class _Block:
    sound: np.ndarray  # float32[n], one channel, in units of the device's format
    begins: tuple[tuple[Frame, int], ...] = ()  # frames that begin in it, at which sample
    gain: float = 1.0


class DeviceSink(DeviceStream):
    """A loudspeaker. Implements `kame_ros.audio.devices.sink.Sink`.

    All `channels` play the same. The device sets the rhythm: `wait` returns when less than two
    frames are left to play. A frame is told to `on_played` when its first sample goes to the
    device, stamped with when that is heard. A device that takes nothing for 0.3 s does not stop
    the conversation: frames are thrown away and counted, and after 0.6 s it is looked for.
    """

    _LOW = round(FRAME_S / BLOCK_S)  # blocks: a frame is played while the next one is made

    def __init__(
        self,
        device: str | int = '',
        *,
        rate: int = 0,
        channels: int = 0,
        sample_format: str = 'int16',
        clock: Clock = time.monotonic,
        tell: Tell = say_nothing,
        on_played: OnPlayed = ignore,
    ) -> None:
        super().__init__(
            device,
            output=True,
            rate=rate,
            channels=channels,
            clock=clock,
            sample_format=sample_format,
            tell=tell,
        )
        self.on_played = on_played
        self._blocks: deque[_Block] = deque()
        self._passed: deque[tuple[int, float, _Block | None]] = deque()
        self._lock = threading.Lock()  # of the blocks: held for microseconds
        self._moved = threading.Event()  # the callback took a block
        self._gain = 1.0
        self._rest = np.zeros(0, np.float32)  # fills no block yet
        self._begins: list[tuple[Frame, int]] = []  # frames that begin in the rest
        self._resampler: Resampler | None = None
        self._held = 0.0  # samples that the resampler holds back
        self._taken = 0  # samples that the device took since the stream began
        self._moved_at = 0.0  # when it took the last ones, s

    def open(self) -> None:
        """Starts to play, silence at first; raises DeviceError."""
        self._gain = 1.0
        self._begin()
        self._moved_at = self._clock()

    def wait(self) -> float:
        """Blocks until the next frame is due; returns when its first sample is played, s."""
        start = self._clock()
        while True:
            self._moved.clear()
            self._tell_passed()
            now = self._clock()
            stalled = now - self._moved_at > STALL_S
            if stalled and now - self._moved_at > LOST_S:
                self._lose('takes no sound')
            if not stalled and len(self._blocks) <= self._LOW:
                break
            deadline = start + FRAME_S if stalled else self._moved_at + STALL_S
            if stalled and now >= deadline:
                break
            self._moved.wait(max(0.0, deadline - now) + 1e-4)
        return self._clock() + len(self._blocks) * BLOCK_S + self._latency

    def write(self, frame: Frame, sound: np.ndarray) -> None:
        """Plays int16[n] at 24 kHz: the frame that was waited for, or its sound stretched."""
        self._count['frames'] += 1
        if self._clock() - self._moved_at > STALL_S:  # nobody takes it
            self._count['frames_unplayed'] += 1
            self.on_played(Frame(frame.seq, frame.t))
            return
        pcm = sound if self._resampler is None else self._resampler.push(sound)
        pcm = self._converted(pcm) * self._gain
        with self._lock:
            # The resampler holds back: the frame begins where its samples will be.
            self._begins.append((frame, len(self._rest) + round(self._held)))
            self._held += len(sound) * self._rate / SAMPLE_RATE - len(pcm)
            self._rest = np.concatenate([self._rest, pcm])
            while len(self._rest) >= self._block:
                block, self._rest = self._rest[: self._block], self._rest[self._block :]
                here = tuple(b for b in self._begins if b[1] < self._block)
                self._begins = [(f, at - self._block) for f, at in self._begins[len(here) :]]
                self._put(_Block(block, here, self._gain))

    def fade(self, gain: float) -> None:
        """Plays what waits, and all that follows, at this gain, from the next block on."""
        with self._lock:
            old, self._gain = self._gain, gain
            for k, block in enumerate(self._blocks):
                ramp = np.linspace(old, gain, len(block.sound)) if k == 0 else gain
                block.sound = block.sound / max(old, 1e-6) * ramp
                block.gain = gain
            self._rest = self._rest / max(old, 1e-6) * gain

    def flush(self) -> None:
        """Fades out within a block (20 ms) and forgets what waits; counted."""
        with self._lock:
            waiting = list(self._blocks)
            self._blocks.clear()
            self._count['frames_flushed'] += len(self._begins)
            self._rest, self._begins = self._rest[:0], []
            for k, block in enumerate(waiting):
                if k == 0:
                    block.sound = block.sound * np.linspace(1.0, 0.0, len(block.sound))
                    self._blocks.append(block)
                else:
                    self._count['blocks_flushed'] += 1
                    self._count['frames_flushed'] += len(block.begins)

    def counters(self) -> dict[str, float]:
        """Frames, and what was lost with the device or flushed, as running totals."""
        names = (
            'frames frames_unplayed frames_flushed blocks_dropped blocks_missing blocks_flushed '
            'device_flags losses returns'
        )
        totals = {name: float(self._count[name]) for name in names.split()}
        totals['blocks_waiting'] = len(self._blocks)
        clock = getattr(self, '_stream_clock', None)
        totals['clock_jumps'] = clock.jumps if clock else 0
        totals['clock_ppm'] = round(clock.ppm, 1) if clock else 0.0
        return totals

    def _begun(self) -> None:
        with self._lock:
            self._blocks.clear()
            self._passed.clear()
            self._rest = np.zeros(0, np.float32)
            self._begins = []
            self._held = 0.0
            self._taken = 0
            self._moved_at = self._clock()  # it has as long as any to take its first block
            differ = self._rate != SAMPLE_RATE
            self._resampler = Resampler(SAMPLE_RATE, self._rate) if differ else None
            self._stream_clock = StreamClock(self._rate)
            self._latency = float(self._stream.get_output_latency())

    def _callback(self, serial: int) -> Callable[..., tuple[bytes, int]]:
        def play(data: None, count: int, times: Any, status: int) -> tuple[bytes, int]:
            """PortAudio's thread: copies, no more."""
            if serial != self._serial:
                return bytes(count * self._channels * self._dtype.itemsize), 0
            self._count['device_flags'] += status != 0
            with self._lock:
                block = self._blocks.popleft() if self._blocks else None
                self._passed.append((self._taken, self._clock(), block))
                self._taken += count
            self._moved_at = self._clock()
            self._moved.set()
            if block is None:
                self._count['blocks_missing'] += self._count['frames'] > 0
                return bytes(count * self._channels * self._dtype.itemsize), 0
            return self._bytes(block.sound, count), 0

        return play

    def _tell_passed(self) -> None:
        while self._passed:
            taken, at, block = self._passed.popleft()
            self._stream_clock.update(taken, at)
            if block is None:
                continue
            for frame, offset in block.begins:
                t = self._stream_clock.time(taken + offset) + self._latency
                samples = frame.samples
                if block.gain != 1.0:  # what is told is what is heard
                    samples = np.round(samples * block.gain).astype(np.int16)
                self.on_played(replace(frame, t=t, samples=samples))

    def _put(self, block: _Block) -> None:
        if len(self._blocks) >= CAPACITY:
            self._blocks.popleft()
            self._count['blocks_dropped'] += 1
        self._blocks.append(block)

    def _converted(self, sound: np.ndarray) -> np.ndarray:
        """float32 in units of the device's format."""
        scale = 1.0 if self._dtype == np.float32 else INT16_SCALE
        own = INT16_SCALE if sound.dtype == np.int16 else 1.0
        return sound.astype(np.float32) * np.float32(scale / own)

    def _bytes(self, sound: np.ndarray, count: int) -> bytes:
        if self._dtype == np.int16:
            sound = np.clip(np.round(sound), -32_768, 32_767)
        mono = np.zeros(count, self._dtype)
        mono[: len(sound)] = sound[:count]
        return np.repeat(mono, self._channels).tobytes()
