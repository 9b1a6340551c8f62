"""Sound that is brought by another thread."""

from __future__ import annotations

import numpy as np
import pytest

from kame_ros.audio.devices.fed_source import FedSource
from kame_ros.audio.devices.source import Source
from kame_ros.wire.frame import FRAME_S, FRAME_SAMPLES


def feed(source: FedSource, clock, seq: int, level: int, rate=24_000, channels=1, ms=80) -> None:
    sound = np.full(rate * ms // 1000 * channels, level, np.int16)
    source.feed(sound, rate, channels, clock.t, seq)
    clock.t += ms / 1000


def test_frames_of_the_own_kind_pass_as_they_are(clock) -> None:
    source: Source = FedSource(clock=clock)
    source.open()
    for seq in range(5):
        feed(source, clock, seq, seq + 1)
        frame = source.read()
        assert (frame.seq, set(frame.samples)) == (seq, {seq + 1})
        assert frame.t == pytest.approx(50.0 + seq * FRAME_S)
    assert source.counters()['frames_silent'] == 0


@pytest.mark.parametrize(('rate', 'channels', 'ms'), [(16_000, 1, 20), (48_000, 2, 10)])
def test_any_format(clock, rate: int, channels: int, ms: int) -> None:
    source = FedSource(clock=clock)
    source.open()
    frames = []
    for seq in range(1_600 // ms):
        feed(source, clock, seq, 1_000, rate, channels, ms)
        if (seq + 1) * ms % 80 == 0 and seq * ms >= 160:
            frames.append(source.read())
    assert np.allclose(frames[-1].samples, 1_000, atol=2)
    assert frames[-1].t == pytest.approx(50.0 + (len(frames) - 1) * FRAME_S, abs=0.001)


def test_a_hole_in_the_numbers_is_silence(clock) -> None:
    source = FedSource(clock=clock)
    source.open()
    feed(source, clock, 0, 5)
    clock.t += 2 * FRAME_S
    frames = [source.read()]
    feed(source, clock, 3, 7)
    frames += [source.read() for _ in range(3)]
    assert [int(f.samples[0]) for f in frames] == [5, 0, 0, 7]
    assert [f.t for f in frames] == pytest.approx([50.0 + k * FRAME_S for k in range(4)])
    assert source.counters()['blocks_missing'] == 2


def test_silence_stands_in_for_a_sender_that_is_gone(clock) -> None:
    told: list[str] = []
    source = FedSource(clock=clock, tell=told.append)
    source.open()
    feed(source, clock, 0, 5)
    source.read()
    clock.t += 1.0
    frames = [source.read() for _ in range(8)]
    assert not any(f.samples.any() for f in frames)
    assert len(told) == 1
    feed(source, clock, 1, 9)
    assert source.read().samples.all()
    assert (source.counters()['losses'], source.counters()['frames_silent']) == (1, 8)


def test_the_queue_has_a_bound(clock) -> None:
    source = FedSource(clock=clock)
    source.open()
    for seq in range(40):
        feed(source, clock, seq, 1)
    assert 20 <= source.counters()['blocks_dropped'] <= 30


def test_what_cannot_be_is_refused(clock) -> None:
    with pytest.raises(ValueError, match='sample rate'):
        FedSource(clock=clock).feed(np.zeros(FRAME_SAMPLES, np.int16), 10, 1, 0.0)


def test_a_sender_that_may_pause_has_lost_nothing(clock) -> None:
    told: list[str] = []
    source = FedSource(clock=clock, tell=told.append, may_pause=True)
    source.open()
    clock.t += 1.0
    assert not any(source.read().samples.any() for _ in range(8))
    count = source.counters()
    assert (count['losses'], count['frames_silent'], count['frames_paused']) == (0, 0, 8)
    assert told == []
