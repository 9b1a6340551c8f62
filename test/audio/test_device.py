"""Devices against a PortAudio of the test's own, and against PulseAudio's null sinks if present."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from kame_ros.audio.device import DeviceSink, DeviceSource
from kame_ros.audio.devices import Device, DeviceError, find_device, list_devices
from kame_ros.audio.frame import FRAME_S, FRAME_SAMPLES, Frame
from kame_ros.audio.sink import Sink
from kame_ros.audio.source import Source

MIC = Device(0, 'USB Mic', 1, 0, 48_000, default_input=True)
ARRAY = Device(1, 'ReSpeaker 4 Mic Array', 4, 0, 16_000)
SPEAKER = Device(2, 'USB Speaker', 0, 2, 44_100, default_output=True)
ALL = [MIC, ARRAY, SPEAKER]


@pytest.mark.parametrize(
    ('wanted', 'output', 'found'),
    [
        ('', False, MIC),
        ('', True, SPEAKER),
        (1, False, ARRAY),
        ('1', False, ARRAY),
        ('usb mic', False, MIC),
        ('respeaker', False, ARRAY),
        ('USB', True, SPEAKER),
    ],
)
def test_find(wanted: str | int, output: bool, found: Device) -> None:
    assert find_device(ALL, wanted, output=output) == found


@pytest.mark.parametrize(
    ('devices', 'wanted', 'output', 'reason'),
    [
        ([], '', False, 'no microphone'),
        ([MIC], '', True, 'no loudspeaker'),
        (ALL, 'nonsense', False, "no microphone 'nonsense'; there are: 0: USB Mic"),
        (ALL, 2, False, "no microphone '2'"),
    ],
)
def test_absent_devices_are_named(devices, wanted, output: bool, reason: str) -> None:
    with pytest.raises(DeviceError, match=reason):
        find_device(devices, wanted, output=output)


class FakeStream:
    def __init__(self, callback) -> None:
        self.callback = callback
        self.closed = False

    def stop_stream(self) -> None:
        pass

    def close(self) -> None:
        self.closed = True

    def get_output_latency(self) -> float:
        return 0.01


class FakePortAudio:
    """Opens any device and lets the test be the driver."""

    def __init__(self) -> None:
        self.streams: list[FakeStream] = []
        self.asked: dict = {}
        self.terminated = 0
        self.busy = False

    def get_device_count(self) -> int:
        return len(ALL)

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
        self.streams.append(FakeStream(asked['stream_callback']))
        return self.streams[-1]

    def terminate(self) -> None:
        self.terminated += 1


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakePortAudio:
    fake = FakePortAudio()
    module = SimpleNamespace(PyAudio=lambda: fake, paInt16=8)
    monkeypatch.setitem(sys.modules, 'pyaudio', module)
    return fake


class Clock:
    """Stands still unless the test moves it: reading from a device must not need the time."""

    t = 50.0

    def __call__(self) -> float:
        return self.t


def record(stream: FakeStream, samples: np.ndarray, block: int) -> None:
    """The driver hears int16[n, channels]."""
    for start in range(0, len(samples), block):
        stream.callback(samples[start : start + block].tobytes(), block, {}, 0)


def test_a_missing_pyaudio_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'pyaudio', None)
    for use in (list_devices, DeviceSource().open, DeviceSink().open):
        with pytest.raises(DeviceError, match='pip install pyaudio'):
            use()


def test_the_list(fake: FakePortAudio) -> None:
    assert [str(d) for d in list_devices()] == [
        '0: USB Mic (Fake, 1 in, 48000 Hz, default)',
        '1: ReSpeaker 4 Mic Array (Fake, 4 in, 16000 Hz)',
        '2: USB Speaker (Fake, 2 out, 44100 Hz)',
    ]
    assert fake.terminated == 1


def test_blocks_of_20_ms_become_frames_of_80(fake: FakePortAudio) -> None:
    source: Source = DeviceSource(rate=24_000, clock=Clock())
    source.open()
    assert (fake.asked['frames_per_buffer'], fake.asked['input_device_index']) == (480, 0)
    sound = np.arange(2 * FRAME_SAMPLES).astype(np.int16)
    record(fake.streams[0], sound[:, None], 480)
    frames = [source.read(), source.read()]
    assert [(f.seq, f.t) for f in frames] == [(0, 50.0), (1, 50.0 + FRAME_S)]
    assert np.array_equal(np.concatenate([f.samples for f in frames]), sound)
    source.close()
    source.close()
    assert fake.streams[0].closed
    assert fake.terminated == 1


@pytest.mark.parametrize(('channel', 'level'), [(0, 1_000), (3, 4_000), (-1, 2_500)])
def test_an_array_at_its_own_rate(fake: FakePortAudio, channel: int, level: int) -> None:
    source = DeviceSource('array', channels=4, channel=channel, clock=Clock())
    source.open()
    assert fake.asked['rate'] == 16_000
    sound = np.tile(np.array([[1_000, 2_000, 3_000, 4_000]], np.int16), (6_400, 1))
    record(fake.streams[0], sound, 320)
    samples = np.concatenate([source.read().samples for _ in range(4)])
    assert np.allclose(samples[2_000:], level, atol=2)


def test_a_reader_that_sleeps_loses_the_oldest_and_counts(fake: FakePortAudio) -> None:
    source = DeviceSource(rate=24_000, clock=Clock())
    source.open()
    sound = np.repeat(np.arange(40, dtype=np.int16), 480)
    record(fake.streams[0], sound[:, None], 480)
    assert source.read().samples[0] == 15
    assert source.counters()['blocks_dropped'] == 15


def test_a_dead_microphone_is_silence_in_rhythm(fake: FakePortAudio) -> None:
    clock = Clock()
    source = DeviceSource(rate=24_000, clock=clock)
    source.open()
    clock.t += 1.0  # nothing came for so long
    for k in range(7):
        frame = source.read()
        assert frame.seq == k
        assert not frame.samples.any()
    assert source.counters()['frames_silent'] == 7
    record(fake.streams[0], np.ones((FRAME_SAMPLES, 1), np.int16), 480)
    assert source.read().samples.all()


def test_a_loudspeaker_plays_all_channels_in_order(fake: FakePortAudio) -> None:
    sink: Sink = DeviceSink(rate=24_000, channels=2, clock=Clock())
    sink.open()
    sound = np.arange(2 * FRAME_SAMPLES).astype(np.int16)
    callback = fake.streams[0].callback
    assert callback(None, 480, {}, 0) == (bytes(480 * 4), 0)
    for k in range(2):
        t = sink.wait()
        assert t == pytest.approx(50.0 + 0.01 + k * FRAME_S)
        sink.write(Frame(k, t, sound[k * FRAME_SAMPLES : (k + 1) * FRAME_SAMPLES]))
    data = b''.join(callback(None, 480, {}, 0)[0] for _ in range(8))
    played = np.frombuffer(data, np.int16).reshape(-1, 2)
    assert np.array_equal(played[:, 0], sound)
    assert np.array_equal(played[:, 1], sound)
    assert sink.counters()['blocks_missing'] == 0
    callback(None, 480, {}, 0)
    assert sink.counters()['blocks_missing'] == 1


def test_a_loudspeaker_sets_the_rhythm(fake: FakePortAudio) -> None:
    sink = DeviceSink(rate=24_000, channels=1, clock=Clock())
    sink.open()
    done = []

    def own() -> None:
        for k in range(5):
            sink.write(Frame(k, sink.wait()))
            done.append(k)

    thread = threading.Thread(target=own)
    thread.start()
    for played in range(4 * 3 + 1):  # with each four blocks played one more frame is taken
        while len(done) < 2 + played // 4 and thread.is_alive():
            time.sleep(0.001)
        assert len(done) == 2 + played // 4
        fake.streams[0].callback(None, 480, {}, 0)
    thread.join(5)
    assert done == [0, 1, 2, 3, 4]


def test_a_dead_loudspeaker_does_not_stop_the_conversation(fake: FakePortAudio) -> None:
    sink = DeviceSink(rate=24_000, clock=time.monotonic)
    sink.open()
    start = time.monotonic()
    for k in range(10):
        sink.write(Frame(k, sink.wait()))
    assert time.monotonic() - start >= 0.3 + 7 * FRAME_S - 0.01
    assert sink.counters()['blocks_dropped'] == 40 - 25


@pytest.mark.parametrize('cls', [DeviceSource, DeviceSink])
def test_a_busy_device_is_an_error_with_the_list(fake: FakePortAudio, cls) -> None:
    fake.busy = True
    with pytest.raises(DeviceError, match=r'cannot be opened.*busy.*there are: 0: USB Mic'):
        cls().open()
    assert fake.terminated == 1


def test_as_few_channels_as_the_device_can_do(fake: FakePortAudio) -> None:
    DeviceSource(clock=Clock()).open()
    assert fake.asked['channels'] == 1
    sink = DeviceSink(clock=Clock())
    sink.open()
    assert (fake.asked['channels'], fake.asked['rate']) == (2, 44_100)


def test_too_many_channels(fake: FakePortAudio) -> None:
    with pytest.raises(DeviceError, match='has 1 channels, not 2'):
        DeviceSource(channels=2).open()
    with pytest.raises(ValueError, match='channel 4'):
        DeviceSource(channels=4, channel=4)


PULSE = """
load-module module-native-protocol-unix
load-module module-null-sink sink_name=loop rate=24000 channels=1 format=s16le norewinds=1
load-module module-remap-source source_name=mic master=loop.monitor
set-default-sink loop
set-default-source mic
"""


@pytest.fixture
def pulse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A PulseAudio of the test's own: what is played on `loop` is heard on `mic`."""
    if not shutil.which('pulseaudio'):
        pytest.skip('no pulseaudio here')
    pytest.importorskip('pyaudio')
    for name in ('XDG_RUNTIME_DIR', 'HOME'):
        (tmp_path / name).mkdir(mode=0o700)
        monkeypatch.setenv(name, str(tmp_path / name))
    (tmp_path / 'test.pa').write_text(PULSE)
    daemon = subprocess.Popen(
        ['pulseaudio', '--daemonize=no', '--exit-idle-time=-1', '-n', '-F', tmp_path / 'test.pa'],
        stderr=subprocess.DEVNULL,
    )
    socket = tmp_path / 'XDG_RUNTIME_DIR' / 'pulse' / 'native'
    monkeypatch.setenv('PULSE_SERVER', f'unix:{socket}')
    try:
        deadline = time.monotonic() + 10
        while not socket.exists() and daemon.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        if not socket.exists():
            pytest.skip('pulseaudio does not start here')
        yield
    finally:
        daemon.terminate()
        daemon.wait(10)


@pytest.mark.parametrize('rate', [24_000, 48_000])
def test_a_tone_goes_through_a_real_driver(pulse: None, rate: int) -> None:
    if not any(device.name == 'pulse' for device in list_devices()):
        pytest.skip('ALSA has no device "pulse" here (libasound2-plugins)')
    source, sink = DeviceSource('pulse', rate=rate), DeviceSink('pulse', rate=rate, channels=2)
    source.open()
    sink.open()
    heard: list[np.ndarray] = []
    thread = threading.Thread(target=lambda: heard.extend(source.read().samples for _ in range(35)))
    thread.start()
    wave = 8_000 * np.sin(2 * np.pi * 440 * np.arange(25 * FRAME_SAMPLES) / 24_000)
    for k, samples in enumerate(wave.astype(np.int16).reshape(25, FRAME_SAMPLES)):
        sink.write(Frame(k, sink.wait(), samples))
    thread.join(10)
    sink.close()
    source.close()
    sound = np.concatenate(heard).astype(float)
    voiced = np.flatnonzero(np.abs(sound) > 500)
    assert (voiced[-1] - voiced[0]) / 24_000 >= 1.5
    middle = sound[voiced[0] + 2_000 : voiced[0] + 26_000]
    assert np.argmax(np.abs(np.fft.rfft(middle * np.hanning(len(middle))))) == 440
    assert source.counters()['blocks_dropped'] == sink.counters()['blocks_dropped'] == 0
    assert source.counters()['frames_silent'] == 0
    assert 'PULSE_SERVER' in os.environ
