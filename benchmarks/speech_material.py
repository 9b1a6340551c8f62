"""Speech in several voices, noise of several kinds: what the benchmarks listen to."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kame_ros.evaluation.noises import disturbances as disturbances  # for the other benchmarks
from kame_ros.evaluation.noises import pink as pink
from kame_ros.wire.frame import FRAME_S, FRAME_SAMPLES, SAMPLE_RATE, Frame

LIBRIVOX = Path('/usr/share/pocketsphinx/test/data/librivox')
_FLITE = ('awb', 'kal', 'kal16', 'rms', 'slt')
SPEAKERS = ('human', 'hibari', 'espeak', *(f'flite-{voice}' for voice in _FLITE))
LEAD_S, TRAIL_S = 1.0, 2.0  # silence around a clip

SENTENCES = (
    'What is the tallest mountain in the world?',
    'Please bring me a glass of water from the kitchen.',
    'I would like to plan a trip to Hawaii with my family in the summer.',
    'Yes, please.',
    'The quick brown fox jumps over the lazy dog near the river.',
    'Can you explain how a rainbow forms after the rain?',
    'If a train leaves at noon and travels sixty miles, when does it arrive?',
    'Stop.',
)
# The rules of agreement were chosen on the sentences above; these were not looked at.
HELD_OUT = (
    'Could you tell me how many people live in Tokyo today?',
    'My sister is a nurse and she works at the hospital on weekends.',
    'No, thank you.',
    'Write a short story about a dragon who is afraid of fire.',
    'We have been waiting for the bus for almost an hour.',
    'Turn left at the second corner and stop in front of the blue door.',
    'Why is the sky blue during the day and red in the evening?',
    'Good morning.',
)


class VoiceMissing(SystemExit):
    """A voice is not installed; the message names the package."""


@dataclass(frozen=True)
class Clip:
    """A recording with its words: float32 at 24 kHz, silence around the speech.

    `speech_end` is the end of the last audible speech in `sound`, s.
    """

    name: str
    text: str
    sound: np.ndarray
    speech_end: float

    @property
    def seconds(self) -> float:
        return len(self.sound) / SAMPLE_RATE

    @property
    def speech_s(self) -> float:
        return self.speech_end - LEAD_S


def clips(voice: str, sentences: tuple[str, ...] = SENTENCES) -> list[Clip]:
    """All clips of a voice: `human`, `hibari`, `flite-<voice>` or `espeak`."""
    if voice == 'human':
        return _human()
    if voice == 'hibari':
        return _hibari(sentences)
    command = ['flite', '-voice', voice[6:]] if voice.startswith('flite-') else ['espeak-ng']
    if shutil.which(command[0]) is None:
        raise VoiceMissing(f'the voice {voice} is absent: apt-get install {command[0]}')
    return [_spoken(f'{voice}-{i}', command, text) for i, text in enumerate(sentences)]


def _spoken(name: str, command: list[str], text: str) -> Clip:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'out.wav'
        flags = ['-t', text, '-o', str(path)] if command[0] == 'flite' else ['-w', str(path), text]
        subprocess.run([*command, *flags], check=True, capture_output=True)
        return _clip(name, text, *read_wav(path))


def _hibari(sentences: tuple[str, ...]) -> list[Clip]:
    from hibari import Hibari

    voice = Hibari()
    rate = 24_000
    made = [np.asarray(voice(text), np.float32) for text in sentences]
    return [
        _clip(f'hibari-{i}', text, sound, rate)
        for i, (text, sound) in enumerate(zip(sentences, made, strict=True))
    ]


def _human() -> list[Clip]:
    if not LIBRIVOX.is_dir():
        raise VoiceMissing('the human voice is absent: apt-get install pocketsphinx-testdata')
    out = []
    for line in (LIBRIVOX / 'transcription').read_text().splitlines():
        text, _, name = line.rpartition(' (')
        path = LIBRIVOX / f'{name.rstrip(")")}.wav'
        words = ' '.join(w for w in text.split() if w not in ('<s>', '</s>'))
        out.append(_clip(path.stem[-4:], words.replace(' a amiable', ' amiable'), *read_wav(path)))
    return out


def read_wav(path: Path) -> tuple[np.ndarray, int]:
    """A mono or stereo wav of 16 bits as float32 in [-1, 1], and its rate."""
    with wave.open(str(path)) as file:
        data = np.frombuffer(file.readframes(file.getnframes()), '<i2').astype(np.float32)
        return data.reshape(-1, file.getnchannels()).mean(1) / 32_768, file.getframerate()


def _clip(name: str, text: str, sound: np.ndarray, rate: int) -> Clip:
    import soxr

    if rate != SAMPLE_RATE:
        sound = soxr.resample(sound, rate, SAMPLE_RATE)
    sound = 0.1 * sound / max(1e-6, float(np.sqrt(np.mean(sound**2))))  # -20 dBFS
    sound = np.clip(sound, -0.99, 0.99)
    window = SAMPLE_RATE // 100
    loud = np.abs(sound[: len(sound) // window * window]).reshape(-1, window).max(1)
    last = int(np.flatnonzero(loud > 0.02 * loud.max())[-1]) + 1
    parts = [np.zeros(int(LEAD_S * SAMPLE_RATE)), sound, np.zeros(int(TRAIL_S * SAMPLE_RATE))]
    return Clip(name, text, np.concatenate(parts).astype(np.float32), LEAD_S + last / 100)


def noisy(clip: Clip, snr_db: float, seed: int = 0) -> Clip:
    """The clip in pink noise, `snr_db` below its speech (not below its pauses)."""
    noise = pink(len(clip.sound), np.random.default_rng(seed))
    gain = 0.1 * 10 ** (-snr_db / 20) / float(np.sqrt(np.mean(noise**2)))
    return Clip(f'{clip.name}+noise', clip.text, clip.sound + gain * noise, clip.speech_end)


def frames(sound: np.ndarray, start: float = 0.0, seq: int = 0) -> Iterator[Frame]:
    """The sound as frames; a rest that fills no frame is padded with silence."""
    count = -(-len(sound) // FRAME_SAMPLES)
    whole = np.zeros(count * FRAME_SAMPLES, np.float32)
    whole[: len(sound)] = sound
    pcm = (np.clip(whole, -1.0, 1.0) * 32_767).astype(np.int16)
    for i, samples in enumerate(pcm.reshape(-1, FRAME_SAMPLES)):
        yield Frame(seq + i, start + i * FRAME_S, samples)
