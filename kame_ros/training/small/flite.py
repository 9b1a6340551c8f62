"""Speech with the time of each word, from flite: five voices of recorded people, no network.

The library (`libflite1`, a BSD-like licence) is loaded at run time, and only to make training data.
"""

from __future__ import annotations

import ctypes
import ctypes.util
from dataclasses import dataclass
from functools import cache

import numpy as np

from kame_ros.training.small.espeak import SpokenUtterance

INSTALL = 'the recipe speaks with flite, which is not installed: run "apt install libflite1"'
_MELODY_HZ = {  # the mean and the deviation of each voice's own pitch
    'kal': (95.0, 11.0), 'kal16': (95.0, 11.0), 'awb': (127.0, 30.0), 'rms': (97.0, 15.0),
    'slt': (168.0, 40.0),
}  # fmt: skip
NAMES = tuple(_MELODY_HZ)
_BEGIN = b'R:SylStructure.daughter1.daughter1.R:Segment.p.end'


class FliteMissingError(RuntimeError):
    """The library of flite is not on this machine, or lacks a voice."""


@dataclass(frozen=True)
class FliteVoice:
    """How flite speaks: one of NAMES, times as slow, and times its own pitch and melody."""

    name: str = 'slt'
    stretch: float = 1.0
    pitch: float = 1.0
    melody: float = 1.0


class _Voice(ctypes.Structure):
    _fields_ = (('name', ctypes.c_char_p), ('features', ctypes.c_void_p))


class _Wave(ctypes.Structure):
    _fields_ = (
        ('type', ctypes.c_char_p),
        ('sample_rate', ctypes.c_int),
        ('num_samples', ctypes.c_int),
        ('num_channels', ctypes.c_int),
        ('samples', ctypes.POINTER(ctypes.c_short)),
    )


def speak(text: str, voice: FliteVoice) -> SpokenUtterance:
    """Speaks `text`. One thread at a time: the library has one state.

    Raises FliteMissingError without the library or the voice.
    """
    flite, own = _library(), _voice(voice.name)
    mean_hz, deviation_hz = _MELODY_HZ[voice.name]
    for name, value in (
        (b'duration_stretch', voice.stretch),
        (b'int_f0_target_mean', mean_hz * voice.pitch),
        (b'int_f0_target_stddev', deviation_hz * voice.melody),
    ):
        flite.feat_set_float(own.contents.features, name, ctypes.c_float(value))
    utterance = flite.flite_synth_text(text.encode(), own)
    if not utterance:
        return SpokenUtterance(np.zeros(0, np.float32), 16_000, ())
    try:
        wave = flite.utt_wave(utterance).contents
        sound = np.ctypeslib.as_array(wave.samples, (wave.num_samples,)).astype(np.float32)
        return SpokenUtterance(sound / 32768, wave.sample_rate, _starts(flite, utterance))
    finally:
        flite.delete_utterance(utterance)


def _starts(flite: ctypes.CDLL, utterance: int) -> tuple[float, ...]:
    """The second at which each word begins."""
    if not flite.utt_relation_present(utterance, b'Word'):
        return ()
    starts = []
    word = flite.relation_head(flite.utt_relation(utterance, b'Word'))
    while word:
        starts.append(float(flite.ffeature_float(word, _BEGIN)))
        word = flite.item_next(word)
    return tuple(starts)


@cache
def _library() -> ctypes.CDLL:
    try:
        flite = ctypes.CDLL(ctypes.util.find_library('flite') or 'libflite.so.1')
        for name in ('libflite_usenglish.so.1', 'libflite_cmulex.so.1'):
            ctypes.CDLL(name, ctypes.RTLD_GLOBAL)
    except OSError as error:
        raise FliteMissingError(INSTALL) from error
    pointer, text = ctypes.c_void_p, ctypes.c_char_p
    flite.flite_synth_text.argtypes = (text, ctypes.POINTER(_Voice))
    flite.flite_synth_text.restype = pointer
    flite.utt_wave.argtypes, flite.utt_wave.restype = (pointer,), ctypes.POINTER(_Wave)
    flite.delete_utterance.argtypes = (pointer,)
    flite.utt_relation.argtypes, flite.utt_relation.restype = (pointer, text), pointer
    flite.utt_relation_present.argtypes = (pointer, text)
    flite.item_next.argtypes, flite.item_next.restype = (pointer,), pointer
    flite.relation_head.argtypes, flite.relation_head.restype = (pointer,), pointer
    flite.ffeature_float.argtypes, flite.ffeature_float.restype = (pointer, text), ctypes.c_float
    flite.feat_set_float.argtypes = (pointer, text, ctypes.c_float)
    flite.flite_init()
    return flite


@cache
def _voice(name: str) -> ctypes._Pointer[_Voice]:
    _library()
    if name not in _MELODY_HZ:
        raise FliteMissingError(f'flite has no voice {name!r}; it has {", ".join(NAMES)}')
    try:
        library = ctypes.CDLL(f'libflite_cmu_us_{name}.so.1')
    except OSError as error:
        raise FliteMissingError(INSTALL) from error
    register = getattr(library, f'register_cmu_us_{name}')
    register.argtypes, register.restype = (ctypes.c_void_p,), ctypes.POINTER(_Voice)
    return register(None)
