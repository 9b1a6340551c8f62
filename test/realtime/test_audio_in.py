"""Sound of any block size becomes frames in the rhythm of a microphone, on virtual time."""

import numpy as np
import pytest

from kame_ros.realtime.audio_in import MOST_S, AudioIn, TooMuchSound
from kame_ros.wire.frame import FRAME_S, FRAME_SAMPLES

FRAME = 2 * FRAME_SAMPLES  # bytes


def pcm(samples, value=1000):
    return np.full(samples, value, '<i2').tobytes()


def loud(frames):
    return [int(frame.peak > 0) for frame in frames]


def test_blocks_of_40_ms_are_a_frame_as_soon_as_there_are_two():
    sound, t, frames = AudioIn(0.0), 0.0, []
    for block in range(100):
        t = 0.04 * (block + 1)
        sound.append(pcm(960, block))
        frames += sound.take(t)
    assert [frame.seq for frame in frames] == list(range(50))
    assert [int(frame.samples[0]) for frame in frames] == list(range(0, 100, 2))
    assert [round(frame.t / FRAME_S) for frame in frames] == list(range(50))
    assert sound.frames_silent == 0


def test_odd_blocks_lose_nothing():
    sound, frames = AudioIn(0.0), []
    ramp = np.arange(FRAME_SAMPLES * 10, dtype='<i2')
    for start in range(0, len(ramp), 333):
        sound.append(ramp[start : start + 333].tobytes())
        frames += sound.take(start / 24_000)
    frames += sound.take(1.0)
    assert np.array_equal(np.concatenate([f.samples for f in frames]), ramp)


def test_a_file_sent_at_once_is_heard_in_real_time():
    sound = AudioIn(0.0)
    sound.append(pcm(FRAME_SAMPLES * 100))
    heard = [len(sound.take(ms / 1000)) for ms in range(0, 8_000, 20)]
    assert sum(heard) == 100
    assert heard[0] == 3  # as much as may come at once after a pause of the network
    assert max(heard[1:]) == 1
    assert sum(heard[:200]) <= 4.0 / FRAME_S + 3


def test_a_client_that_sends_nothing_is_silent():
    sound, frames = AudioIn(0.0), []
    for ms in range(0, 10_000, 40):
        frames += sound.take(ms / 1000)
    assert loud(frames) == [0] * len(frames)
    assert 118 <= len(frames) <= 125
    assert sound.frames_silent == len(frames)


def test_after_silence_sound_is_heard_at_once():
    sound = AudioIn(0.0)
    for ms in range(0, 5_000, 40):
        sound.take(ms / 1000)
    sound.append(pcm(FRAME_SAMPLES))
    assert loud(sound.take(5.0)) == [1]


def test_a_client_that_was_away_is_not_heard_twice_as_fast():
    sound = AudioIn(0.0)
    sound.append(pcm(FRAME_SAMPLES * 50))
    frames = sound.take(30.0)
    assert len(frames) <= 7  # half a second
    assert [f.t for f in frames] == pytest.approx(
        [30.0 - 0.08 * n for n in range(len(frames), 0, -1)]
    )


def test_the_end_of_what_was_sent_is_heard_too():
    sound = AudioIn(0.0)
    sound.append(pcm(100))
    assert sound.take(0.1) == []
    (frame,) = sound.take(0.25)
    assert np.count_nonzero(frame.samples) == 100


def test_too_much_at_once_is_refused_with_its_length():
    with pytest.raises(TooMuchSound, match=r'200\.0 s of sound are too much where 0 s wait'):
        AudioIn(0.0).append(bytes(FRAME * round(200 / FRAME_S)))


def test_too_much_is_refused_whole_and_counted():
    sound = AudioIn(0.0)
    sound.append(bytes(FRAME * int(MOST_S / FRAME_S)))
    with pytest.raises(TooMuchSound, match='real time'):
        sound.append(bytes(FRAME))
    assert sound.refused_bytes == FRAME
    assert round(sound.clear()) == MOST_S
    assert sound.waiting_s == 0.0


def test_half_a_sample_is_no_sound():
    with pytest.raises(ValueError, match='two bytes'):
        AudioIn(0.0).append(b'123')


def test_silence_that_ends_turns_is_bounded_too():
    sound = AudioIn(0.0)
    sound.append(pcm(FRAME_SAMPLES * round(MOST_S / FRAME_S)))
    waiting = []
    for _ in range(1_000):
        sound.append_silence(2.0)
        waiting.append(sound.waiting_s)
    assert waiting[0] == pytest.approx(MOST_S + 2.0)  # the turn that fills it ends
    assert waiting[-1] == waiting[0]
