"""A loudspeaker against a PortAudio of the tests' own, on a clock of the test's own."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from kame_ros.audio.devices.device_sink import DeviceSink
from kame_ros.audio.devices.sink import Sink
from kame_ros.wire.frame import FRAME_SAMPLES, Frame


def write(sink: Sink, k: int, samples: np.ndarray | None = None) -> None:
    t = sink.wait()
    frame = Frame(k, t) if samples is None else Frame(k, t, samples)
    sink.write(frame, frame.samples)


def played(data: bytes, channels: int = 1) -> np.ndarray:
    return np.frombuffer(data, np.int16).reshape(-1, channels)


def test_a_loudspeaker_plays_all_channels_in_order(fake, clock) -> None:
    heard: list[Frame] = []
    sink: Sink = DeviceSink(rate=24_000, channels=2, clock=clock, on_played=heard.append)
    sink.open()
    sound = np.arange(2 * FRAME_SAMPLES).astype(np.int16)
    assert clock.take(fake.streams[0], 1) == bytes(480 * 4)
    for k in range(2):
        write(sink, k, sound[k * FRAME_SAMPLES : (k + 1) * FRAME_SAMPLES])
    both = played(clock.take(fake.streams[0], 8), 2)
    assert np.array_equal(both[:, 0], sound)
    assert np.array_equal(both[:, 1], sound)
    sink.wait()
    assert [f.seq for f in heard] == [0, 1]
    # A block is taken 10 ms, the device's latency, before it is heard.
    assert [f.t for f in heard] == pytest.approx([50.04 + 0.01, 50.12 + 0.01], abs=1e-3)
    assert sink.counters()['blocks_missing'] == 0
    clock.take(fake.streams[0], 1)
    assert sink.counters()['blocks_missing'] == 1


@pytest.mark.parametrize('rate', [16_000, 44_100, 48_000])
def test_any_rate(fake, clock, rate: int) -> None:
    sink = DeviceSink(rate=rate, channels=1, sample_format='float32', clock=clock)
    sink.open()
    wave = np.round(8_192 * np.sin(2 * np.pi * 500 * np.arange(25 * FRAME_SAMPLES) / 24_000))
    data = b''
    for k, samples in enumerate(wave.astype(np.int16).reshape(25, -1)):
        write(sink, k, samples)
        data += clock.take(fake.streams[0], 4)
    sound = np.frombuffer(data, np.float32)[rate // 2 : rate // 2 + rate]
    spectrum = np.abs(np.fft.rfft(sound))
    assert np.argmax(spectrum) == 500
    assert np.abs(sound).max() == pytest.approx(0.25, rel=0.01)


def test_a_loudspeaker_sets_the_rhythm(fake) -> None:
    sink = DeviceSink(rate=24_000, channels=1, clock=lambda: 50.0)
    sink.open()
    done = []

    def own() -> None:
        for k in range(5):
            write(sink, k)
            done.append(k)

    thread = threading.Thread(target=own)
    thread.start()
    for taken in range(4 * 3 + 1):  # with each four blocks played one more frame is taken
        while len(done) < 2 + taken // 4 and thread.is_alive():
            time.sleep(0.001)
        assert len(done) == 2 + taken // 4
        fake.streams[0].callback(None, 480, {}, 0)
    thread.join(5)
    assert done == [0, 1, 2, 3, 4]


def test_flush_fades_within_a_block_and_what_is_flushed_was_not_played(fake, clock) -> None:
    heard: list[Frame] = []
    sink = DeviceSink(rate=24_000, channels=1, clock=clock, on_played=heard.append)
    sink.open()
    for k in range(2):
        write(sink, k, np.full(FRAME_SAMPLES, 8_000, np.int16))
    clock.take(fake.streams[0], 2)
    sink.flush()
    sound = played(clock.take(fake.streams[0], 3))[:, 0].astype(int)
    assert sound[0] == 8_000
    assert np.abs(np.diff(sound)).max() < 20
    assert not sound[480:].any()
    sink.wait()
    assert [f.seq for f in heard] == [0]
    counters = sink.counters()
    assert (counters['frames_flushed'], counters['blocks_flushed']) == (1, 5)


def test_fade_is_heard_from_the_next_block_on(fake, clock) -> None:
    heard: list[Frame] = []
    sink = DeviceSink(rate=24_000, channels=1, clock=clock, on_played=heard.append)
    sink.open()
    loud = np.full(FRAME_SAMPLES, 8_000, np.int16)
    write(sink, 0, loud)
    clock.take(fake.streams[0], 1)
    sink.fade(0.25)
    write(sink, 1, loud)
    sound = played(clock.take(fake.streams[0], 7))[:, 0].astype(int)
    assert sound[0] == 8_000
    assert set(sound[480:]) == {2_000}
    assert np.abs(np.diff(sound)).max() < 20
    sink.wait()
    assert [int(f.samples[0]) for f in heard] == [8_000, 2_000]


def test_a_dead_loudspeaker_does_not_stop_the_conversation(fake) -> None:
    heard: list[Frame] = []
    sink = DeviceSink(rate=24_000, channels=1, clock=time.monotonic, on_played=heard.append)
    sink.open()
    start = time.monotonic()
    for k in range(8):
        write(sink, k, np.ones(FRAME_SAMPLES, np.int16))
    assert 0.3 <= time.monotonic() - start <= 3.0
    unplayed = sink.counters()['frames_unplayed']
    assert 4 <= unplayed <= 6  # at 0.6 s it is looked for, found, and given another chance
    assert not any(f.samples.any() for f in heard)  # nobody is told that it was heard
    assert len(heard) == unplayed
    sink.close()


def test_a_loudspeaker_that_is_pulled_out_is_found_again(fake, until) -> None:
    told: list[str] = []
    sink = DeviceSink(rate=24_000, channels=1, clock=time.monotonic, tell=told.append)
    sink.open()
    fake.plugged = False
    k = 0
    while not sink.lost:
        write(sink, k)
        k += 1
    fake.plugged = True
    assert until(lambda: not sink.lost)
    for _ in range(2):
        fake.streams[1].callback(None, 480, {}, 0)
    for k in range(2):
        write(sink, k, np.full(FRAME_SAMPLES, 9, np.int16))
    sound = b''.join(fake.streams[1].callback(None, 480, {}, 0)[0] for _ in range(4))
    assert played(sound).all()
    assert fake.streams[0].closed
    assert (sink.counters()['losses'], sink.counters()['returns']) == (1, 1)
    assert len(told) == 2
    sink.close()
