"""Echo in rooms made of numbers: what is removed, and whether the user is still understood."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import soxr
from speech_material import clips, frames
from stt_scores import errors, normal

from kame_ros.audio.echo.canceller import METHODS, EchoCanceller, EchoConfig
from kame_ros.wire.frame import FRAME_SAMPLES, SAMPLE_RATE, Frame

_ROBOT = (
    'The tallest mountain in the world is Mount Everest, and it is in the Himalayas.',
    'A rainbow forms when the light of the sun is bent by drops of rain.',
    'I can tell you more about the weather of tomorrow if you like.',
)
_USER = (
    'Stop, please tell me about something else.',
    'No, I meant the second one.',
    'Can you explain how a rainbow forms after the rain?',
    'Please bring me a glass of water from the kitchen.',
)
_ALONE_S = 8.0  # the robot speaks alone first
_USER_LEVEL = 0.08  # root mean square of the user's speech at the microphone


@dataclass(frozen=True)
class Room:
    """Seconds; `gain`: root mean square of the echo over that of what is played."""

    name: str
    delay: float
    reverberation: float
    gain: float = 0.5
    loudspeaker_distorts: bool = False
    microphone_ppm: float = 0.0

    def echo(self, sound: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        if self.loudspeaker_distorts:
            sound = np.tanh(3.0 * sound) / 2.5
        count = round(self.reverberation * SAMPLE_RATE)
        tail = 0.25 * rng.standard_normal(count) * np.exp(-6.9 * np.arange(count) / count)
        tail[0] = 1.0
        tail /= np.sqrt(np.sum(tail**2))
        size = 1 << (len(sound) + count).bit_length()
        wet = np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(tail, size))[: len(sound)]
        lag = round(self.delay * SAMPLE_RATE)
        late = np.concatenate([np.zeros(lag), wet * self.gain])[: len(sound)]
        if self.microphone_ppm:
            at = np.arange(len(late)) / (1 + self.microphone_ppm * 1e-6)
            late = np.interp(at, np.arange(len(late)), late)
        return late + 1e-4 * rng.standard_normal(len(late))


ROOMS = (
    Room('desk, 20 ms, RT 0.1 s', 0.02, 0.1),
    Room('room, 120 ms, RT 0.25 s', 0.12, 0.25),
    Room('far, 340 ms, RT 0.25 s', 0.34, 0.25),
    Room('hall, 60 ms, RT 0.5 s', 0.06, 0.5),
    Room('loud, 60 ms, RT 0.25 s', 0.06, 0.25, gain=1.5),
    Room('distorting, 40 ms, RT 0.25 s', 0.04, 0.25, gain=1.0, loudspeaker_distorts=True),
    Room('drift 200 ppm, 60 ms', 0.06, 0.25, microphone_ppm=200.0),
)


def cancelled(
    near: np.ndarray, far: np.ndarray, method: str = 'webrtc', ppm: float = 0.0
) -> np.ndarray:
    """As the ear does it: frames with stamps, the microphone on its own clock."""
    canceller, out = EchoCanceller(EchoConfig(echo_cancellation=method)), []
    for heard, played in zip(frames(near), frames(far), strict=True):
        canceller.played(played)
        t = heard.t / (1 + ppm * 1e-6)
        out.append(canceller.process(Frame(heard.seq, t, heard.samples)).samples)
    return np.concatenate(out).astype(np.float32) / 32_768


def echo_scores(model: str = 'whisper-base') -> dict[str, Any]:
    """ERLE in dB while the robot speaks alone, WER of the user while both do, percent."""
    from faster_whisper import WhisperModel

    from kame_ros.runtime import weights

    whisper = WhisperModel(str(weights.find(model, 'stt')), compute_type='int8', cpu_threads=1)
    robot = np.concatenate([clip.sound[: -2 * SAMPLE_RATE] for clip in clips('hibari', _ROBOT)])
    robot = np.tile(robot, 3)[: 34 * FRAME_SAMPLES * 12]
    users = [clip.sound[SAMPLE_RATE:-SAMPLE_RATE] for clip in clips('flite-slt', _USER)]
    user, spans, at = np.zeros_like(robot), [], round(_ALONE_S * SAMPLE_RATE)
    for sound in users:
        level = np.sqrt(np.mean(sound**2))
        user[at : at + len(sound)] += (sound * _USER_LEVEL / level)[: len(user) - at]
        spans.append((at, at + len(sound)))
        at += len(sound) + SAMPLE_RATE // 2

    def wer(sound: np.ndarray) -> float:
        wrong = total = 0
        for (start, end), text in zip(spans, _USER, strict=True):
            heard = soxr.resample(sound[start:end].astype(np.float32), SAMPLE_RATE, 16_000)
            segments, _ = whisper.transcribe(heard, language='en', temperature=0.0, beam_size=5)
            wrong += errors(normal(text), normal(' '.join(s.text for s in segments)))
            total += len(normal(text))
        return round(100 * wrong / total, 1)

    table: dict[str, Any] = {'user_alone_wer': wer(user)}
    for room in ROOMS:
        rng = np.random.default_rng(0)
        near = np.clip(room.echo(robot, rng) + user, -1.0, 1.0).astype(np.float32)
        row: dict[str, Any] = {'raw_wer': wer(near)}
        for name in METHODS:
            try:
                began = time.process_time()
                clean = cancelled(near, robot, name, room.microphone_ppm)
            except ImportError as error:
                row[name] = str(error)
                continue
            cpu = (time.process_time() - began) / (len(near) / SAMPLE_RATE)
            row[name] = {
                'erle_db': _erle(near, clean, 2.0, _ALONE_S),
                'erle_first_2_s_db': _erle(near, clean, 0.0, 2.0),
                'double_talk_wer': wer(clean),
                'cpu_percent': round(100 * cpu, 2),
            }
        table[room.name] = row
    return table


def _erle(near: np.ndarray, clean: np.ndarray, start: float, end: float) -> float:
    part = slice(round(start * SAMPLE_RATE), round(end * SAMPLE_RATE))
    before, after = (float(np.mean(s[part].astype(float) ** 2)) for s in (near, clean))
    return round(10 * np.log10(before / max(after, 1e-12)), 1)
