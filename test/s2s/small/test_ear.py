"""What kame-small hears of known sounds."""

import numpy as np
import pytest

from kame_ros.s2s.small.ear import EAR_SIZE, SmallEar
from kame_ros.wire.frame import FRAME_SAMPLES, SAMPLE_RATE

BANDS, VOICING, PITCH = slice(0, 80), slice(80, 84, 2), slice(81, 84, 2)


def heard(sound, ear=None):
    """What is heard of float[n], [frames, 84]."""
    ear = ear or SmallEar()
    frames = (np.clip(sound, -1, 1) * 32767).astype(np.int16).reshape(-1, FRAME_SAMPLES)
    return np.stack([ear.step(frame) for frame in frames])


def seconds(frames):
    return np.arange(frames * FRAME_SAMPLES) / SAMPLE_RATE


def buzz(f0_hz, frames=10, peak=0.3):
    t = seconds(frames)
    whole = sum(np.sin(2 * np.pi * f0_hz * k * t) / k for k in range(1, 12))
    return whole / np.abs(whole).max() * peak


def noise(level_db, frames=10):
    drawn = np.random.default_rng(1).standard_normal(frames * FRAME_SAMPLES)
    return drawn * 10 ** (level_db / 20)


def test_it_gives_84_numbers_from_0_to_1():
    out = heard(np.concatenate([noise(-30), buzz(200), noise(10)]))
    assert out.shape == (30, EAR_SIZE)
    assert out.dtype == np.float32
    assert out.min() >= 0
    assert out.max() <= 1


def test_silence_is_0_and_a_full_sine_1():
    assert not heard(np.zeros(4 * FRAME_SAMPLES)).any()
    bands = heard(np.sin(2 * np.pi * 1000 * seconds(4)))[-1, BANDS].reshape(4, 20)
    assert bands.max(axis=1) == pytest.approx(1, abs=0.02)
    assert set(bands.argmax(axis=1)) == {6}
    assert bands[:, 12:].max() < 0.3


@pytest.mark.parametrize('f0_hz', [65, 80, 110, 150, 220, 300, 350, 480])
@pytest.mark.parametrize('room_db', [-96, -48])
def test_the_pitch_of_a_voice_is_heard_in_a_room(f0_hz, room_db):
    out = heard(buzz(f0_hz) + noise(room_db))[3:]
    assert out[:, VOICING].min() > 0.9
    hertz = 60 * (500 / 60) ** out[:, PITCH]
    assert hertz == pytest.approx(f0_hz, rel=0.02)


@pytest.mark.parametrize('level_db', [-96, -60, -20])
def test_noise_has_no_pitch(level_db):
    out = heard(noise(level_db))
    assert not out[:, PITCH].any()
    assert out[:, VOICING].max() < 0.5


def test_each_number_is_of_its_part_of_the_frame():
    sound = np.zeros(3 * FRAME_SAMPLES)
    sound[-FRAME_SAMPLES // 2 :] = buzz(200)[: FRAME_SAMPLES // 2]
    last = heard(sound)[-1]
    assert not last[:40].any()
    assert last[40:80].max() > 0.5
    assert last[80] == 0
    assert last[82] > 0.5


def test_after_a_reset_it_has_heard_nothing():
    ear = SmallEar()
    first = heard(buzz(120), ear)
    assert not np.array_equal(heard(buzz(120), ear)[0], first[0])  # its past is the voice
    ear.reset()
    assert np.array_equal(heard(buzz(120), ear), first)


def test_a_stream_of_int16_at_its_limits_is_heard():
    frame = np.full(FRAME_SAMPLES, -32768, np.int16)
    assert np.isfinite(SmallEar().step(frame)).all()
