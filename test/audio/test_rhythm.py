"""Two clocks that differ: stamps, stretching, drift, jitter; all on a virtual clock."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kame_ros.audio.drift import DriftConfig, DriftFollower
from kame_ros.audio.fractional import Stretch, interpolate
from kame_ros.audio.frame import FRAME_S, FRAME_SAMPLES, SAMPLE_RATE, Frame
from kame_ros.audio.jitter import Jitter
from kame_ros.audio.player import Player, PlayerConfig
from kame_ros.audio.stream_clock import StreamClock


def tone(start: int, count: int, hertz: float = 440.0) -> np.ndarray:
    at = (start + np.arange(count)) / SAMPLE_RATE
    return np.round(8_000 * np.sin(2 * np.pi * hertz * at)).astype(np.int16)


def test_between_the_samples_of_a_tone_lies_the_tone() -> None:
    sound = tone(0, 4_000, 5_000.0).astype(np.float32)
    where = np.linspace(100.0, 3_900.0, 3_001)
    exact = 8_000 * np.sin(2 * np.pi * 5_000.0 * where / SAMPLE_RATE)
    assert np.abs(interpolate(sound, where) - exact).max() < 8.0  # -60 dB; int16 rounding is 0.5
    with pytest.raises(ValueError, match='positions'):
        interpolate(sound, np.array([3.0]))


def test_nothing_is_changed_at_0_ppm() -> None:
    stretch = Stretch()
    sound = np.random.default_rng(0).integers(-9_000, 9_000, 5 * FRAME_SAMPLES).astype(np.int16)
    out = np.concatenate([stretch.push(part) for part in sound.reshape(5, -1)])
    assert np.array_equal(out[16:], sound[: len(out) - 16])


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 3_000), st.integers(-1_000, 1_000)), max_size=30))
def test_stretching_makes_no_click_and_no_more_or_less(parts) -> None:
    stretch, out, at, expected = Stretch(), [], 0, 0.0
    for count, ppm in parts:
        out.append(stretch.push(tone(at, count), float(ppm)))
        at += count
        expected += count * (1 - ppm * 1e-6)
    sound = np.concatenate([*out, np.zeros(0, np.int16)]).astype(float)
    assert abs(len(sound) - expected) <= 3 + at * 1e-6
    if len(sound) > 100:
        bend = 8_000 * (2 * np.pi * 440 / SAMPLE_RATE) ** 2
        assert np.abs(np.diff(sound[40:], 2)).max() < 1.1 * bend + 3


@pytest.mark.parametrize('ppm', [-200, 0, 200])
def test_the_clock_of_a_stream_is_found_in_restless_times(ppm: int) -> None:
    clock, unrest = StreamClock(SAMPLE_RATE), random.Random(1)
    late, off = 0.003, 0.0
    for k in range(1, 50 * 300):
        t = k * 480 / SAMPLE_RATE / (1 + ppm * 1e-6)
        clock.update(k * 480, t + unrest.uniform(0.0, 2 * late))
        off = clock.time(k * 480) - t - late
        assert k < 50 * 30 or abs(off) < 0.001
    assert clock.ppm == pytest.approx(ppm, abs=15)
    assert clock.jumps == 0


def test_a_stream_that_slept_is_followed_at_once() -> None:
    clock = StreamClock(SAMPLE_RATE)
    clock.update(480, 1.0)
    clock.update(960, 3.0)
    assert clock.jumps == 1
    assert clock.time(960) == 3.0


class FakeDevice:
    """A sink whose crystal is off; it takes 20 ms at a time. Its clock is the true time."""

    def __init__(self, ppm: float) -> None:
        self.rate = SAMPLE_RATE * (1 + ppm * 1e-6)
        self.t, self.samples, self.on_played = 0.0, 0, lambda frame: None
        self.sound: list[np.ndarray] = []

    def wait(self) -> float:
        due = max(self.t, (self.samples - FRAME_SAMPLES) / self.rate)
        self.t = float(np.ceil(due / 0.02 - 1e-9) * 0.02)
        return self.t

    def write(self, frame: Frame, sound: np.ndarray) -> None:
        self.samples += len(sound)
        self.sound.append(sound)
        self.on_played(frame)

    def flush(self) -> None: ...

    def fade(self, gain: float) -> None: ...

    def counters(self) -> dict[str, float]:
        return {}


def run(ppm: float, minutes: float, unrest: float = 0.003, **config) -> tuple[Player, FakeDevice]:
    device, chance = FakeDevice(ppm), random.Random(2)
    player = Player(device, lambda: device.t, PlayerConfig(**config))
    frames = round(minutes * 60 / FRAME_S)
    arrivals = [k * FRAME_S + 0.03 + abs(chance.gauss(0.0, unrest)) for k in range(frames)]
    done = 0
    while done < frames:
        now = device.wait()
        while done < frames and arrivals[done] <= now:
            device.t = arrivals[done]
            player.push(Frame(done, 0.0, tone(done * FRAME_SAMPLES, FRAME_SAMPLES)))
            done += 1
        device.t = now
        player.step()
    return player, device


@pytest.mark.parametrize('ppm', [-200, 200])
def test_drift_is_followed_without_a_click_or_a_loss(ppm: int) -> None:
    player, device = run(ppm, 10.0)
    counters = player.counters()
    for name in ('concealed', 'underruns', 'dropped_silent', 'dropped_speech', 'late', 'skipped'):
        assert counters[name] == 0, name
    assert counters['drift_ppm'] == pytest.approx(-ppm, abs=20)
    assert counters['depth'] <= 2
    sound = np.concatenate(device.sound[20:]).astype(float)
    assert np.abs(np.diff(sound, 2)).max() < 1.1 * 8_000 * (2 * np.pi * 440 / SAMPLE_RATE) ** 2


def test_without_following_the_buffer_runs_empty() -> None:
    player, _ = run(500, 10.0, follow_drift=False)
    assert player.counters()['underruns'] > 0


def test_the_same_clock_is_left_alone() -> None:
    player, _ = run(0, 3.0)
    assert abs(player.counters()['drift_ppm']) < 15


def test_a_restless_network_raises_the_target() -> None:
    player, _ = run(0, 1.0, unrest=0.06, target_s=0.02)
    counters = player.counters()
    assert counters['target_ms'] == pytest.approx(counters['jitter_ms'], abs=0.1)
    assert counters['target_ms'] > 100
    assert counters['underruns'] + counters['late'] < 15
    player, _ = run(0, 1.0, unrest=0.06, target_s=0.02, max_target_s=0.1)
    assert player.counters()['target_ms'] == 100


def test_jitter_is_the_spread_without_the_worst() -> None:
    jitter = Jitter()
    for seq in range(300):
        jitter.push(seq, seq * FRAME_S + (0.03 if seq % 2 else 0.0) + (2.0 if seq == 150 else 0.0))
    assert jitter.spread == pytest.approx(0.03)
    jitter.push(0, 500.0)
    assert jitter.spread == 0.0


def test_the_follower_stays_within_what_is_not_heard() -> None:
    follower = DriftFollower(DriftConfig(max_ppm=300.0))
    ppms = [follower.update(0.1 + (0.05 if k > 100 else 0.0), FRAME_S) for k in range(2_000)]
    assert max(ppms) == 300.0
    assert min(ppms) >= 0.0
    follower.shift(0.05)
    assert follower.goal == pytest.approx(0.15)


def test_a_stop_forgets_what_waits() -> None:
    player, _ = run(0, 0.1)
    for seq in range(1_000, 1_004):
        player.push(Frame(seq, 0.0, tone(0, FRAME_SAMPLES)))
    assert player.stop_speech() in (4, 5)  # one may have waited already
    assert player.stop_speech() == 0
    assert player.counters()['stops'] == 2


def test_bad_config_is_refused() -> None:
    with pytest.raises(ValueError, match='target'):
        PlayerConfig(target_s=1.0, max_target_s=0.5)
