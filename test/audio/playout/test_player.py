"""Two clocks that differ, on a virtual clock: drift is followed, a restless network bridged."""

from __future__ import annotations

import random

import numpy as np
import pytest

from kame_ros.audio.playout.drift import DriftConfig, DriftFollower
from kame_ros.audio.playout.player import Player, PlayerConfig
from kame_ros.wire.frame import FRAME_S, FRAME_SAMPLES, SAMPLE_RATE, Frame


def tone(start: int, count: int, hertz: float = 440.0) -> np.ndarray:
    at = (start + np.arange(count)) / SAMPLE_RATE
    return np.round(8_000 * np.sin(2 * np.pi * hertz * at)).astype(np.int16)


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
    player, _ = run(0, 1.0, unrest=0.06, target_ms=20.0)
    counters = player.counters()
    assert counters['target_ms'] == pytest.approx(counters['jitter_ms'], abs=0.1)
    assert counters['target_ms'] > 100
    assert counters['underruns'] + counters['late'] < 15
    player, _ = run(0, 1.0, unrest=0.06, target_ms=20.0, max_target_ms=100.0)
    assert player.counters()['target_ms'] == 100


class ExactDevice(FakeDevice):
    """Takes a frame when the one before is over."""

    def wait(self) -> float:
        return self.samples / self.rate


def delays(phase: float, speaks: int, late: tuple[int, ...] = ()) -> tuple[list[float], Player]:
    """From when a frame comes to when it is played; the frames `late` come 0.1 s late.

    Frames from `speaks` on are speech, the others silent.
    """
    device, found = ExactDevice(0.0), []
    player = Player(device, lambda: device.t, PlayerConfig(follow_drift=False))
    came = [k * FRAME_S + phase + (0.1 if k in late else 0.0) for k in range(speaks + 20)]
    waiting = list(enumerate(came))
    while waiting or player.counters()['depth']:
        now = device.wait()
        while waiting and waiting[0][1] <= now:
            seq, device.t = waiting.pop(0)
            sound = tone(0, FRAME_SAMPLES) if seq >= speaks else np.zeros(FRAME_SAMPLES, np.int16)
            player.push(Frame(seq, 0.0, sound))
        device.t = now
        frame = player.step()
        if frame.source_seq >= 0:
            found.append(now - frame.source_seq * FRAME_S - phase)
            assert len(device.sound[-1]) == FRAME_SAMPLES or frame.source_seq < speaks
    return found, player


@pytest.mark.parametrize('phase', [0.001, 0.019, 0.021, 0.04, 0.079])
def test_in_silence_the_delay_becomes_what_it_has_to_be(phase: float) -> None:
    found, player = delays(phase, 40)
    assert 0.06 - 1e-6 <= found[0] <= 0.06 + FRAME_S
    assert all(0.06 - 1e-6 <= delay <= 0.068 + 1e-6 for delay in found[40:])
    counters = player.counters()
    assert counters['shortened_ms'] == pytest.approx(1e3 * (found[0] - found[-1]), abs=0.3)
    assert (counters['underruns'], counters['dropped_silent'], counters['late']) == (0, 0, 0)


def test_what_a_hole_has_added_stays_for_a_while() -> None:
    found, player = delays(0.019, 100, late=(40,))
    assert player.counters()['underruns'] == 1
    assert found[-1] == pytest.approx(found[39] + FRAME_S, abs=1e-3)
    found, player = delays(0.019, 340, late=(40,))
    assert found[-1] <= 0.068 + 1e-6


def test_speech_is_never_shortened() -> None:
    found, player = delays(0.021, 3)
    assert found == pytest.approx([found[0]] * 23, abs=1e-6)
    assert player.counters()['shortened_ms'] == 0


def test_the_follower_stays_within_what_is_not_heard() -> None:
    follower = DriftFollower(DriftConfig(max_ppm=300.0))
    ppms = [follower.update(0.1 + (0.05 if k > 100 else 0.0), FRAME_S) for k in range(2_000)]
    assert max(ppms) == 300.0
    assert min(ppms) >= 0.0


def test_a_stop_forgets_what_waits() -> None:
    player, _ = run(0, 0.1)
    for seq in range(1_000, 1_004):
        player.push(Frame(seq, 0.0, tone(0, FRAME_SAMPLES)))
    assert player.stop_speech() in (4, 5)  # one may have waited already
    assert player.stop_speech() == 0
    assert player.counters()['stops'] == 2


def test_bad_config_is_refused() -> None:
    with pytest.raises(ValueError, match='target_ms is between'):
        PlayerConfig(target_ms=-1.0)
    assert PlayerConfig(target_ms=1000.0, max_target_ms=500.0).max_target_s == 1.0
