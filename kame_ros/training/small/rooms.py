"""The rooms in which users speak: how loud, with which noise, with which echo of the walls."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np

from kame_ros.wire.frame import SAMPLE_RATE

NOISE_DB = (-96.0, -75.0, -60.0, -48.0)  # RMS of the room's noise, of full scale
NOISES = ('white', 'pink', 'people')
ROOMS = len(NOISE_DB) * len(NOISES)  # room = 3 * loudness + kind of noise
PEAK_DB = (-24.0, -3.0)  # of the user
_LOOP_S = 20.0
_ECHO_S = (0.1, 0.25)  # the time in which the echo falls by 60 dB
_ECHO_DB = (-24.0, -10.0)  # of the echo, to what is heard directly


class Rooms:
    """Noise of each room, made once and played in a loop from anywhere."""

    def __init__(self, seed: int, voices: Sequence[np.ndarray]) -> None:
        """`voices`: some utterances at 24 kHz, of which the noise of people is made."""
        self._random = np.random.default_rng(seed)
        samples = round(_LOOP_S * SAMPLE_RATE)
        made = (self._random.standard_normal(samples), self._pink(samples))
        self._loops = [_unit(loop) for loop in (*made, self._people(samples, voices))]

    def noise(self, room: int, samples: int, begin: int | None = None) -> np.ndarray:
        """float[samples] of what is heard in an empty room, 0 to 11, from anywhere or `begin` on.

        It goes on as a loop: samples 0 to 9, and then 10 to 19, are samples 0 to 19.
        """
        loudness, kind = divmod(room, len(NOISES))
        loop = self._loops[kind]
        begin = int(self._random.integers(len(loop))) if begin is None else begin
        at = (begin + np.arange(samples)) % len(loop)
        return np.asarray(loop[at] * 10 ** (NOISE_DB[loudness] / 20))

    def echo(self, rng: random.Random, sound: np.ndarray) -> np.ndarray:
        """The sound as it comes back from near walls, as long as it was: half of them are bare."""
        if rng.random() < 0.5:
            return sound
        fall_s = rng.uniform(*_ECHO_S)
        taps = round(fall_s * SAMPLE_RATE)
        tail = self._random.standard_normal(taps) * 10 ** (-3 * np.arange(taps) / taps)
        tail[: SAMPLE_RATE // 250] = 0  # the nearest wall answers after 4 ms
        tail *= 10 ** (rng.uniform(*_ECHO_DB) / 20) / np.sqrt((tail**2).sum())
        size = len(sound) + taps
        back = np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(tail, size), size)
        return np.asarray(sound + back[: len(sound)])

    def _pink(self, samples: int) -> np.ndarray:
        spectrum = np.fft.rfft(self._random.standard_normal(samples))
        hertz = np.fft.rfftfreq(samples, 1 / SAMPLE_RATE)
        return np.asarray(np.fft.irfft(spectrum / np.sqrt(np.maximum(hertz, 30.0)), samples))

    def _people(self, samples: int, voices: Sequence[np.ndarray]) -> np.ndarray:
        """Many voices played backwards, so that nothing is a word, and the hum of a machine."""
        whole = np.zeros(samples)
        for _ in range(60 if len(voices) else 0):
            voice = voices[int(self._random.integers(len(voices)))][::-1]
            at = (self._random.integers(samples) + np.arange(len(voice))) % samples
            whole[at] += _unit(voice) * self._random.uniform(0.3, 1)
        t = np.arange(samples) / SAMPLE_RATE
        hum = sum(np.sin(2 * np.pi * 50 * k * t) / k for k in range(1, 6))
        return np.asarray(whole + 0.3 * hum + 0.3 * _unit(self._pink(samples)))


def gain(rng: random.Random, peak_db: tuple[float, float] = PEAK_DB) -> float:
    """How loud somebody speaks whose highest peak is 1."""
    return float(10 ** (rng.uniform(*peak_db) / 20))


def _unit(sound: np.ndarray) -> np.ndarray:
    return np.asarray(sound / np.sqrt((sound**2).mean()))
