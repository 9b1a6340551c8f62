"""Speech with the time of each word, from espeak-ng: many voices, no weights, no network.

The library (`libespeak-ng1`, GPL-3) is loaded at run time, and only to make training data.
"""

from __future__ import annotations

import ctypes
import ctypes.util
from dataclasses import dataclass
from functools import cache

import numpy as np

INSTALL = (
    'the recipe speaks with espeak-ng, which is not installed: run "apt install libespeak-ng1"'
)
_SYNCHRONOUS = 2
_WORD = 1
_RATE, _VOLUME, _PITCH, _RANGE = 1, 2, 3, 4
_UTF8 = 1


class EspeakMissingError(RuntimeError):
    """The library of espeak-ng is not on this machine, or lacks a voice."""


class _Event(ctypes.Structure):
    _fields_ = (
        ('type', ctypes.c_int),
        ('unique', ctypes.c_uint),
        ('text_position', ctypes.c_int),
        ('length', ctypes.c_int),
        ('audio_position', ctypes.c_int),
        ('sample', ctypes.c_int),
        ('user', ctypes.c_void_p),
        ('id', ctypes.c_char * 8),
    )


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


@dataclass(frozen=True)
class EspeakVoice:
    """How espeak-ng speaks: its name for a voice, words a minute, pitch and its range, 0 to 99."""

    name: str = 'en-us'
    rate: int = 160
    pitch: int = 50
    range: int = 50


@dataclass(frozen=True)
class SpokenUtterance:
    """Speech and the second at which each of its words begins."""

    sound: np.ndarray  # float32 in -1 to 1
    rate: int  # Hz
    starts: tuple[float, ...]


@cache
def _library() -> tuple[ctypes.CDLL, int]:
    try:
        library = ctypes.CDLL(ctypes.util.find_library('espeak-ng') or 'libespeak-ng.so.1')
    except OSError as error:
        raise EspeakMissingError(INSTALL) from error
    rate = library.espeak_Initialize(_SYNCHRONOUS, 0, None, 0)
    if rate <= 0:
        raise EspeakMissingError('espeak-ng finds no data: run "apt install espeak-ng-data"')
    return library, int(rate)


def speak(text: str, voice: EspeakVoice) -> SpokenUtterance:
    """Speaks `text`. One thread at a time: the library has one state.

    Raises EspeakMissingError without the library or the voice.
    """
    library, rate = _library()
    if library.espeak_SetVoiceByName(voice.name.encode()) != 0:
        raise EspeakMissingError(f'espeak-ng has no voice {voice.name!r}')
    for parameter, value in ((_RATE, voice.rate), (_PITCH, voice.pitch), (_RANGE, voice.range)):
        library.espeak_SetParameter(parameter, value, 0)
    sound: list[np.ndarray] = []
    starts: list[float] = []

    def collect(samples: object, count: int, events: object) -> int:
        if samples and count > 0:
            sound.append(np.ctypeslib.as_array(samples, (count,)).astype(np.float32))  # type: ignore[arg-type]
        at = 0
        while events[at].type:  # type: ignore[index]  # the list ends with a 0
            if events[at].type == _WORD:  # type: ignore[index]
                starts.append(events[at].audio_position / 1000)  # type: ignore[index]
            at += 1
        return 0

    callback = _Callback(collect)
    library.espeak_SetSynthCallback(callback)
    data = text.encode()
    library.espeak_Synth(data, len(data) + 1, 0, 1, 0, _UTF8, None, None)
    library.espeak_Synchronize()
    whole = np.concatenate(sound) if sound else np.zeros(0, np.float32)
    return SpokenUtterance(whole / 32768, rate, tuple(starts))
