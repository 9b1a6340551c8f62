"""Opens a sound card through PortAudio, and opens it anew when it was unplugged."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from kame_ros.audio.devices.devices import (
    PORTAUDIO_LOCK,
    Device,
    DeviceError,
    devices_of,
    find_device,
    portaudio,
)
from kame_ros.audio.devices.pace import Clock
from kame_ros.settings.param import check_settings, setting

BLOCK_S = 0.02
FORMATS = ('int16', 'float32')
_RETRY_S = 1.0  # between two looks for a device that went away

Tell = Callable[[str], None]


def say_nothing(text: str) -> None:
    """For whoever does not ask how the device is."""


@dataclass(frozen=True)
class DeviceConfig:
    """Which sound device is opened, and how. Raises ValueError for an unknown format."""

    device: str = setting(
        '',
        'Name (or part of it) or index of the device, as `kame devices` lists them; empty: the '
        'default one.',
    )
    rate: int = setting(
        0, "Hz that the device runs at; 0: the device's own.", low=0, high=384_000, unit='Hz'
    )
    channels: int = setting(0, 'Channels to open; 0: as few as the device can do.', low=0, high=256)
    sample_format: str = setting('int16', 'What is asked of the driver.', choices=FORMATS)

    def __post_init__(self) -> None:
        check_settings(self)

    @property
    def name(self) -> str:
        """What people call it."""
        return self.device or 'the default sound device'


@dataclass(frozen=True)
class MicrophoneConfig(DeviceConfig):
    """Which microphone is opened, and which of its channels is heard."""

    channel: int = setting(
        -1, 'Which channel is heard, from 0; -1: the mean of all.', low=-1, high=255
    )


class DeviceStream:
    """What a microphone and a loudspeaker have in common: opened, lost, and found again.

    `device`: a number or (a part of) a name, '' for the default; `rate`: Hz, 0 for the device's
    own; `channels`: 0 for as few as it can do; `sample_format`: what is asked of the driver.
    `tell` is given one sentence when the device is lost and one when it is back. Raises ValueError
    for an unknown format.
    """

    def __init__(
        self,
        device: str | int,
        *,
        output: bool,
        rate: int,
        channels: int,
        clock: Clock,
        sample_format: str = 'int16',
        tell: Tell = say_nothing,
    ) -> None:
        if sample_format not in FORMATS:
            raise ValueError(f'a sample format is one of {", ".join(FORMATS)}, not {sample_format}')
        self._wanted = device
        self._output = output
        self._asked_rate, self._asked_channels = rate, channels
        self._rate, self._channels = rate, channels
        self._dtype = np.dtype(sample_format)
        self._clock = clock
        self._tell = tell
        self._audio: Any = None
        self._stream: Any = None
        self._count: Counter[str] = Counter()
        self._ended = threading.Event()
        self._keeper: threading.Thread | None = None
        self._serial = 0  # of the stream; a callback of an older one is not listened to
        self.device: Device | None = None  # once it is open

    @property
    def lost(self) -> bool:
        """Whether the device went away and is being looked for."""
        return self._keeper is not None and self._keeper.is_alive()

    def prepare(self) -> None:
        """Gets hold of the device, so that one that is busy or absent is known; DeviceError."""
        self.close()
        self._ended = threading.Event()
        self._get()

    def close(self) -> None:
        """Stops the stream and the search for it; can be called again, and before open()."""
        self._ended.set()
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.join(2.0)
            if keeper.is_alive():  # inside a driver that does not return: it ends by itself
                return
        self._let_go()

    def _begin(self) -> None:
        """Starts the stream, after `prepare` where that was not done."""
        if self._stream is None or self.lost:
            self.prepare()
        self._stream.start_stream()

    def _begun(self) -> None:
        """For a subclass: a stream was opened and is about to start."""

    def _callback(self, serial: int) -> Callable[..., tuple[bytes | None, int]]:
        raise NotImplementedError

    def _lose(self, why: str) -> None:
        """The device gives nothing any more: looks for it, in a thread, until it is back."""
        if self.lost or self._ended.is_set():
            return
        self._count['losses'] += 1
        self._serial += 1
        self._tell(f'{self.device or self._wanted} {why}; waiting for it to come back')
        self._keeper = threading.Thread(target=self._find_again, name='device', daemon=True)
        self._keeper.start()

    def _find_again(self) -> None:
        ended = self._ended
        while not ended.is_set():
            with suppress(Exception):  # what is gone may refuse to be closed
                self._let_go()
            try:
                self._get()
                self._stream.start_stream()
            except (OSError, ValueError):
                ended.wait(_RETRY_S)
                continue
            if ended.is_set():
                break
            self._count['returns'] += 1
            self._tell(f'{self.device} is back')
            return
        with suppress(Exception):
            self._let_go()

    def _get(self) -> None:
        with PORTAUDIO_LOCK:
            self._get_alone()

    def _get_alone(self) -> None:
        # A new instance sees what was plugged in since; PortAudio itself looks only once.
        self._audio = portaudio()
        try:
            devices = devices_of(self._audio)
            self.device = device = find_device(devices, self._wanted, output=self._output)
            self._rate = self._asked_rate or device.sample_rate
            most = device.outputs if self._output else device.inputs
            self._channels = self._asked_channels or self._fewest(device, most)
            if self._channels > most:
                raise DeviceError(f'{device} has {most} channels, not {self._channels}')
            self._open_stream(device)
        except BaseException:
            self._let_go()
            raise

    def _fewest(self, device: Device, most: int) -> int:
        """One channel where the driver allows it, else two, else all: hardware may have no mono."""
        side = 'output' if self._output else 'input'
        for channels in (1, 2):
            asked = {f'{side}_device': device.index, f'{side}_channels': channels}
            with suppress(ValueError):
                self._audio.is_format_supported(
                    self._rate, **asked, **{f'{side}_format': self._pa_format}
                )
                return channels
        return most

    def _open_stream(self, device: Device) -> None:
        side = 'output' if self._output else 'input'
        self._serial += 1
        try:
            self._stream = self._audio.open(
                rate=self._rate,
                channels=self._channels,
                format=self._pa_format,
                frames_per_buffer=self._block,
                stream_callback=self._callback(self._serial),
                start=False,
                **{side: True, f'{side}_device_index': device.index},
            )
        except (OSError, ValueError) as error:
            others = '; '.join(str(d) for d in devices_of(self._audio))
            raise DeviceError(
                f'{device} cannot be opened with {self._channels} channels at {self._rate} Hz '
                f'({error}); it may be busy; there are: {others}'
            ) from error
        self._begun()

    def _let_go(self) -> None:
        stream, self._stream = self._stream, None
        audio, self._audio = self._audio, None
        with PORTAUDIO_LOCK:
            try:
                if stream is not None:
                    with suppress(OSError):
                        stream.stop_stream()
                    stream.close()
            finally:
                if audio is not None:
                    audio.terminate()

    @property
    def _pa_format(self) -> int:
        import pyaudio

        return int(pyaudio.paFloat32 if self._dtype == np.float32 else pyaudio.paInt16)

    @property
    def _block(self) -> int:
        return round(self._rate * BLOCK_S)
