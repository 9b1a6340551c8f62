"""A clock that is set, as by a simulation that begins anew: sound goes on. On a virtual clock."""

from __future__ import annotations

import numpy as np
import pytest

from kame_ros.audio.devices.sink import NullSink, WavSink
from kame_ros.audio.devices.source import SilenceSource, WavSource
from kame_ros.audio.playout.jitter import Jitter
from kame_ros.audio.playout.player import Player, PlayerConfig
from kame_ros.audio.wav import WavWriter, read_wav
from kame_ros.wire.frame import FRAME_S, FRAME_SAMPLES, Frame

LOUD = np.full(FRAME_SAMPLES, 8_000, np.int16)


class FakeClock:
    """Time that passes in `sleep` only, 5 ms at a time, and can be set in the middle of one."""

    def __init__(self, jumps: dict[float, float]) -> None:
        self.now, self.true = 1_000.0, 0.0  # what it shows, and how long it runs
        self._jumps = sorted(jumps.items())

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        end = self.now + seconds
        while self.now < end:
            self.now += 0.005
            self.true += 0.005
            if self._jumps and self.true >= self._jumps[0][0]:
                self.now += self._jumps.pop(0)[1]
                return  # as NodeClock does


@pytest.mark.parametrize('jump', [-500.0, 1_000.0, -2.0, 11.0, -1e9, 1.7e9])
@pytest.mark.parametrize('at', [4.0, 4.02, 4.075])
def test_playback_goes_on_at_its_rhythm(jump: float, at: float) -> None:
    clock = FakeClock({at: jump})
    sink = NullSink(clock=clock, sleep=clock.sleep)
    played: list[Frame] = []
    player = Player(sink, clock, PlayerConfig(), played.append)
    sink.open()
    sent = 0
    while clock.true < 12.0:
        while sent * FRAME_S <= clock.true:
            player.push(Frame(sent, clock.now, LOUD))
            sent += 1
        player.step()
    loud = [frame for frame in played if frame.peak > 4_000]
    assert abs(len(played) - 150) <= 3  # 12.5 a second: no silence of 500 s, no burst of it
    assert len(loud) >= 143
    assert abs(played[-1].t - clock.now) < 0.2
    assert player.counters()['clock_jumps'] == 1
    if abs(jump) > 5.0:  # less may as well be a restless network: the target is raised for 20 s
        assert player.counters()['target_ms'] < 200


@pytest.mark.parametrize('jump', [-500.0, 1_000.0])
def test_sources_go_on_at_their_rhythm(tmp_path, jump: float) -> None:
    path = tmp_path / 'tone.wav'
    writer = WavWriter(path)
    writer.write(np.tile(LOUD, 60))
    writer.close()
    for kind in ('silence', 'wav'):
        clock = FakeClock({2.0: jump})
        if kind == 'wav':
            source = WavSource(path, clock=clock, sleep=clock.sleep)
        else:
            source = SilenceSource(clock=clock, sleep=clock.sleep)
        source.open()
        frames = []
        while clock.true < 6.0:
            frames.append(source.read())
        assert abs(len(frames) - 75) <= 2
        assert [frame.seq for frame in frames] == list(range(len(frames)))
        steps = np.diff([frame.t for frame in frames])
        assert np.count_nonzero(abs(steps - FRAME_S) > 0.01) == 1
        assert abs(frames[-1].end - clock.now) < 0.2
        if kind == 'wav':
            assert sum(frame.peak > 4_000 for frame in frames) == 60


def test_a_recording_holds_what_was_played(tmp_path) -> None:
    clock = FakeClock({2.0: 1_000.0, 4.0: -700.0})
    sink = WavSink(tmp_path / 'out.wav', clock=clock, sleep=clock.sleep)
    sink.open()
    k = 0
    while clock.true < 6.0:
        sink.write(Frame(k, sink.wait(), LOUD), LOUD)
        k += 1
    sink.close()
    assert read_wav(tmp_path / 'out.wav').duration == pytest.approx(6.0, abs=0.3)


def test_a_machine_that_was_busy_for_a_while_catches_up() -> None:
    clock = FakeClock({2.0: 5.0})  # shorter than what is taken for a jump
    sink = NullSink(clock=clock, sleep=clock.sleep)
    sink.open()
    count = 0
    while clock.true < 4.0:
        sink.write(Frame(count, sink.wait(), LOUD), LOUD)
        count += 1
    assert abs(count - (4.0 + 5.0) / FRAME_S) <= 2
    assert sink.counters()['clock_jumps'] == 0


def test_a_set_clock_is_no_restless_network() -> None:
    jitter = Jitter()
    for seq in range(100):
        jitter.push(seq, seq * FRAME_S + (-500.0 if seq >= 50 else 0.0))
    assert jitter.spread_s < 0.001
