import numpy as np

from kame_ros.audio.frame import FRAME_S, FRAME_SAMPLES, Frame
from kame_ros.dialogue.recording import Recording


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
