import numpy as np
import pytest

from kame_ros.record.voiced import Segment, first_sound, last_sound, voiced

RATE = 24_000


def tone(seconds, level=8000.0):
    return (level * np.sin(np.arange(int(seconds * RATE)) * 0.1)).astype(np.int16)


def quiet(seconds, noise=0.0):
    return np.random.default_rng(0).normal(0, noise, int(seconds * RATE)).astype(np.int16)


def test_tones_are_found_to_ten_milliseconds():
    sound = np.concatenate([quiet(0.5), tone(1.0), quiet(0.7), tone(0.3), quiet(0.5)])
    (first, second) = voiced(sound)
    assert (first.start, first.end) == pytest.approx((0.5, 1.5), abs=0.011)
    assert (second.start, second.end) == pytest.approx((2.2, 2.5), abs=0.011)


def test_a_short_gap_is_bridged():
    sound = np.concatenate([tone(0.5), quiet(0.2), tone(0.5)])
    assert len(voiced(sound)) == 1


def test_a_click_is_no_speech():
    assert voiced(np.concatenate([quiet(0.5), tone(0.02), quiet(0.5)])) == []


@pytest.mark.parametrize('sound', [quiet(0), quiet(0.001), quiet(2), quiet(2, noise=20)])
def test_silence_and_faint_noise_hold_nothing(sound):
    assert voiced(sound) == []


def test_noise_thirty_decibels_below_the_speech_is_silence():
    sound = np.concatenate([quiet(0.5, 150), tone(1.0), quiet(0.5, 150)])
    (segment,) = voiced(sound)
    assert segment.start == pytest.approx(0.5, abs=0.011)


def test_first_and_last():
    segments = [Segment(1, 2), Segment(3, 4)]
    assert last_sound(segments, 0, 2.5) == 2
    assert last_sound(segments, 0, 10) == 4
    assert last_sound(segments, 2.1, 2.9) is None
    assert first_sound(segments, 1.5, 9) == 3
    assert first_sound(segments, 0, 9) == 1
    assert first_sound(segments, 4, 9) is None
