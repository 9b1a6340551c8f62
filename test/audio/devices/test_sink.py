"""Sinks that keep the rhythm of a clock: a file and nowhere. On a virtual clock."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from virtual_clock import VirtualClock

from kame_ros.audio.devices.sink import NullSink, Sink, WavSink
from kame_ros.audio.wav import BadAudio, read_wav
from kame_ros.wire.frame import FRAME_S, FRAME_SAMPLES, Frame


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


def test_a_wav_sink_writes_all_at_its_time(clock: VirtualClock, tmp_path: Path) -> None:
    path = tmp_path / 'answer.wav'
    sink: Sink = WavSink(path, clock=clock, sleep=clock.sleep)
    sink.open()
    for k in range(10):
        t = sink.wait()
        assert t == pytest.approx(100.0 + k * FRAME_S)
        assert clock.t >= t - 1e-9
        frame = Frame(k, t, np.full(FRAME_SAMPLES, k, np.int16))
        sink.write(frame, frame.samples)
    sink.close()
    sink.close()
    samples = read_wav(path).samples.reshape(10, FRAME_SAMPLES)
    assert samples[:, 0].tolist() == list(range(10))
    assert sink.counters()['frames_written'] == 10


def test_a_null_sink_keeps_the_rhythm(clock: VirtualClock) -> None:
    sink: Sink = NullSink(clock=clock, sleep=clock.sleep)
    sink.open()
    for k in range(25):
        sink.write(Frame(k, sink.wait()), np.zeros(FRAME_SAMPLES, np.int16))
    assert clock.t == pytest.approx(100.0 + 24 * FRAME_S)


def test_a_sink_plays_more_slowly_where_the_sound_is_longer(clock: VirtualClock) -> None:
    sink = NullSink(clock=clock, sleep=clock.sleep)
    sink.open()
    for k in range(25):
        sink.write(Frame(k, sink.wait()), np.zeros(FRAME_SAMPLES + 24, np.int16))
    assert clock.t == pytest.approx(100.0 + 24 * (FRAME_S + 0.001))


def test_a_faded_sink_tells_what_is_heard(clock: VirtualClock, tmp_path: Path) -> None:
    heard: list[Frame] = []
    path = tmp_path / 'a.wav'
    sink = WavSink(path, clock=clock, sleep=clock.sleep, on_played=heard.append)
    sink.open()
    loud = Frame(0, sink.wait(), np.full(FRAME_SAMPLES, 8_000, np.int16))
    for gain in (1.0, 0.25, 1.0):
        sink.fade(gain)
        sink.write(loud, loud.samples)
    sink.close()
    assert [int(frame.samples[0]) for frame in heard] == [8_000, 2_000, 8_000]
    assert read_wav(path).samples.reshape(3, -1)[:, 0].tolist() == [8_000, 2_000, 8_000]


def test_a_sink_that_cannot_be_written(clock: VirtualClock, tmp_path: Path) -> None:
    with pytest.raises(BadAudio):
        WavSink(tmp_path / 'absent' / 'a.wav', clock=clock, sleep=clock.sleep).prepare()


def test_a_recording_is_never_written_over(clock: VirtualClock, tmp_path: Path) -> None:
    path = tmp_path / 'a.wav'

    def record(sink: WavSink, value: int, frames: int) -> None:
        sink.open()
        for _ in range(frames):
            sound = np.full(FRAME_SAMPLES, value, np.int16)
            sink.write(Frame(0, sink.wait(), sound), sound)
        sink.close()

    one = WavSink(path, clock=clock, sleep=clock.sleep)
    record(one, 1, 3)
    record(one, 2, 2)  # the same sink is opened again
    record(WavSink(path, clock=clock, sleep=clock.sleep), 3, 1)  # by the next process
    names = ('a.wav', 'a-2.wav', 'a-3.wav')
    read = [read_wav(tmp_path / name).samples for name in names]
    assert [(int(s[0]), len(s) // FRAME_SAMPLES) for s in read] == [(1, 3), (2, 2), (3, 1)]


def test_a_file_without_sound_is_used(clock: VirtualClock, tmp_path: Path) -> None:
    sink = WavSink(tmp_path / 'a.wav', clock=clock, sleep=clock.sleep)
    sink.prepare()
    sink.close()
    sink.prepare()  # as a node does that is configured again
    assert sink.path == tmp_path / 'a.wav'
    sink.close()
