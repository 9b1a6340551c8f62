"""Reads sound files of any format, and writes 24 kHz mono wav files of 16 bit."""

from __future__ import annotations

import wave
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
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
_UNKNOWN_BYTES = 0x7FFF_0000  # from here on a header says: the length was not known yet
_CANCELLED = 1e-3  # 30 dB less energy in the mean than in the channels
_FLUSH_FRAMES = 12  # frames: about a second of a recording is lost at most when power fails


class BadAudio(ValueError):
    """A sound that cannot be used; the text is one sentence that names the file and the reason."""


@dataclass(frozen=True)
class Sound:
    """A whole sound, int16[n] at 24 kHz mono, and what was done to make it so.

    `zeroed` counts the samples that were NaN or infinite, `clipped` those beyond full scale.
    `missing_s`: so much more sound its header tells of. `cancels`: its channels are opposites of
    each other, so that their mean is all but silent.
    """

    samples: np.ndarray
    sample_rate: int = SAMPLE_RATE  # Hz, of the file
    channels: int = 1  # of the file
    zeroed: int = 0
    clipped: int = 0
    missing_s: float = 0.0
    cancels: bool = False

    @property
    def doubts(self) -> list[str]:
        """What is wrong with the file, in words, though it can be used."""
        told = []
        if self.missing_s > 0:
            told.append(f'it was cut off: its header tells of {self.missing_s:.1f} s more')
        if self.cancels:
            told.append('its channels cancel each other out: give one of them alone')
        return told

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
        header = _header(path)
        mended = _with_sizes(path, header, max_s) if header else None
        with soundfile.SoundFile(mended or str(path)) as file:
            sound = _read(file, path, max_s)
        return replace(sound, missing_s=_missing_s(path, header)) if header else sound
    except soundfile.LibsndfileError as error:
        reason = str(error.error_string).rstrip('. ')
        hint = _CONVERT.format(path=path, wav=path.with_suffix('.wav')) if _is_packed(path) else ''
        raise BadAudio(f'{path} is not a sound file that can be read ({reason}).{hint}') from error


@dataclass(frozen=True)
class _Header:
    """Of a wav file: its first bytes, where its chunk of samples begins, and what that says."""

    head: bytes
    start: int
    size: int  # bytes
    rate: int  # bytes a second


def _header(path: Path) -> _Header | None:
    """None where it is no wav file, or is not understood."""
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
    return None if start + 8 > len(head) or not rate else _Header(head, start, size, rate)


def _with_sizes(path: Path, header: _Header, max_s: float) -> BinaryIO | None:
    """A wav file whose header says that it holds no samples, though they follow: mended, or None.

    Who writes to a pipe cannot go back to the header when the length is known.
    """
    if header.size:
        return None
    head, start = header.head, header.start
    with path.open('rb') as file:
        file.seek(start + 8)
        sound = file.read(int((max_s + 1) * header.rate))
    sizes = start + len(sound), len(sound)
    riff, data = (size.to_bytes(4, 'little') for size in sizes)
    return BytesIO(b'RIFF' + riff + head[8 : start + 4] + data + sound) if sound else None


def _missing_s(path: Path, header: _Header) -> float:
    """How much sound the header tells of that is not there; 0 where it does not know the length."""
    there = path.stat().st_size - header.start - 8
    known = header.size < _UNKNOWN_BYTES
    return max(0.0, (header.size - there) / header.rate) if known else 0.0


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
    apart = together = 0.0  # the energy of the channels, and that of their mean
    while True:
        block = file.read(_BLOCK, dtype='float32', always_2d=True)
        last = len(block) < _BLOCK
        count += len(block)
        if count > max_s * rate:
            raise BadAudio(f'{path} is longer than {max_s:g} s.')
        finite = np.isfinite(block)
        bad += int(finite.size - np.count_nonzero(finite))
        block = np.where(finite, block, 0.0)
        mono = block.mean(axis=1, dtype=np.float32)
        apart += float(np.square(block, dtype=np.float64).sum()) / channels
        together += float(np.square(mono, dtype=np.float64).sum())
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
    cancels = together < _CANCELLED * apart
    return Sound(samples, rate, channels, bad, clipped, cancels=cancels)


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
