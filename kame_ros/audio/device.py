"""A microphone and a loudspeaker through PyAudio.

The callback of the device only copies blocks of 20 ms into or out of a bounded queue: larger
blocks come quantised by some drivers, and work in the callback is heard as a click. Frames of 80 ms
are made by the owner's thread.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import Counter
from contextlib import suppress
from typing import Any

import numpy as np

from kame_ros.audio.devices import Device, DeviceError, devices_of, find_device, portaudio
from kame_ros.audio.frame import FRAME_S, FRAME_SAMPLES, SAMPLE_RATE, Frame
from kame_ros.audio.pace import Clock
from kame_ros.audio.resample import Resampler
from kame_ros.audio.wav import to_int16

BLOCK_S = 0.02
_CAPACITY = 25  # blocks: half a second waits at most
_STALL_S = 0.3  # s without a block: silence stands in for the device


class _Stream:
    """What a microphone and a loudspeaker have in common."""

    def __init__(
        self,
        device: str | int,
        *,
        output: bool,
        rate: int,
        channels: int,
        clock: Clock,
    ) -> None:
        self._wanted = device
        self._output = output
        self._rate = rate
        self._channels = channels
        self._clock = clock
        self._audio: Any = None
        self._stream: Any = None
        self._blocks: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._moved = threading.Event()  # the callback took or gave a block
        self._count: Counter[str] = Counter()
        self.device: Device | None = None  # once it is open

    def _start(self) -> None:
        self.close()
        self._audio = portaudio()
        try:
            devices = devices_of(self._audio)
            self.device = device = find_device(devices, self._wanted, output=self._output)
            self._rate = self._rate or device.sample_rate
            most = device.outputs if self._output else device.inputs
            self._channels = self._channels or self._fewest(device, most)
            if self._channels > most:
                raise DeviceError(f'{device} has {most} channels, not {self._channels}')
            self._open_stream(device)
        except BaseException:
            self.close()
            raise

    def _fewest(self, device: Device, most: int) -> int:
        """One channel where the driver allows it, else two, else all: hardware may have no mono."""
        import pyaudio

        side = 'output' if self._output else 'input'
        for channels in (1, 2):
            asked = {f'{side}_device': device.index, f'{side}_channels': channels}
            with suppress(ValueError):
                self._audio.is_format_supported(
                    self._rate, **asked, **{f'{side}_format': pyaudio.paInt16}
                )
                return channels
        return most

    def _open_stream(self, device: Device) -> None:
        import pyaudio

        side = 'output' if self._output else 'input'
        try:
            self._stream = self._audio.open(
                rate=self._rate,
                channels=self._channels,
                format=pyaudio.paInt16,
                frames_per_buffer=self._block,
                stream_callback=self._play if self._output else self._record,
                **{side: True, f'{side}_device_index': device.index},
            )
        except (OSError, ValueError) as error:
            others = '; '.join(str(d) for d in devices_of(self._audio))
            raise DeviceError(
                f'{device} cannot be opened with {self._channels} channels at {self._rate} Hz '
                f'({error}); it may be busy; there are: {others}'
            ) from error

    def close(self) -> None:
        """Stops the stream; can be called again, and before open()."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.stop_stream()
            stream.close()
        audio, self._audio = self._audio, None
        if audio is not None:
            audio.terminate()

    @property
    def _block(self) -> int:
        return round(self._rate * BLOCK_S)

    def _record(self, data: bytes, count: int, times: Any, status: int) -> tuple[None, int]:
        """PortAudio's thread: copies, no more."""
        self._count['device_flags'] += status != 0
        if self._blocks.qsize() >= _CAPACITY:
            self._blocks.get_nowait()  # only this thread fills: the oldest makes room
            self._count['blocks_dropped'] += 1
        self._blocks.put(data)
        return None, 0

    def _play(self, data: None, count: int, times: Any, status: int) -> tuple[bytes, int]:
        """PortAudio's thread: copies, no more."""
        self._count['device_flags'] += status != 0
        try:
            block = self._blocks.get_nowait()
        except queue.Empty:
            block = bytes(2 * count * self._channels)
            self._count['blocks_missing'] += self._count['frames'] > 0
        self._moved.set()
        return block, 0

    def counters(self) -> dict[str, float]:
        """Frames, silences that stood in for the device, and blocks lost, as running totals."""
        names = ('frames', 'frames_silent', 'blocks_dropped', 'blocks_missing', 'device_flags')
        totals = {name: float(self._count[name]) for name in names}
        totals['blocks_waiting'] = self._blocks.qsize()
        return totals


class DeviceSource(_Stream):
    """A microphone. Implements `kame_ros.audio.source.Source`.

    `device`: a number or (a part of) a name, '' for the default; `rate`: 0 for the device's own;
    `channels`: 0 for as few as the device can do; of several, `channel` is heard, or their mean
    where it is -1. When the device falls silent for 0.3 s, frames of silence keep the rhythm and
    are counted.
    """

    def __init__(
        self,
        device: str | int = '',
        *,
        rate: int = 0,
        channels: int = 0,
        channel: int = -1,
        clock: Clock = time.monotonic,
    ) -> None:
        if channel < -1 or (channel >= 0 and channel >= channels):
            raise ValueError(f'channel {channel} is not one of {channels} channels')
        super().__init__(device, output=False, rate=rate, channels=channels, clock=clock)
        self._channel = channel

    @property
    def ended(self) -> bool:
        """Never: a microphone has no end."""
        return False

    def open(self) -> None:
        """Starts to listen; raises DeviceError."""
        self._next = 0
        self._waiting = np.zeros(0, np.int16)
        self._blocks = queue.SimpleQueue()
        self._start()
        self._resampler = Resampler(self._rate, SAMPLE_RATE) if self._rate != SAMPLE_RATE else None
        self._t0 = self._clock()

    def read(self) -> Frame:
        """The next frame; blocks until its last sample was heard."""
        deadline = self._t0 + (self._next + 1) * FRAME_S + _STALL_S
        while len(self._waiting) < FRAME_SAMPLES:
            try:
                data = self._blocks.get(timeout=max(0.0, deadline - self._clock()))
            except queue.Empty:
                self._count['frames_silent'] += 1
                return self._frame(np.zeros(FRAME_SAMPLES, np.int16))
            self._waiting = np.concatenate([self._waiting, self._mono(data)])
        samples, self._waiting = self._waiting[:FRAME_SAMPLES], self._waiting[FRAME_SAMPLES:]
        return self._frame(samples)

    def _frame(self, samples: np.ndarray) -> Frame:
        frame = Frame(self._next, self._t0 + self._next * FRAME_S, samples)
        self._next += 1
        self._count['frames'] += 1
        return frame

    def _mono(self, data: bytes) -> np.ndarray:
        sound = np.frombuffer(data, np.int16).reshape(-1, self._channels)
        if self._channels == 1:
            mono = sound[:, 0]
        elif self._channel >= 0:
            mono = sound[:, self._channel]
        else:
            mono = sound.mean(axis=1).round().astype(np.int16)
        return mono if self._resampler is None else to_int16(self._resampler.push(mono))[0]


class DeviceSink(_Stream):
    """A loudspeaker. Implements `kame_ros.audio.sink.Sink`.

    `device`, `rate`: as for DeviceSource; all `channels` play the same. The device sets the
    rhythm: `wait` returns when less than two frames are left to play. A device that takes nothing
    for 0.3 s does not stop the conversation: frames are dropped, the oldest first, and counted.
    """

    _LOW = round(FRAME_S / BLOCK_S)  # blocks: a frame is played while the next one is made

    def __init__(
        self,
        device: str | int = '',
        *,
        rate: int = 0,
        channels: int = 0,
        clock: Clock = time.monotonic,
    ) -> None:
        super().__init__(device, output=True, rate=rate, channels=channels, clock=clock)

    def open(self) -> None:
        """Starts to play, silence at first; raises DeviceError."""
        self._rest = np.zeros(0, np.int16)
        self._blocks = queue.SimpleQueue()
        self._t = -1.0
        self._start()
        self._resampler = Resampler(SAMPLE_RATE, self._rate) if self._rate != SAMPLE_RATE else None
        self._latency = float(self._stream.get_output_latency())

    def wait(self) -> float:
        """Blocks until the next frame is due; returns when its first sample is played, s."""
        deadline = self._clock() + (FRAME_S if self._count['stalled'] else _STALL_S)
        while True:
            self._moved.clear()
            if self._blocks.qsize() <= self._LOW:
                self._count['stalled'] = 0
                break
            left = deadline - self._clock()
            if left <= 0.0:
                self._count['stalled'] = 1
                break
            self._moved.wait(left)
        return self._time()

    def _time(self) -> float:
        """A tick after the last one; anew where the device has left the rhythm."""
        ahead = self._blocks.qsize() * BLOCK_S + len(self._rest) / self._rate
        now = self._clock() + ahead + self._latency
        steady = self._t + FRAME_S
        self._t = steady if self._t >= 0.0 and abs(now - steady) < FRAME_S / 2 else now
        return self._t

    def write(self, frame: Frame) -> None:
        """Plays the frame that was waited for."""
        sound = frame.samples
        if self._resampler is not None:
            sound = to_int16(self._resampler.push(sound))[0]
        self._rest = np.concatenate([self._rest, sound])
        while len(self._rest) >= self._block:
            block, self._rest = self._rest[: self._block], self._rest[self._block :]
            if self._blocks.qsize() >= _CAPACITY:
                self._drop_oldest()
            self._blocks.put(np.repeat(block, self._channels).tobytes())
        self._count['frames'] += 1

    def _drop_oldest(self) -> None:
        try:
            self._blocks.get_nowait()
            self._count['blocks_dropped'] += 1
        except queue.Empty:  # the device came back and took it
            pass
