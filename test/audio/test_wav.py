from __future__ import annotations

import os
import wave
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from kame_ros.audio.wav import BadAudio, Sound, WavWriter, read_wav
from kame_ros.wire.frame import FRAME_S, FRAME_SAMPLES


def tone(seconds: float, rate: int, hz: float = 440.0) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)


def frequency(samples: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum) * 24_000 / len(samples))


@pytest.mark.parametrize('rate', [8_000, 11_025, 16_000, 24_000, 44_100, 48_000, 192_000])
@pytest.mark.parametrize('channels', [1, 2, 6])
def test_any_rate_and_channels_keep_length_pitch_and_level(
    tmp_path: Path, rate: int, channels: int
) -> None:
    path = tmp_path / 'a.wav'
    soundfile.write(path, np.tile(tone(1.0, rate)[:, None], channels), rate)
    sound = read_wav(path)
    assert (sound.sample_rate, sound.channels) == (rate, channels)
    assert abs(len(sound.samples) - 24_000) <= 1
    assert frequency(sound.samples) == pytest.approx(440, abs=2)
    middle = sound.samples[4_000:20_000] / 32_768
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.01)


@pytest.mark.parametrize('subtype', ['PCM_U8', 'PCM_16', 'PCM_24', 'PCM_32', 'FLOAT', 'DOUBLE'])
def test_any_width(tmp_path: Path, subtype: str) -> None:
    path = tmp_path / 'a.wav'
    soundfile.write(path, tone(0.5, 24_000), 24_000, subtype=subtype)
    samples = read_wav(path).samples / 32_768
    assert np.max(np.abs(samples - tone(0.5, 24_000))) < (0.01 if subtype == 'PCM_U8' else 1e-4)


def test_int16_at_24_khz_comes_back_bit_by_bit(tmp_path: Path) -> None:
    path = tmp_path / 'a.wav'
    samples = np.random.default_rng(1).integers(-32_768, 32_767, 5_000).astype(np.int16)
    with WavWriter(path) as writer:
        writer.write(samples)
    assert np.array_equal(read_wav(path).samples, samples)


def test_frames_are_80_ms_and_the_last_is_padded() -> None:
    sound = Sound(np.ones(FRAME_SAMPLES * 2 + 5, np.int16))
    frames = list(sound.frames(t=7.0))
    assert [f.seq for f in frames] == [0, 1, 2]
    assert [f.t for f in frames] == [7.0, 7.0 + FRAME_S, 7.0 + 2 * FRAME_S]
    assert frames[2].samples.sum() == 5
    assert frames[2].samples[:5].all()


@given(st.integers(1, 3 * FRAME_SAMPLES))
def test_no_sample_is_lost_in_frames(n: int) -> None:
    samples = np.arange(1, n + 1).astype(np.int16)
    joined = np.concatenate([f.samples for f in Sound(samples).frames()])
    assert np.array_equal(joined[:n], samples)
    assert not joined[n:].any()
    assert len(joined) == -(-n // FRAME_SAMPLES) * FRAME_SAMPLES


def test_not_finite_samples_are_zeroed_and_counted(tmp_path: Path) -> None:
    path = tmp_path / 'a.wav'
    sound = tone(0.1, 24_000)
    sound[10], sound[20], sound[30] = np.nan, np.inf, -np.inf
    soundfile.write(path, sound, 24_000, subtype='FLOAT')
    read = read_wav(path)
    assert read.zeroed == 3
    assert read.samples[[10, 20, 30]].tolist() == [0, 0, 0]


def test_beyond_full_scale_is_cut_and_counted(tmp_path: Path) -> None:
    path = tmp_path / 'a.wav'
    soundfile.write(path, np.array([0.0, 2.0, -2.0, 0.5]), 24_000, subtype='FLOAT')
    read = read_wav(path)
    assert read.samples.tolist() == [0, 32_767, -32_768, 16_384]
    assert read.clipped == 2


def test_one_sample_is_one_frame(tmp_path: Path) -> None:
    path = tmp_path / 'a.wav'
    soundfile.write(path, np.array([0.5]), 48_000)
    assert len(list(read_wav(path).frames())) == 1


def write_bytes(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def write_samples(path: Path, samples: np.ndarray) -> None:
    soundfile.write(path, samples, 24_000, subtype='FLOAT')


@pytest.mark.parametrize(
    ('make', 'reason'),
    [
        (lambda p: None, 'cannot be read (No such file'),
        (lambda p: p.mkdir(), 'is a directory'),
        (lambda p: os.mkfifo(p), 'is not a regular file'),
        (lambda p: write_bytes(p, b''), 'is empty'),
        (lambda p: write_bytes(p, b'hello, I am a text'), 'is not a sound file'),
        (lambda p: write_bytes(p, b'RIFF\x00\x00\x00\x00WAVEfmt '), 'is not a sound file'),
        (lambda p: write_samples(p, np.zeros(0)), 'holds no sample'),
        (lambda p: write_samples(p, np.full(100, np.nan)), 'holds no finite sample'),
        (lambda p: write_samples(p, np.zeros(24_000 * 2 + 1)), 'is longer than 2 s'),
    ],
)
def test_bad_files_are_refused_in_one_sentence(tmp_path: Path, make, reason: str) -> None:
    path = tmp_path / 'bad.wav'
    make(path)
    with pytest.raises(BadAudio) as error:
        read_wav(path, max_s=2.0)
    text = str(error.value)
    assert str(path) in text
    assert reason in text
    assert text.endswith('.')
    assert text.count(str(path)) == 1
    assert '\n' not in text


def test_a_truncated_file_gives_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / 'a.wav'
    soundfile.write(path, tone(1.0, 24_000), 24_000)
    path.write_bytes(path.read_bytes()[: 44 + 24_000])
    assert len(read_wav(path).samples) == 12_000


@pytest.mark.parametrize('name', ['absent/out.wav', '.', 'nul\0.wav'])
def test_a_path_that_cannot_be_written(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadAudio, match='cannot be written') as error:
        WavWriter(f'{tmp_path}/{name}')
    assert str(tmp_path) in str(error.value)


def test_a_full_disk_is_named() -> None:
    if not Path('/dev/full').exists():
        pytest.skip('no /dev/full here')
    writer = WavWriter('/dev/full')
    with pytest.raises(BadAudio, match='/dev/full cannot be written'):
        writer.write(np.zeros(20 * FRAME_SAMPLES, np.int16))


def test_the_file_is_whole_while_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / 'a.wav'
    writer = WavWriter(path)
    for _ in range(24):
        writer.write(np.ones(FRAME_SAMPLES, np.int16))
    with wave.open(str(path)) as read:  # as if the process had been killed here
        assert read.getnframes() >= 20 * FRAME_SAMPLES
    writer.close()
    writer.close()
    with wave.open(str(path)) as read:
        assert (read.getframerate(), read.getnchannels(), read.getsampwidth()) == (24_000, 1, 2)
        assert read.getnframes() == 24 * FRAME_SAMPLES


@pytest.mark.parametrize('subtype', ['PCM_16', 'PCM_24', 'FLOAT', 'PCM_U8'])
@pytest.mark.parametrize('channels', [1, 2])
@pytest.mark.parametrize('claimed', [0, 0xFFFFFFFF])
def test_a_wav_whose_length_was_never_written_is_heard(
    tmp_path: Path, subtype: str, channels: int, claimed: int
) -> None:
    """As a program writes it to a pipe: it cannot go back to the header."""
    path = tmp_path / 'a.wav'
    soundfile.write(path, np.tile(tone(1.0, 16_000)[:, None], channels), 16_000, subtype)
    whole = read_wav(path)
    content = bytearray(path.read_bytes())
    at = content.index(b'data') + 4
    content[at : at + 4] = claimed.to_bytes(4, 'little')
    content[4:8] = claimed.to_bytes(4, 'little')
    path.write_bytes(content)
    sound = read_wav(path)
    assert np.array_equal(sound.samples, whole.samples)
    assert (sound.sample_rate, sound.channels) == (16_000, channels)


@pytest.mark.parametrize('rest', [b'', b'fmt ', b'data\0\0\0\0', b'data\0\0\0\0\1\2', b'junk' * 50])
def test_a_wav_without_sound_is_refused(tmp_path: Path, rest: bytes) -> None:
    path = tmp_path / 'a.wav'
    path.write_bytes(b'RIFF\0\0\0\0WAVE' + rest)
    with pytest.raises(BadAudio, match=r'a\.wav'):
        read_wav(path)


@pytest.mark.parametrize(
    ('name', 'head'),
    [
        ('a.m4a', b'\0\0\0 ftypM4A '),
        ('voice memo.MP4', b'\0\0\0 ftypisom'),
        ('a.webm', b'\x1aE\xdf\xa3\x9fB'),
        ('recording', b'\x1aE\xdf\xa3\x9fB'),
        ('a.wav', b'\0\0\0 ftypM4A '),  # by what it is, not by what it is called
        ('a.wma', b'0&\xb2u\x8ef\xcf\x11'),
        ('a.amr', b'#!AMR\n'),
        ('a.aac', b'\xff\xf1P\x80'),
    ],
)
def test_what_only_a_converter_opens_is_refused_with_the_command(
    tmp_path: Path, name: str, head: bytes
) -> None:
    path = tmp_path / name
    path.write_bytes(head + bytes(64))
    with pytest.raises(BadAudio, match=r'Convert it: ffmpeg -i .* .*\.wav$'):
        read_wav(path)


def test_rubbish_is_refused_without_such_a_hint(tmp_path: Path) -> None:
    path = tmp_path / 'a.wav'
    path.write_bytes(b'hello' * 20)
    with pytest.raises(BadAudio) as caught:
        read_wav(path)
    assert 'ffmpeg' not in str(caught.value)


# What can be used, and yet is not as it should be.


def test_a_file_that_was_cut_off_tells_what_is_missing(tmp_path: Path) -> None:
    path = tmp_path / 'a.wav'
    soundfile.write(path, tone(2.0, 24_000), 24_000)
    assert read_wav(path).doubts == []
    path.write_bytes(path.read_bytes()[:-48_000])
    sound = read_wav(path)
    assert (sound.missing_s, sound.duration) == (1.0, 1.0)
    assert sound.doubts == ['it was cut off: its header tells of 1.0 s more']


@pytest.mark.parametrize('size', [0, 0x7FFFFFFF, 0xFFFFFFFF])
def test_a_length_that_was_not_known_yet_is_no_cut(tmp_path: Path, size: int) -> None:
    path = tmp_path / 'a.wav'
    soundfile.write(path, tone(1.0, 24_000), 24_000)
    whole = path.read_bytes()
    at = whole.index(b'data') + 4
    path.write_bytes(whole[:at] + size.to_bytes(4, 'little') + whole[at + 4 :])
    sound = read_wav(path)
    assert (sound.duration, sound.doubts) == (1.0, [])


def test_channels_that_are_opposites_are_told(tmp_path: Path) -> None:
    path = tmp_path / 'a.wav'
    left = tone(0.5, 24_000)
    soundfile.write(path, np.stack([left, -left], axis=1), 24_000)
    assert read_wav(path).doubts == [
        'its channels cancel each other out: give one of them alone',
    ]
    for right in (left, 0 * left, -0.5 * left):
        soundfile.write(path, np.stack([left, right], axis=1), 24_000)
        assert read_wav(path).doubts == []
    soundfile.write(path, np.zeros((100, 2)), 24_000)
    assert read_wav(path).doubts == []
