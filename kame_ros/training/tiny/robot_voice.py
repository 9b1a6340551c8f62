"""The voice of kame-tiny: each word as a fixed run of codec frames, as a talking clock has them.

Every word begins on a frame of 80 ms and always sounds alike, so that a few million parameters can
learn the voice in minutes on a CPU. It is plain and a little staccato; that is the price. The words
are spoken by hibari-tts, whose voice is understood better through Codec2 than that of espeak-ng.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kame_ros.audio.frame import FRAME_SAMPLES
from kame_ros.s2s.moshi.codec2 import CODEBOOKS, Codec2Voice
from kame_ros.training.tiny.lexicon import INSIDE, SIGNS, SPOKEN

QUIET = 10 ** (-38 / 20)  # of the loudest sample: what lies outside a word
SLACK = 0.3  # of a frame: an end of a word shorter than this is cut off
PEAK = 0.5  # of full scale
KEYS = ('words', 'ends', 'codes', 'silence')  # of the file
LEAD_IN = 4  # frames of silence the codec hears before a word


@dataclass(frozen=True)
class RobotVoice:
    """The codes of each unit, int64[8, n], and those of a frame of silence, int64[8]."""

    words: dict[str, np.ndarray]
    silence: np.ndarray

    def say(self, words: list[str]) -> np.ndarray:
        """The codes of words without pauses between them, int64[8, n]."""
        return np.concatenate([self.words[word] for word in words], axis=1)


def make(words: tuple[str, ...]) -> RobotVoice:
    """Speaks and encodes every word, 17 of them in a second.

    Raises MissingWeights without hibari-tts, Codec2MissingError without the codec.
    """
    from kame_ros.s2s.tts_voice import HibariVoice

    speaker = HibariVoice()
    quiet = np.zeros(FRAME_SAMPLES)
    codec = Codec2Voice()
    silence = [codec.encode(quiet) for _ in range(LEAD_IN)][-1]
    blocks = {
        word: _encode(whole_frames(speaker.say([SPOKEN.get(word, word)]).samples)) for word in words
    }
    return RobotVoice(blocks | _inside(blocks), silence)


def _inside(blocks: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """A sign within a word sounds as it does alone."""
    return {INSIDE + sign: blocks[sign] for sign in SIGNS if sign in blocks}


def load_or_make(words: tuple[str, ...], path: Path) -> RobotVoice:
    """The voice kept in `path`, or a new one, which is then kept there."""
    if path.exists():
        with np.load(path) as file:
            found = [file[key] for key in KEYS if key in file]
        if len(found) == len(KEYS) and set(found[0].tolist()) == set(words):
            names, ends, codes, silence = found
            parts = np.split(codes.astype(np.int64), ends[:-1], axis=1)
            blocks = dict(zip(names.tolist(), parts, strict=True))
            return RobotVoice(blocks | _inside(blocks), silence)
    voice = make(words)
    blocks = {word: voice.words[word] for word in words}
    path.parent.mkdir(parents=True, exist_ok=True)
    ends = np.cumsum([codes.shape[1] for codes in blocks.values()])
    codes = np.concatenate(list(blocks.values()), axis=1).astype(np.int16)
    values = (np.array(list(blocks)), ends, codes, voice.silence)
    np.savez_compressed(path, **dict(zip(KEYS, values, strict=True)))  # type: ignore[arg-type]
    return voice


def whole_frames(sound: np.ndarray) -> np.ndarray:
    """A word at 24 kHz without the silence around it, of one loudness and of whole frames."""
    loud = np.flatnonzero(np.abs(sound) > QUIET * np.abs(sound).max())
    sound = sound[loud[0] : loud[-1] + 1] * (PEAK / np.abs(sound).max())
    frames = max(2, int(np.ceil(len(sound) / FRAME_SAMPLES - SLACK)))
    whole = np.zeros(frames * FRAME_SAMPLES, np.float32)
    whole[: len(sound)] = sound[: len(whole)]
    return whole


def _encode(sound: np.ndarray) -> np.ndarray:
    codec = Codec2Voice()
    for _ in range(LEAD_IN):
        codec.encode(np.zeros(FRAME_SAMPLES))
    frames = sound.reshape(-1, FRAME_SAMPLES)
    return np.stack([codec.encode(frame) for frame in frames], axis=1).reshape(CODEBOOKS, -1)
