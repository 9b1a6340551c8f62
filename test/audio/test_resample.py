import numpy as np
import pytest

from kame_ros.audio.resample import Resampler


def tone(rate, seconds=1.0, hz=440.0):
    return np.sin(2 * np.pi * hz * np.arange(int(rate * seconds)) / rate)


def test_chunks_join_to_the_tone_at_the_right_time():
    whole = (tone(24_000) * 16_384).astype(np.int16)
    resampler = Resampler()
    parts = [resampler.push(c) for c in np.split(whole[:23_040], 12)]
    parts.append(resampler.push(whole[23_040:], last=True))
    out = np.concatenate(parts)
    assert out.dtype == np.float32
    assert len(out) == 16_000
    assert np.abs(out - 0.5 * tone(16_000))[200:-200].max() < 1e-3


def test_little_is_held_back():
    resampler = Resampler()
    got = given = 0
    for _ in range(50):
        got += len(resampler.push(np.zeros(1920, np.int16)))
        given += 1280
        assert 0 <= given - got < 640  # 40 ms


def test_what_is_not_a_number_is_silence_and_counted():
    resampler = Resampler()
    sound = tone(24_000).astype(np.float32)
    sound[100:110] = np.nan
    sound[200] = np.inf
    out = np.concatenate([resampler.push(sound), resampler.push(sound[:0], last=True)])
    assert np.isfinite(out).all()
    assert resampler.bad_samples == 11


def test_clipped_sound_stays_in_range():
    square = np.where(np.arange(24_000) % 100 < 50, 32_767, -32_768).astype(np.int16)
    assert np.abs(Resampler().push(square)).max() <= 1.0
    assert np.abs(Resampler().push(square.astype(np.float32))).max() <= 1.0


def test_stereo_is_refused():
    with pytest.raises(ValueError, match='mono'):
        Resampler().push(np.zeros((2, 10), np.int16))
