"""A stereo recording, a speaker on each channel: what is wrong with it, and its frames."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from kame_ros.training.data.dialogue import SPEAKERS, DataError, Dialogue, DialogueWord
from kame_ros.wire.frame import FRAME_SAMPLES, SAMPLE_RATE

SUFFIXES = ('.wav', '.flac')
SHORT_S = 0.25  # s by which a transcript may go on after the recording: aligners round
SAMPLED = 12  # words of a speaker that are listened to
SILENT = 10 ** (-80 / 20)  # RMS of full scale
SWAPPED_DB = 6.0  # by which a speaker must be louder on the other channel
BLOCK = 1 << 18  # samples of each channel read at once
SIDES = ('left', 'right')


def seconds(path: Path, dialogue: Dialogue, swap: bool = False) -> float:
    """The length of a recording that fits the transcript, in s.

    Reads its header, some words of each speaker, and all of it only where samples can be NaN.
    Raises DataError, which names the file and the reason.
    """
    import soundfile

    try:
        with soundfile.SoundFile(os.fsencode(path)) as file:
            length = file.frames / file.samplerate
            if file.channels != 2:
                missing = 'a channel is missing' if file.channels == 1 else 'two are needed'
                raise DataError(
                    f'{path} has {file.channels} channel{"s" * (file.channels > 1)}: {missing}; '
                    'record A on the left and B on the right one'
                )
            if length < dialogue.end - SHORT_S:
                raise DataError(
                    f'{path} is {length:.2f} s long, but its transcript goes on until '
                    f'{dialogue.end:.2f} s'
                )
            if file.subtype in ('FLOAT', 'DOUBLE'):
                _check_numbers(path, file)
            _check_channels(path, file, dialogue, swap)
            return float(length)
    except soundfile.LibsndfileError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Any) -> DataError:
    reason = str(error.error_string).rstrip('. ')
    return DataError(f'{path} is not a sound file that can be read ({reason})')


def _check_numbers(path: Path, file: Any) -> None:
    file.seek(0)
    for number, block in enumerate(file.blocks(BLOCK, dtype='float32', always_2d=True)):
        if not np.isfinite(block).all():
            at = number * BLOCK + int(np.argmin(np.isfinite(block).all(axis=1)))
            raise DataError(
                f'{path} has a sample that is no number at {at / file.samplerate:.2f} s'
            )


def _check_channels(path: Path, file: Any, dialogue: Dialogue, swap: bool) -> None:
    """Whether each speaker is heard where they speak, on a channel of his own, and on which."""
    louder: list[float] = []  # dB on their channel against the other one, for each speaker
    silent: list[str] = []
    same = True
    for side, speaker in enumerate(SPEAKERS):
        words = [word for word in dialogue.words if word.speaker == speaker]
        sounds = [_listen(file, word) for word in words[:: -(-len(words) // SAMPLED) or 1]]
        if not sounds:
            continue
        same = same and all(np.array_equal(sound[:, 0], sound[:, 1]) for sound in sounds)
        levels = np.array([np.sqrt(np.mean(sound**2, axis=0)) for sound in sounds]) + 1e-9
        own, other = levels.T[:: -1 if side ^ swap else 1]
        louder.append(float(np.median(20 * np.log10(own / other))))
        if not own.max() > SILENT:
            silent.append(speaker)
    if louder and max(louder) < -SWAPPED_DB:
        raise DataError(
            f"{path} has the speakers on each other's channel (A should be on the "
            f'{SIDES[swap]} one): run it {"without" if swap else "with"} --swap'
        )
    if silent:
        where = SIDES[SPEAKERS.index(silent[0]) ^ swap]
        raise DataError(
            f'{path}: the {where} channel is silent where {silent[0]} speaks: the channel is '
            'missing, or the transcript belongs to another recording'
        )
    if same and louder:
        raise DataError(
            f'{path} has the same sound on both channels: each speaker needs one of their own'
        )


def _listen(file: Any, word: DialogueWord) -> np.ndarray:
    """The sound of a word on both channels, float32[n, 2]."""
    begin = min(int(word.start * file.samplerate), max(0, file.frames - 1))
    file.seek(begin)
    length = max(1, int((word.end - word.start) * file.samplerate))
    sound = file.read(length, dtype='float32', always_2d=True)
    return np.asarray(sound if len(sound) else np.zeros((1, 2), np.float32))


def frames(path: Path, swap: bool = False, window: int = 12) -> Iterator[np.ndarray]:
    """The recording at 24 kHz, `window` frames at a time: float32[2, n * 1920], A first.

    The last frame is filled up with silence. Reads block by block: an hour needs no more memory
    than a second. Raises DataError for what cannot be read, or is no number.
    """
    import soundfile
    import soxr

    size = window * FRAME_SAMPLES
    kept = np.zeros((2, 0), np.float32)
    try:
        with soundfile.SoundFile(os.fsencode(path)) as file:
            resampler = soxr.ResampleStream(file.samplerate, SAMPLE_RATE, 2, dtype='float32')
            last = False
            while not last:
                block = file.read(BLOCK, dtype='float32', always_2d=True)
                last = len(block) < BLOCK
                if not np.isfinite(block).all():
                    raise DataError(f'{path} has a sample that is no number')
                sound = np.clip(resampler.resample_chunk(block, last=last), -1.0, 1.0).T
                kept = np.concatenate([kept, sound[::-1] if swap else sound], axis=1)
                for begin in range(0, kept.shape[1] - size + 1, size):
                    yield np.ascontiguousarray(kept[:, begin : begin + size])
                kept = kept[:, kept.shape[1] // size * size :]
    except soundfile.LibsndfileError as error:
        raise _unreadable(path, error) from error
    if kept.shape[1]:
        whole = -(-kept.shape[1] // FRAME_SAMPLES) * FRAME_SAMPLES
        yield np.pad(kept, ((0, 0), (0, whole - kept.shape[1])))
