import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kame_ros.record.recording import Recording
from kame_ros.wire.frame import FRAME_S, FRAME_SAMPLES, SAMPLE_RATE, Frame


def frame(seq, t, value):
    return Frame(seq, t, np.full(FRAME_SAMPLES, value, np.int16))


def test_frames_lie_without_seams_though_their_stamps_are_rounded():
    recording = Recording()
    for seq in range(10):
        recording.add(frame(seq, 100 + seq * FRAME_S + (seq % 3 - 1) * 1e-4, seq + 1))
    sound = recording.samples(recording.start)
    assert len(sound) == 10 * FRAME_SAMPLES
    assert sound.min() == 1  # no gap
    assert list(sound[::FRAME_SAMPLES]) == list(range(1, 11))


@pytest.mark.parametrize('ppm', [-200, 200])
def test_two_clocks_that_drift_make_no_seam_and_frames_keep_their_time(ppm):
    recording, hertz, count = Recording(), 440.0, 6_250  # frames: 500 s, 100 ms of drift
    tone = 8_000 * np.sin(2 * np.pi * hertz * np.arange(count * FRAME_SAMPLES) / SAMPLE_RATE)
    frames = np.round(tone).astype(np.int16).reshape(count, FRAME_SAMPLES)
    for seq, samples in enumerate(frames):
        recording.add(Frame(seq, 100 + seq * FRAME_S * (1 + ppm * 1e-6), samples))
    sound = recording.samples(100.0).astype(float)
    assert len(sound) == pytest.approx(count * FRAME_SAMPLES * (1 + ppm * 1e-6), abs=125)
    bend = 8_000 * (2 * np.pi * hertz / SAMPLE_RATE) ** 2
    assert np.abs(np.diff(sound[:-20], 2)).max() < 1.1 * bend + 3  # no gap, no click


@given(st.integers(0, 60), st.lists(st.floats(-0.03, 0.03), min_size=1, max_size=40))
def test_frames_in_a_row_lie_side_by_side_and_near_their_stamps(t, offs):
    recording = Recording()
    for seq, off in enumerate([0.0, *offs]):
        recording.add(frame(seq, t + seq * FRAME_S + off, 1))
    sound = recording.samples(float(t))
    assert (sound == 1).all()
    assert abs(len(sound) - (len(offs) + 1) * FRAME_SAMPLES) <= 2 * len(offs)


def test_a_missing_frame_is_silence_in_its_place():
    recording = Recording()
    recording.add(frame(0, 0.0, 1))
    recording.add(frame(2, 2 * FRAME_S, 3))
    sound = recording.samples(0.0)
    assert list(sound[::FRAME_SAMPLES]) == [1, 0, 3]


def test_another_origin_shifts_and_cuts():
    recording = Recording()
    recording.add(frame(0, 1.0, 5))
    late = recording.samples(0.5)
    assert np.flatnonzero(late)[0] == 12_000
    cut = recording.samples(1.04)
    assert len(cut) == FRAME_SAMPLES // 2
    assert len(recording.samples(2.0)) == 0


def test_an_empty_recording():
    assert Recording().start is None
    assert len(Recording().samples(0.0)) == 0


@pytest.mark.parametrize('end', [0, 5_000])
def test_silence_that_was_cut_short_was_played_so_and_speech_was_not(end):
    """20 ms of the first frame were not played, if its end is silent."""
    recording = Recording()
    first, second = np.zeros(1920, np.int16), np.full(1920, 1_000, np.int16)
    first[-480:] = end
    recording.add(Frame(0, 1.0, first))
    recording.add(Frame(1, 1.06, second))
    sound = recording.samples(1.0)
    starts = int(np.argmax(sound == 1_000))
    assert starts == (1920 if end else 1440)
