"""Reads sound files of any format, and writes 24 kHz mono wav files of 16 bit."""

from __future__ import annotations

import os
import wave
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import numpy as np

from kame_ros.wire.frame import FRAME_S, FRAME_SAMPLES, SAMPLE_RATE, Frame

MAX_S = 600.0  # s, the longest file that is taken
_BLOCK = 65_536  # samples per channel read at once: bounds the memory of a wide, fast file
_HEAD_BYTES = 65_536  # in which the header of a wav file must end
_CONVERT = ' Convert it: ffmpeg -i {path} {wav}'
# Matroska and WebM, ASF (wma), AAC, AMR.
_CONTAINERS = (b'\x1aE\xdf\xa3', b'0&\xb2u', b'\xff\xf1', b'\xff\xf9', b'#!AMR')
_SUFFIXES = ('.m4a', '.mp4', '.mov', '.aac', '.webm', '.mkv', '.mka', '.wma', '.amr', '.3gp')
_HEADER_BYTES = 44  # of a wav file without any sound
_FLUSH_FRAMES = 12  # frames: about a second of a recording is lost at most when power fails


class BadAudio(ValueError):
    """A sound that cannot be used; the text is one sentence that names the file and the reason."""


@dataclass(frozen=True)
class Sound:
    """A whole sound, int16[n] at 24 kHz mono, and what was done to make it so.

    `zeroed` counts the samples that were NaN or infinite, `clipped` those beyond full scale.
    """

    samples: np.ndarray
    sample_rate: int = SAMPLE_RATE  # Hz, of the file
    channels: int = 1  # of the file
    zeroed: int = 0
    clipped: int = 0

    @property
    def duration(self) -> float:
        """Seconds."""
        return len(self.samples) / SAMPLE_RATE

    def frames(self, t: float = 0.0) -> Iterator[Frame]:
        """The sound as frames, the first at time `t`; the last one is padded with silence."""
        for seq, start in enumerate(range(0, len(self.samples), FRAME_SAMPLES)):
            part = self.samples[start : start + FRAME_SAMPLES]
            if len(part) < FRAME_SAMPLES:
                part = np.pad(part, (0, FRAME_SAMPLES - len(part)))
            yield Frame(seq=seq, t=t + seq * FRAME_S, samples=part)


def read_wav(path: str | Path, max_s: float = MAX_S) -> Sound:
    """A sound file of any rate, width and number of channels as 24 kHz mono.

    Channels are averaged. Raises BadAudio where the file is missing, unreadable, no sound file,
    empty, longer than `max_s` seconds, or holds no finite sample.
    """
    import soundfile

    path = Path(path)
    refuse_unreadable(path)
    try:
        mended = _with_sizes(path, max_s)
        with soundfile.SoundFile(mended or os.fsencode(path)) as file:
            return _read(file, path, max_s)
    except soundfile.LibsndfileError as error:
        reason = str(error.error_string).rstrip('. ')
        hint = _CONVERT.format(path=path, wav=path.with_suffix('.wav')) if _is_packed(path) else ''
        raise BadAudio(f'{path} is not a sound file that can be read ({reason}).{hint}') from error


def _with_sizes(path: Path, max_s: float) -> BinaryIO | None:
    """A wav file whose header says that it holds no samples, though they follow: mended, or None.

    Who writes to a pipe cannot go back to the header when the length is known.
    """
    with path.open('rb') as file:
        head = file.read(_HEAD_BYTES)
        if head[:4] != b'RIFF' or head[8:12] != b'WAVE':
            return None
        rate, start = 0, 12
        while start + 8 <= len(head):
            name, size = (
                head[start : start + 4],
                int.from_bytes(head[start + 4 : start + 8], 'little'),
            )
            if name == b'fmt ':
                rate = int.from_bytes(head[start + 16 : start + 20], 'little')  # bytes a second
            if name == b'data':
                break
            start += 8 + size + size % 2
        if start + 8 > len(head) or size or not rate:
            return None
        file.seek(start + 8)
        sound = file.read(int((max_s + 1) * rate))
    sizes = start + len(sound), len(sound)
    riff, data = (size.to_bytes(4, 'little') for size in sizes)
    return BytesIO(b'RIFF' + riff + head[8 : start + 4] + data + sound) if sound else None


def _is_packed(path: Path) -> bool:
    """Whether it is sound in a container that only a converter opens, such as m4a or webm."""
    with path.open('rb') as file:
        head = file.read(12)
    known = head[4:8] == b'ftyp' or head.startswith(_CONTAINERS)
    return known or path.suffix.lower() in _SUFFIXES


def refuse_unreadable(path: Path) -> None:
    """Raises BadAudio for what is no file, is empty, or may not be read."""
    try:
        if path.is_dir():
            raise BadAudio(f'{path} is a directory, not a sound file.')
        if path.exists() and not path.is_file():
            raise BadAudio(f'{path} is not a regular file.')
        with path.open('rb') as file:
            if not file.read(1):
                raise BadAudio(f'{path} is empty.')
    except BadAudio:
        raise
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL
        reason = getattr(error, 'strerror', None) or str(error)
        raise BadAudio(f'{path} cannot be read ({reason}).') from error


def _read(file: Any, path: Path, max_s: float) -> Sound:
    """Reads block by block, so that a wrong length in the header is no trap."""
    import soxr

    rate, channels = file.samplerate, file.channels
    resampler = soxr.ResampleStream(rate, SAMPLE_RATE, 1, dtype='float32')
    parts: list[np.ndarray] = []
    count = bad = 0
    while True:
        block = file.read(_BLOCK, dtype='float32', always_2d=True)
        last = len(block) < _BLOCK
        count += len(block)
        if count > max_s * rate:
            raise BadAudio(f'{path} is longer than {max_s:g} s.')
        finite = np.isfinite(block)
        bad += int(finite.size - np.count_nonzero(finite))
        mono = np.where(finite, block, 0.0).mean(axis=1, dtype=np.float32)
        parts.append(resampler.resample_chunk(mono, last=last))
        if last:
            break
    if count == 0:
        raise BadAudio(f'{path} is empty: it holds no sample.')
    if bad == count * channels:
        raise BadAudio(f'{path} holds no finite sample.')
    sound = np.concatenate(parts)
    # A sound shorter than the resampler's step must still be heard as a frame.
    if not len(sound):
        sound = np.zeros(1, np.float32)
    samples, clipped = to_int16(sound)
    return Sound(samples, rate, channels, bad, clipped)


def to_int16(sound: np.ndarray) -> tuple[np.ndarray, int]:
    """Float samples in [-1, 1] as int16, and how many were beyond full scale and so were cut."""
    scaled = np.round(np.asarray(sound, np.float32) * 32768.0)
    clipped = int(np.count_nonzero((scaled > 32768.0) | (scaled < -32768.0)))
    return np.clip(scaled, -32768, 32767).astype(np.int16), clipped


def unrecorded(path: Path) -> Path:
    """The path itself, or else NAME-2.wav, NAME-3.wav …: the first that holds no sound yet."""
    number = 1
    candidate = path
    while candidate.is_file() and candidate.stat().st_size > _HEADER_BYTES:
        number += 1
        candidate = path.with_name(f'{path.stem}-{number}{path.suffix}')
    return candidate


class WavWriter:
    """Writes 24 kHz mono 16 bit as it comes; the file is a whole wav after every write.

    Raises BadAudio at construction where the path cannot be written, and at a write that fails.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.frames = 0  # written
        try:
            self._file = open(self.path, 'wb')  # noqa: SIM115 closed by close()
        except (OSError, ValueError) as error:
            raise self._unwritable(error) from error
        self._wav = wave.open(self._file, 'wb')  # noqa: SIM115
        self._wav.setnchannels(1)
        self._wav.setsampwidth(2)
        self._wav.setframerate(SAMPLE_RATE)

    def write(self, samples: np.ndarray) -> None:
        """Appends int16[n]."""
        try:
            # The standard library mends the length in the header at every write; libsndfile
            # only at close, which leaves an unreadable file when the process is killed.
            self._wav.writeframes(np.ascontiguousarray(samples, '<i2').tobytes())
            self.frames += 1
            if self.frames % _FLUSH_FRAMES == 0:
                self._file.flush()
        except OSError as error:
            with suppress(OSError):  # wave complains once more when it is collected, else
                self._wav.close()
            with suppress(OSError):
                self._file.close()
            raise self._unwritable(error) from error

    def close(self) -> None:
        """Ends the file; can be called again."""
        try:
            self._wav.close()
            self._file.close()
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: Exception) -> BadAudio:
        reason = getattr(error, 'strerror', None) or str(error)
        return BadAudio(f'{self.path} cannot be written ({reason}).')

    def __enter__(self) -> WavWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
