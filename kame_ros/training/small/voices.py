"""The voices of users in training, from free synthesisers; some are kept for measuring."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from kame_ros.s2s.tts.voice import HibariVoice
from kame_ros.training.small import espeak, flite
from kame_ros.training.small.espeak import EspeakVoice, SpokenUtterance
from kame_ros.training.small.flite import FliteMissingError, FliteVoice
from kame_ros.wire.frame import SAMPLE_RATE

QUIET = 0.02  # of the peak: what is below at an end is no speech


@dataclass(frozen=True)
class WarpedHibari:
    """The robot's own voice in another throat: it brings the melody of people."""

    ratio: float  # of pitch and formants
    tempo: float = 1.0


Voice = EspeakVoice | FliteVoice | WarpedHibari

TRAINING: tuple[Voice, ...] = (
    *(
        EspeakVoice(name)
        for name in (
            'en-us+f1', 'en-us+f2', 'en-us+f4', 'en-us+m1', 'en-us+m4', 'en-us+m7',
            'en-gb-x-rp+f3', 'en-gb-scotland+m2', 'en-gb-x-gbclan', 'en-029+m3', 'en-us+steph',
            'en-gb-x-rp+linda', 'en-us-nyc+max', 'en-us+belinda', 'en-gb-scotland+adam',
            'en-us+marcelo', 'en-gb-x-rp+ed', 'en-us+anika', 'en-gb-x-rp+john', 'en-us+victor',
        )
    ),
    *(FliteVoice(name) for name in ('slt', 'slt', 'awb', 'awb', 'kal16', 'kal')),
    *(WarpedHibari(ratio) for ratio in (0.68, 0.75, 0.82, 0.9, 1.1, 1.2)),
)  # fmt: skip
HELD_OUT: tuple[Voice, ...] = (
    EspeakVoice('en-us+f5'),
    EspeakVoice('en-gb-x-gbcwmd+m5'),
    FliteVoice('rms'),
)


def present(voices: Sequence[Voice]) -> tuple[Voice, ...]:
    """Those that this machine can speak with; without flite the others go on alone.

    Raises EspeakMissingError without espeak-ng: its voices are most of them.
    """
    espeak.speak('yes', EspeakVoice())
    try:
        flite.speak('yes', FliteVoice())
    except FliteMissingError:
        return tuple(voice for voice in voices if not isinstance(voice, FliteVoice))
    return tuple(voices)


@dataclass(frozen=True)
class Spoken:
    """float[n] at 24 kHz with peak 1, from its first to its last sound; where each word begins."""

    sound: np.ndarray
    starts: tuple[int, ...]  # samples


@dataclass(frozen=True)
class Talker:
    """One person: a voice as it speaks all of an utterance, and what it is heard through."""

    voice: Voice
    warp: float = 1.0  # of pitch and formants
    line_hz: int = 0  # rate of a microphone or a line before ours; 0: none

    def say(self, text: str) -> Spoken:
        """Speaks `text`.

        Raises EspeakMissingError, FliteMissingError or MissingWeights; ValueError if nothing
        sounds.
        """
        spoken = _spoken(text, self.voice)
        sound = _resampled(spoken.sound, spoken.rate * self.warp, SAMPLE_RATE)
        if 0 < self.line_hz < spoken.rate:
            narrow = _resampled(sound, SAMPLE_RATE, self.line_hz)
            sound = _resampled(narrow, self.line_hz, SAMPLE_RATE)
        peak = float(np.abs(sound).max(initial=0))
        if not peak:
            raise ValueError(f'{self.voice} says nothing for {text!r}')
        loud = np.flatnonzero(np.abs(sound) > QUIET * peak)
        first, last = int(loud[0]), int(loud[-1])
        # espeak-ng sometimes tells of one word more, at the end of the sound.
        told = (round(start * SAMPLE_RATE / self.warp) for start in spoken.starts)
        starts = tuple(max(0, start - first) for start in told if start < last)
        return Spoken(sound[first : last + 1] / peak, starts)


def talker(voice: Voice, rng: random.Random) -> Talker:
    """Somebody with this voice: at some speed, pitch and liveliness, in a throat of some length."""
    line_hz = rng.choice((0, 0, 16_000, 8_000))
    if isinstance(voice, WarpedHibari):
        return Talker(replace(voice, tempo=rng.choice((0.95, 1.2))), line_hz=line_hz)
    warp = rng.choice((1.0, rng.uniform(0.88, 1.13)))
    tuned: Voice
    if isinstance(voice, EspeakVoice):
        tuned = replace(
            voice,
            rate=rng.randint(125, 205),
            pitch=rng.randint(25, 75),
            range=rng.randint(25, 80),
        )
    else:
        tuned = replace(
            voice,
            stretch=rng.uniform(0.8, 1.2),
            pitch=rng.uniform(0.85, 1.2),
            melody=rng.uniform(0.8, 2.2),
        )
    return Talker(tuned, warp, line_hz)


def _spoken(text: str, voice: Voice) -> SpokenUtterance:
    if isinstance(voice, EspeakVoice):
        return espeak.speak(text, voice)
    if isinstance(voice, FliteVoice):
        return flite.speak(text, voice)
    speech = _hibari(voice.tempo, voice.ratio).say(text.split())
    starts = tuple(start / SAMPLE_RATE / voice.ratio for start in speech.starts)
    return SpokenUtterance(speech.samples, round(SAMPLE_RATE * voice.ratio), starts)


@cache
def _hibari(tempo: float, ratio: float) -> HibariVoice:
    """The voice at a speed that is `tempo` after the warp."""
    return HibariVoice(speed=min(2.0, max(0.5, tempo / ratio)))


def _resampled(sound: np.ndarray, rate: float, to: float) -> np.ndarray:
    import soxr

    return np.asarray(soxr.resample(sound, rate, to), np.float32)
