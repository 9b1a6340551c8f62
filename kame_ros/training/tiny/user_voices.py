"""The users of the recipe: other voices than the robot's, in rooms of different noise, as codes."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np

from kame_ros.audio.frame import FRAME_SAMPLES, SAMPLE_RATE
from kame_ros.s2s.moshi.codec2 import Codec2Voice
from kame_ros.training.espeak import Utterance, Voice, speak
from kame_ros.training.tiny import lexicon
from kame_ros.training.tiny.robot_voice import QUIET

VOICES = tuple(
    Voice(name)
    for name in (
        'en-us+f1', 'en-us+f2', 'en-us+f4', 'en-us+m1', 'en-us+m4', 'en-us+m7',
        'en-gb-x-rp+f3', 'en-gb-scotland+m2', 'en-gb-x-gbclan', 'en-029+m3',
    )
)  # fmt: skip
HELD_OUT = (Voice('en-us+f5'), Voice('en-gb-x-gbcwmd+m5'))
NOISE_DB = (-96.0, -75.0, -60.0, -48.0)  # RMS of the room, of full scale
LEVEL_DB = (-24.0, -3.0)  # peak of the user
FRAMES_OF_ROOM = 600


class UserVoices:
    """Utterances and background noise for each room, encoded once, drawn again and again."""

    def __init__(self, rng: random.Random, voices: tuple[Voice, ...], per_room: int) -> None:
        self.rooms = len(NOISE_DB)
        noise = np.random.default_rng(rng.randrange(2**32))
        self._background = [
            encode(_noise(noise, level, FRAMES_OF_ROOM * FRAME_SAMPLES)) for level in NOISE_DB
        ]
        self._speech = [
            [
                encode(_in_room(utter(rng, rng.choice(voices)), rng, noise, level))
                for _ in range(per_room)
            ]
            for level in NOISE_DB
        ]

    def background(self, rng: random.Random, room: int, frames: int) -> np.ndarray:
        """Codes of `frames` in which the user is silent, int64[8, frames]."""
        all_codes = self._background[room]
        at = np.arange(frames) + rng.randrange(FRAMES_OF_ROOM)
        return all_codes[:, at % all_codes.shape[1]].copy()

    def utterance(self, rng: random.Random, room: int) -> np.ndarray:
        """Codes of something that the user says, int64[8, n], from its first to its last sound."""
        return rng.choice(self._speech[room])


def utter(rng: random.Random, voice: Voice) -> np.ndarray:
    """A question, or some words, at 24 kHz, without silence around it."""
    varied = replace(
        voice, rate=rng.randint(130, 200), pitch=rng.randint(25, 75), range=rng.randint(30, 70)
    )
    text = lexicon.question(rng) if rng.random() < 0.7 else lexicon.jumble(rng, 1, 8)
    sound = at_24_khz(speak(text, varied))
    loud = np.flatnonzero(np.abs(sound) > QUIET * np.abs(sound).max())
    return sound[loud[0] : loud[-1] + 1] / np.abs(sound).max()


def at_24_khz(utterance: Utterance) -> np.ndarray:
    """The sound of an utterance at the rate of the graph."""
    import soxr

    return np.asarray(soxr.resample(utterance.sound, utterance.rate, SAMPLE_RATE), np.float32)


def encode(sound: np.ndarray) -> np.ndarray:
    """Codes of float[n] at 24 kHz, int64[8, n / 1920]."""
    codec = Codec2Voice()
    whole = sound[: len(sound) // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
    return np.stack([codec.encode(frame) for frame in whole], axis=1)


def _in_room(
    sound: np.ndarray, rng: random.Random, noise: np.random.Generator, level: float
) -> np.ndarray:
    gain = 10 ** (rng.uniform(*LEVEL_DB) / 20)
    begin = rng.randrange(FRAME_SAMPLES)  # speech begins anywhere in a frame
    frames = -(-(begin + len(sound)) // FRAME_SAMPLES)
    whole = np.zeros(frames * FRAME_SAMPLES)
    whole[begin : begin + len(sound)] = sound * gain
    return whole + _noise(noise, level, len(whole))


def _noise(noise: np.random.Generator, level: float, samples: int) -> np.ndarray:
    return noise.standard_normal(samples) * 10 ** (level / 20)
