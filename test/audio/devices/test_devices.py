"""Which device is meant, and what is said where there is none."""

from __future__ import annotations

import json
import sys
from argparse import Namespace

import pytest

from kame_ros.audio.devices.device_sink import DeviceSink
from kame_ros.audio.devices.device_source import DeviceSource
from kame_ros.audio.devices.devices import Device, DeviceError, find_device, list_devices
from kame_ros.commands.devices import devices as kame_devices

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


def test_a_missing_pyaudio_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'pyaudio', None)
    for use in (list_devices, DeviceSource().prepare, DeviceSink().open):
        with pytest.raises(DeviceError, match='pip install pyaudio'):
            use()


def test_the_list(fake) -> None:
    assert [str(d) for d in list_devices()] == [
        '0: USB Mic (Fake, 1 in, 48000 Hz, default)',
        '1: ReSpeaker 4 Mic Array (Fake, 4 in, 16000 Hz)',
        '2: USB Speaker (Fake, 2 out, 44100 Hz)',
    ]
    assert fake.terminated == 1


def test_the_command_lists_them(fake, capsys: pytest.CaptureFixture[str]) -> None:
    assert kame_devices(Namespace(json=False)) == 0
    text = capsys.readouterr().out
    for word in ('USB Mic', 'ReSpeaker', '16000', 'default microphone'):
        assert word in text
    assert kame_devices(Namespace(json=True)) == 0
    assert [device['index'] for device in json.loads(capsys.readouterr().out)] == [0, 1, 2]


def test_the_command_on_a_machine_without_sound(fake, capsys: pytest.CaptureFixture[str]) -> None:
    fake.plugged = False
    assert kame_devices(Namespace(json=False)) == 1
    assert 'source=topic' in capsys.readouterr().err


@pytest.mark.parametrize('cls', [DeviceSource, DeviceSink])
def test_a_busy_device_is_an_error_with_the_list(fake, cls) -> None:
    fake.busy = True
    with pytest.raises(DeviceError, match=r'cannot be opened.*busy.*there are: 0: USB Mic'):
        cls().prepare()
    assert fake.terminated == 1


def test_as_few_channels_as_the_device_can_do(fake, clock) -> None:
    DeviceSource(clock=clock).open()
    assert fake.asked['channels'] == 1
    sink = DeviceSink(clock=clock)
    sink.open()
    assert (fake.asked['channels'], fake.asked['rate']) == (2, 44_100)


def test_what_cannot_be(fake) -> None:
    with pytest.raises(DeviceError, match='has 1 channels, not 2'):
        DeviceSource(channels=2).prepare()
    with pytest.raises(ValueError, match='channel 4'):
        DeviceSource(channels=4, channel=4)
    with pytest.raises(ValueError, match='no channel 4'):
        DeviceSource('array', channel=4).prepare()
    with pytest.raises(ValueError, match='sample format'):
        DeviceSink(sample_format='int8')
    assert isinstance(DeviceError(), OSError)  # what base.py shows without a traceback
