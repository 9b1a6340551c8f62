from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kame_ros.audio.frame import FRAME_S, FRAME_SAMPLES, Frame
from kame_ros.audio.sink import NullSink, Sink, WavSink
from kame_ros.audio.source import SilenceSource, Source, WavSource
from kame_ros.audio.wav import BadAudio, WavWriter, read_wav


class VirtualClock:
    """Only sleeping moves it, and each sleep is cut short once, as a signal would do."""

    def __init__(self) -> None:
        self.t = 100.0
        self.short = False

    def __call__(self) -> float:
        return self.t

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.short = not self.short
        self.t += seconds / 2 if self.short else seconds


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def question(tmp_path: Path) -> Path:
    path = tmp_path / 'question.wav'
    with WavWriter(path) as writer:
        writer.write(np.ones(FRAME_SAMPLES * 2 + 10, np.int16))
    return path


def test_no_frame_is_given_before_its_last_sample(clock: VirtualClock, question: Path) -> None:
    source: Source = WavSource(question, clock=clock, sleep=clock.sleep)
    source.open()
    for k in range(50):
        frame = source.read()
        assert frame.seq == k
        assert frame.t == pytest.approx(100.0 + k * FRAME_S)
        assert clock.t >= frame.end - 1e-9
        assert clock.t == pytest.approx(frame.end)  # nor later than that
    assert source.counters()['frames_late'] == 0


def test_silence_follows_the_file(clock: VirtualClock, question: Path) -> None:
    source = WavSource(question, clock=clock, sleep=clock.sleep)
    assert not source.ended
    source.open()
    sums, ended = [], []
    for _ in range(5):
        sums.append(int(source.read().samples.sum()))
        ended.append(source.ended)
    assert sums == [FRAME_SAMPLES, FRAME_SAMPLES, 10, 0, 0]
    assert ended == [False, False, True, True, True]
    assert source.counters()['frames_of_file'] == 3
    assert source.counters()['frames_read'] == 5


def test_a_slow_reader_loses_nothing_and_is_counted(clock: VirtualClock, question: Path) -> None:
    source = WavSource(question, clock=clock, sleep=clock.sleep)
    source.open()
    source.read()
    clock.t += 1.0
    before = clock.t
    assert [source.read().seq for _ in range(10)] == list(range(1, 11))
    assert clock.t == before  # all at once: they were due
    assert source.counters()['frames_late'] == 10
    assert source.counters()['max_late_s'] == pytest.approx(0.92)
    assert [source.read().seq for _ in range(3)] == [11, 12, 13]
    assert clock.t == pytest.approx(100.0 + 14 * FRAME_S)  # back in rhythm, no drift


def test_a_source_can_be_opened_again(clock: VirtualClock, question: Path) -> None:
    source = WavSource(question, clock=clock, sleep=clock.sleep)
    for _ in range(2):
        source.open()
        t0 = clock.t
        frame = source.read()
        assert (frame.seq, frame.t, source.ended) == (0, t0, False)
        source.close()
        source.close()


def test_a_bad_file_is_refused_at_open(clock: VirtualClock, tmp_path: Path) -> None:
    with pytest.raises(BadAudio):
        WavSource(tmp_path / 'absent.wav', clock=clock, sleep=clock.sleep).open()


def test_silence_keeps_the_rhythm(clock: VirtualClock) -> None:
    source: Source = SilenceSource(clock=clock, sleep=clock.sleep)
    source.open()
    frames = [source.read() for _ in range(25)]
    assert clock.t == pytest.approx(102.0)
    assert not any(frame.samples.any() for frame in frames)
    assert [frame.seq for frame in frames] == list(range(25))
    assert not source.ended


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
