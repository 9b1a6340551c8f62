"""The sound cards of this machine, through PortAudio."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

# PortAudio crashes where two threads open, close or list at the same time.
PORTAUDIO_LOCK = threading.RLock()
INSTALL = 'apt-get install portaudio19-dev gcc && pip install pyaudio (or make setup-devices)'


class DeviceError(OSError):
    """A sound device that cannot be used; the text says why and what there is instead."""


@dataclass(frozen=True)
class Device:
    """A sound device: its number, name, and native format."""

    index: int
    name: str
    inputs: int  # channels
    outputs: int  # channels
    sample_rate: int  # Hz, the device's own
    api: str = ''
    default_input: bool = False
    default_output: bool = False

    def __str__(self) -> str:
        uses = [f'{self.inputs} in'] * (self.inputs > 0) + [f'{self.outputs} out'] * (
            self.outputs > 0
        )
        default = ', default' if self.default_input or self.default_output else ''
        facts = f'{self.api}, {", ".join(uses)}, {self.sample_rate} Hz{default}'
        return f'{self.index}: {self.name} ({facts})'


def portaudio() -> Any:
    """A PyAudio instance, to be ended with `terminate()`; raises DeviceError where it is absent."""
    try:
        import pyaudio
    except ImportError as error:
        raise DeviceError(f'PyAudio is not installed; get it with: {INSTALL}') from error
    _hush()
    return pyaudio.PyAudio()


def list_devices() -> list[Device]:
    """All devices, in the order of their numbers; empty on a machine without a sound card."""
    with PORTAUDIO_LOCK:
        audio = portaudio()
        try:
            return devices_of(audio)
        finally:
            audio.terminate()


def devices_of(audio: Any) -> list[Device]:
    """The devices that a PyAudio instance knows."""

    def default(which: str) -> int:
        with suppress(OSError):  # there is none
            return int(getattr(audio, f'get_default_{which}_device_info')()['index'])
        return -1

    default_in, default_out = default('input'), default('output')
    devices = []
    for index in range(audio.get_device_count()):
        info = audio.get_device_info_by_index(index)
        devices.append(
            Device(
                index,
                str(info['name']),
                int(info['maxInputChannels']),
                int(info['maxOutputChannels']),
                int(info['defaultSampleRate']),
                str(audio.get_host_api_info_by_index(info['hostApi'])['name']),
                index == default_in,
                index == default_out,
            )
        )
    return devices


def find_device(devices: Sequence[Device], wanted: str | int = '', *, output: bool) -> Device:
    """The device of this number or name, else one whose name holds it; '' is the default.

    Raises DeviceError with the list of devices where there is none, or where it cannot do it.
    """
    kind = 'loudspeaker' if output else 'microphone'
    usable = [d for d in devices if (d.outputs if output else d.inputs) > 0]
    if not usable:
        raise DeviceError(f'this machine has no {kind}')
    there_are = f'there are: {"; ".join(str(d) for d in usable)}'
    text = str(wanted).strip()
    if not text:
        chosen = [d for d in usable if (d.default_output if output else d.default_input)]
        return (chosen or usable)[0]
    if text.isdigit():
        chosen = [d for d in usable if d.index == int(text)]
    else:
        name = text.casefold()
        chosen = [d for d in usable if d.name.casefold() == name]
        chosen = chosen or [d for d in usable if name in d.name.casefold()]
    if not chosen:
        raise DeviceError(f'no {kind} {text!r}; {there_are}')
    return chosen[0]


def _hush() -> None:
    """PortAudio probes what is not there, and ALSA and JACK complain of each on stderr.

    The signatures are those of `snd_lib_error_handler_t` (alsa/error.h) and of
    `jack_set_error_function` (jack/jack.h).
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL('libasound.so.2').snd_lib_error_set_handler(_on_alsa)
    with suppress(OSError, AttributeError):
        jack = ctypes.CDLL('libjack.so.0')
        jack.jack_set_error_function(_on_jack)
        jack.jack_set_info_function(_on_jack)


# They must live as long as the libraries may call them.
_on_alsa = ctypes.CFUNCTYPE(
    None, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p
)(lambda *message: None)
_on_jack = ctypes.CFUNCTYPE(None, ctypes.c_char_p)(lambda message: None)
