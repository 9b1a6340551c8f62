"""What the tests of sound share: a PortAudio of their own, and a real PulseAudio."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from kame_ros.audio.devices.devices import Device, list_devices

MIC = Device(0, 'USB Mic', 1, 0, 48_000, default_input=True)
ARRAY = Device(1, 'ReSpeaker 4 Mic Array', 4, 0, 16_000)
SPEAKER = Device(2, 'USB Speaker', 0, 2, 44_100, default_output=True)
ALL = [MIC, ARRAY, SPEAKER]


class FakeStream:
    def __init__(self, callback) -> None:
        self.callback = callback
        self.started = False
        self.block = 480
        self.closed = False

    def start_stream(self) -> None:
        self.started = True

    def stop_stream(self) -> None:
        pass

    def close(self) -> None:
        self.closed = True

    def get_output_latency(self) -> float:
        return 0.01

    def get_input_latency(self) -> float:
        return 0.0


class FakePortAudio:
    """Opens any device and lets the test be the driver."""

    def __init__(self) -> None:
        self.streams: list[FakeStream] = []
        self.asked: dict = {}
        self.terminated = 0
        self.busy = False
        self.plugged = True

    def get_device_count(self) -> int:
        return len(ALL) if self.plugged else 0

    def get_device_info_by_index(self, index: int) -> dict:
        device = ALL[index]
        return {
            'name': device.name, 'maxInputChannels': device.inputs, 'hostApi': 0,
            'maxOutputChannels': device.outputs, 'defaultSampleRate': float(device.sample_rate),
        }  # fmt: skip

    def get_host_api_info_by_index(self, index: int) -> dict:
        return {'name': 'Fake'}

    def get_default_input_device_info(self) -> dict:
        return {'index': 0}

    def get_default_output_device_info(self) -> dict:
        raise OSError('No Default Output Device Available')

    def is_format_supported(self, rate: int, **asked) -> bool:
        (channels,) = (asked[name] for name in asked if name.endswith('_channels'))
        if channels != 1 or asked.get('output_device') is not None:  # no mono loudspeaker
            if channels == 2 and 'output_device' in asked:
                return True
            raise ValueError('Invalid number of channels', -9998)
        return True

    def open(self, **asked) -> FakeStream:
        if self.busy:
            raise OSError(-9985, 'Device unavailable')
        self.asked = asked
        stream = FakeStream(asked['stream_callback'])
        stream.block = asked['frames_per_buffer']
        self.streams.append(stream)
        return stream

    def terminate(self) -> None:
        self.terminated += 1


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakePortAudio:
    fake = FakePortAudio()
    module = SimpleNamespace(PyAudio=lambda: fake, paInt16=8, paFloat32=1)
    monkeypatch.setitem(sys.modules, 'pyaudio', module)
    return fake


class Clock:
    """Stands still unless the test moves it: reading must not need the time."""

    t = 50.0  # s

    def __call__(self) -> float:
        return self.t

    def record(self, stream: FakeStream, samples: np.ndarray) -> None:
        """The driver hears [n, channels], 20 ms at a time, and time goes on."""
        block = stream.block
        for start in range(0, len(samples), block):
            self.t += 0.02
            stream.callback(samples[start : start + block].tobytes(), block, {}, 0)

    def take(self, stream: FakeStream, blocks: int) -> bytes:
        """The driver plays blocks of 20 ms, and time goes on."""
        data = b''
        for _ in range(blocks):
            self.t += 0.02
            data += stream.callback(None, stream.block, {}, 0)[0]
        return data


@pytest.fixture
def clock() -> Clock:
    return Clock()


_PRCTL = ctypes.CDLL(None).prctl  # found here: after the fork nothing may be loaded
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_SELF = os.getpid()


def end_with_parent() -> None:
    """In a child: a test run that is killed, which runs no finaliser, takes its daemons along."""
    _PRCTL(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != _SELF:  # it is gone already
        os._exit(1)


class Pulse:
    """A PulseAudio of the test's own: what is played on `loop` is heard on its monitor."""

    SINK = (
        'module-null-sink', 'sink_name=loop', 'rate=24000', 'channels=1', 'format=s16le',
        'norewinds=1',
    )  # fmt: skip

    def __init__(self, folder: Path) -> None:
        for name in ('XDG_RUNTIME_DIR', 'HOME'):
            (folder / name).mkdir(mode=0o700)
            os.environ[name] = str(folder / name)
        script = folder / 'test.pa'
        script.write_text(
            f'load-module module-native-protocol-unix\nload-module {" ".join(self.SINK)}\n'
        )
        self.daemon = subprocess.Popen(
            ['pulseaudio', '--daemonize=no', '--exit-idle-time=-1', '-n', '-F', script],
            stderr=subprocess.DEVNULL,
            preexec_fn=end_with_parent,
        )
        socket = folder / 'XDG_RUNTIME_DIR' / 'pulse' / 'native'
        os.environ['PULSE_SERVER'] = f'unix:{socket}'
        deadline = time.monotonic() + 10
        while not socket.exists() and self.daemon.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        self.up = socket.exists()

    def unplug(self) -> None:
        """The sound card is pulled out."""
        self._pactl('unload-module', 'module-null-sink')

    def plug_in(self) -> None:
        self._pactl('load-module', *self.SINK)

    def end(self) -> None:
        self.daemon.terminate()
        self.daemon.wait(10)

    @staticmethod
    def _pactl(*command: str) -> None:
        subprocess.run(['pactl', *command], check=True, stdout=subprocess.DEVNULL, timeout=20)


@pytest.fixture
def pulse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pulse]:
    for name in ('XDG_RUNTIME_DIR', 'HOME', 'PULSE_SERVER'):
        monkeypatch.setenv(name, os.environ.get(name, ''))  # put back at the end
    for program in ('pulseaudio', 'pactl'):
        if not shutil.which(program):
            pytest.skip(f'NOT TESTED on a real driver: no {program} (requirements/apt-test.txt)')
    pytest.importorskip('pyaudio', reason='NOT TESTED on a real driver: no PyAudio')
    pulse = Pulse(tmp_path)
    try:
        if not pulse.up:
            pytest.skip('NOT TESTED on a real driver: pulseaudio does not start here')
        if not any(device.name == 'pulse' for device in list_devices()):
            pytest.skip('NOT TESTED on a real driver: ALSA has no "pulse" (libasound2-plugins)')
        yield pulse
    finally:
        pulse.end()


def until(condition: Callable[[], object], patience: float = 15.0) -> bool:
    end = time.monotonic() + patience
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


@pytest.fixture(name='until')
def until_fixture() -> Callable[..., bool]:
    return until
