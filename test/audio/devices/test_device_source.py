"""A microphone against a PortAudio of the tests' own, on a clock of the test's own."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from kame_ros.audio.devices.device_source import DeviceSource
from kame_ros.audio.devices.source import Source
from kame_ros.wire.frame import FRAME_S, FRAME_SAMPLES


def test_blocks_of_20_ms_become_frames_of_80(fake, clock) -> None:
    source: Source = DeviceSource(rate=24_000, clock=clock)
    source.prepare()
    assert not fake.streams[0].started
    source.open()
    assert fake.streams[0].started
    assert (fake.asked['frames_per_buffer'], fake.asked['input_device_index']) == (480, 0)
    sound = np.arange(2 * FRAME_SAMPLES).astype(np.int16)
    clock.record(fake.streams[0], sound[:, None])
    frames = [source.read(), source.read()]
    assert [f.seq for f in frames] == [0, 1]
    assert [f.t for f in frames] == pytest.approx([50.0, 50.0 + FRAME_S])
    assert np.array_equal(np.concatenate([f.samples for f in frames]), sound)
    source.close()
    source.close()
    assert fake.streams[0].closed
    assert fake.terminated == 1


def test_it_can_be_opened_again(fake, clock) -> None:
    source = DeviceSource(rate=24_000, clock=clock)
    for k in range(2):
        source.open()
        clock.record(fake.streams[k], np.full((FRAME_SAMPLES, 1), k + 1, np.int16))
        frame = source.read()
        assert (frame.seq, frame.samples[0]) == (0, k + 1)
        source.close()


@pytest.mark.parametrize(('channel', 'level'), [(0, 1_000), (3, 4_000), (-1, 2_500)])
@pytest.mark.parametrize('sample_format', ['int16', 'float32'])
def test_an_array_at_its_own_rate(
    fake, clock, channel: int, level: int, sample_format: str
) -> None:
    source = DeviceSource(
        'array', channels=4, channel=channel, sample_format=sample_format, clock=clock
    )
    source.open()
    assert fake.asked['rate'] == 16_000
    assert fake.asked['format'] == (8 if sample_format == 'int16' else 1)
    sound = np.tile(np.array([[1_000, 2_000, 3_000, 4_000]], np.int16), (6_400, 1))
    if sample_format == 'float32':
        sound = (sound / 32_768).astype(np.float32)
    clock.record(fake.streams[0], sound)
    samples = np.concatenate([source.read().samples for _ in range(4)])
    assert np.allclose(samples[2_000:], level, atol=2)


def test_a_channel_alone_opens_them_all(fake, clock) -> None:
    DeviceSource('array', channel=2, clock=clock).open()
    assert fake.asked['channels'] == 4


def test_a_reader_that_sleeps_loses_the_oldest_and_counts(fake, clock) -> None:
    source = DeviceSource(rate=24_000, clock=clock)
    source.open()
    sound = np.repeat(np.arange(40, dtype=np.int16), 480)
    clock.record(fake.streams[0], sound[:, None])
    assert source.read().samples[0] == 15
    assert source.counters()['blocks_dropped'] == 15


def test_stamps_follow_a_device_that_is_fast(fake, clock) -> None:
    source = DeviceSource(rate=24_000, clock=clock)
    source.open()
    block = np.ones((480, 1), np.int16).tobytes()
    callback = fake.streams[0].callback
    stamps = []
    for _ in range(45_000 // 4):  # a quarter of an hour, 200 ppm fast
        for _ in range(4):
            clock.t += 0.02 / 1.0002
            callback(block, 480, {}, 0)
        stamps.append(source.read().t)
    assert stamps[-1] + FRAME_S == pytest.approx(clock.t, abs=0.002)
    assert np.diff(stamps[-100:]) == pytest.approx(FRAME_S / 1.0002, abs=1e-6)
    counters = source.counters()
    assert counters['clock_ppm'] == pytest.approx(200, abs=5)
    assert counters['frames_silent'] == counters['clock_jumps'] == 0


def test_a_device_that_hesitates_is_silence_in_rhythm(fake, clock) -> None:
    source = DeviceSource(rate=24_000, clock=clock)
    source.open()
    clock.t += 0.55  # nothing came for so long
    frames = [source.read() for _ in range(5)]
    assert [f.seq for f in frames] == list(range(5))
    assert not any(f.samples.any() for f in frames)
    assert not source.lost
    clock.record(fake.streams[0], np.ones((FRAME_SAMPLES + 480, 1), np.int16))
    frame = source.read()
    assert frame.samples.all()
    assert frame.seq == 5
    assert source.counters()['frames_silent'] == 5


def test_a_device_that_is_pulled_out_is_found_again(fake, clock, until) -> None:
    told: list[str] = []
    source = DeviceSource(rate=24_000, clock=clock, tell=told.append)
    source.open()
    clock.record(fake.streams[0], np.full((FRAME_SAMPLES, 1), 5, np.int16))
    frames = [source.read()]
    fake.plugged = False
    while not source.lost:
        clock.t += FRAME_S
        frames.append(source.read())
    for _ in range(5):
        clock.t += FRAME_S
        frames.append(source.read())
    fake.plugged = True
    assert until(lambda: not source.lost)
    assert fake.streams[0].closed
    clock.record(fake.streams[1], np.full((FRAME_SAMPLES + 480, 1), 7, np.int16))
    frames.append(source.read())
    assert [f.seq for f in frames] == list(range(len(frames)))
    assert all(b.t - a.t > 0.0 for a, b in pairwise(frames))
    assert (frames[0].samples[0], frames[-1].samples[0]) == (5, 7)
    counters = source.counters()
    assert counters['frames_silent'] == len(frames) - 2
    assert (counters['losses'], counters['returns']) == (1, 1)
    assert 'USB Mic' in told[0]
    assert 'waiting' in told[0]
    assert told[1].endswith('is back')
    source.close()


def test_it_can_be_closed_while_the_device_is_away(fake, clock) -> None:
    source = DeviceSource(rate=24_000, clock=clock)
    source.open()
    fake.plugged = False
    while not source.lost:
        clock.t += FRAME_S
        source.read()
    source.close()
    assert not source.lost
    assert fake.streams[0].closed
