"""Codec2 700C with the token shape of Mimi: 8 codes for each 80 ms, and sound back. No torch.

Codec2 needs no weights: it is a vocoder of 700 bit/s that Debian and Ubuntu bring as a library
(`libcodec2-1.0`, LGPL-2.1, loaded at run time and never linked). Two of its frames of 40 ms hold
4 fields each (codec2.c of drowe67/codec2, codec2_encode_700c): spectrum in two stages (9 + 9 bits),
energy (4) and pitch (6). So 8 codes of at most 512 values at 12.5 Hz.
"""

from __future__ import annotations

import ctypes
import ctypes.util
from functools import cache

import numpy as np

MODE_700C = 8
BITS = (9, 9, 4, 6)  # of the fields of a codec frame, in the order they are packed
CARDS = tuple(1 << bits for bits in BITS) * 2  # values of each of the 8 codes
CARD = max(CARDS)
CODEBOOKS = len(CARDS)
FRAME_8K = 640  # samples of 80 ms at 8 kHz
_HALF = FRAME_8K // 2  # samples of a codec frame
_BYTES = 4  # 28 bits
UP = 3  # 24 kHz / 8 kHz
TAPS = 32 * UP + 1  # of the low-pass filter between 8 and 24 kHz: 2 ms of delay
APT = 'apt install libcodec2-1.0 (Debian 12, Ubuntu 22.04) or libcodec2-1.2 (Ubuntu 24.04)'
INSTALL = f'this model speaks through Codec2, whose library is not installed: {APT}'


class Codec2MissingError(RuntimeError):
    """The library of Codec2 is not on this machine."""


@cache
def _library() -> ctypes.CDLL:
    name = ctypes.util.find_library('codec2')
    try:
        library = ctypes.CDLL(name or 'libcodec2.so.1.0')
    except OSError as error:
        raise Codec2MissingError(INSTALL) from error
    library.codec2_create.restype = ctypes.c_void_p
    library.codec2_create.argtypes = [ctypes.c_int]
    library.codec2_destroy.argtypes = [ctypes.c_void_p]
    for function in (library.codec2_encode, library.codec2_decode):
        function.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]
        function.restype = None
    library.codec2_samples_per_frame.argtypes = [ctypes.c_void_p]
    return library


class Codec2:
    """One direction of one voice at 8 kHz: the codec remembers what it heard or spoke."""

    def __init__(self) -> None:
        """Raises Codec2MissingError without the library, or with one that lacks the mode 700C."""
        self._library = _library()
        self._state = self._library.codec2_create(MODE_700C)
        if not self._state or self._library.codec2_samples_per_frame(self._state) != _HALF:
            raise Codec2MissingError('this Codec2 library has no mode 700C: install a newer one')

    def __del__(self) -> None:
        if getattr(self, '_state', None):
            self._library.codec2_destroy(self._state)

    def encode(self, samples: np.ndarray) -> np.ndarray:
        """Takes int16[640] at 8 kHz, gives the codes of 80 ms, int64[8]."""
        sound = np.ascontiguousarray(samples, np.int16)
        if sound.shape != (FRAME_8K,):
            raise ValueError(f'a frame has {FRAME_8K} samples at 8 kHz, not {sound.shape}')
        fields: list[int] = []
        packed = np.zeros(_BYTES, np.uint8)
        for half in (sound[:_HALF], sound[_HALF:]):
            self._library.codec2_encode(self._state, packed.ctypes.data, half.ctypes.data)
            fields += unpack(packed)
        return np.array(fields, np.int64)

    def decode(self, codes: np.ndarray) -> np.ndarray:
        """Takes the codes of 80 ms, [8], gives int16[640] at 8 kHz.

        A code above what its field can hold, which only an untrained model gives, is cut to it.
        """
        if np.shape(codes) != (CODEBOOKS,):
            raise ValueError(f'a frame has {CODEBOOKS} codes, not {np.shape(codes)}')
        sound = np.zeros(FRAME_8K, np.int16)
        fields = [min(max(int(code), 0), card - 1) for code, card in zip(codes, CARDS, strict=True)]
        for part, half in ((fields[:4], sound[:_HALF]), (fields[4:], sound[_HALF:])):
            packed = pack(part)
            self._library.codec2_decode(self._state, half.ctypes.data, packed.ctypes.data)
        return sound


def pack(fields: list[int]) -> np.ndarray:
    """The 4 fields of a codec frame as its 28 bits, first bit highest, uint8[4]."""
    word = 0
    for value, bits in zip(fields, BITS, strict=True):
        word = word << bits | value
    return np.frombuffer((word << 4).to_bytes(_BYTES, 'big'), np.uint8).copy()


def unpack(packed: np.ndarray) -> list[int]:
    """The 4 fields of a codec frame of 28 bits; undoes `pack`."""
    word = int.from_bytes(packed.tobytes(), 'big') >> 4
    fields = []
    for bits in reversed(BITS):
        fields.append(word & ((1 << bits) - 1))
        word >>= bits
    return fields[::-1]


def _low_pass() -> np.ndarray:
    """A windowed sinc that lets 0 to 3.7 kHz pass at 24 kHz; its sum is 1."""
    n = np.arange(TAPS) - TAPS // 2
    taps = np.sinc(2 * 3700 / 24000 * n) * np.blackman(TAPS)
    return np.asarray(taps / taps.sum(), np.float64)


class Codec2Voice:
    """Both directions of one robot at 24 kHz, frame by frame: hears 1920 samples, speaks 1920."""

    def __init__(self) -> None:
        self._taps = _low_pass()
        self.reset()

    def reset(self) -> None:
        """Forgets the past, as at the beginning of a session."""
        self._ears, self._mouth = Codec2(), Codec2()
        self._heard = np.zeros(TAPS - 1)
        self._spoken = np.zeros(TAPS - 1)

    def encode(self, samples: np.ndarray) -> np.ndarray:
        """Takes float[1920] at 24 kHz in -1 to 1, gives the codes, int64[8]."""
        sound = np.concatenate([self._heard, samples])
        self._heard = sound[-(TAPS - 1) :]
        low = np.convolve(sound, self._taps, 'valid')[::UP]
        return self._ears.encode(np.clip(np.round(low * 32767), -32768, 32767).astype(np.int16))

    def decode(self, codes: np.ndarray) -> np.ndarray:
        """Takes the codes of a frame, [8], gives float32[1920] at 24 kHz."""
        sparse = np.zeros(FRAME_8K * UP)
        sparse[::UP] = self._mouth.decode(codes) / 32768
        sound = np.concatenate([self._spoken, sparse])
        self._spoken = sound[-(TAPS - 1) :]
        return (np.convolve(sound, self._taps, 'valid') * UP).astype(np.float32)
