"""Sources that keep the rhythm of a clock: a file and silence. On a virtual clock."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from virtual_clock import VirtualClock

from kame_ros.audio.devices.source import SilenceSource, Source, WavSource
from kame_ros.audio.wav import BadAudio, WavWriter
from kame_ros.wire.frame import FRAME_S, FRAME_SAMPLES


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
