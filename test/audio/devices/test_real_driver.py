"""A real capture and a real playback stream, through PulseAudio's null sink and its monitor."""

from __future__ import annotations

import threading
import time
from collections import Counter

import numpy as np
import pytest

from kame_ros.audio.devices.device_sink import DeviceSink
from kame_ros.audio.devices.device_source import DeviceSource
from kame_ros.audio.playout.player import Player
from kame_ros.wire.frame import FRAME_S, FRAME_SAMPLES, Frame

TONE = 440  # Hz
BLOCKS = 4  # of 20 ms in a frame
MOST_LOST = 13  # frames, 1 s; nothing is lost in test_device_source.py and test_device_sink.py


def tone(k: int) -> np.ndarray:
    at = np.arange(k * FRAME_SAMPLES, (k + 1) * FRAME_SAMPLES) / 24_000
    return np.round(8_000 * np.sin(2 * np.pi * TONE * at)).astype(np.int16)


class Ear(threading.Thread):
    """Owns a microphone until it is told to stop."""

    def __init__(self, source: DeviceSource) -> None:
        super().__init__(daemon=True)
        self.source, self.frames, self._over = source, [], threading.Event()
        self.source.open()
        self.start()

    def run(self) -> None:
        while not self._over.is_set():
            self.frames.append(self.source.read())

    def stop(self) -> list[Frame]:
        self._over.set()
        self.join(10)
        self.source.close()
        return self.frames


class Mouth(threading.Thread):
    """Owns a loudspeaker and plays a tone."""

    def __init__(self, sink: DeviceSink) -> None:
        super().__init__(daemon=True)
        self.sink, self.heard, self._over = sink, [], threading.Event()
        self.player = Player(sink, time.monotonic, on_played=self.heard.append)
        sink.open()
        self.start()

    def run(self) -> None:
        k = 0
        while not self._over.is_set():
            self.player.push(Frame(k, 0.0, tone(k)))
            self.player.step()
            k += 1

    def stop(self) -> list[Frame]:
        self._over.set()
        self.join(10)
        self.sink.close()
        return self.heard


def sound_of(frames: list[Frame]) -> np.ndarray:
    return np.concatenate([f.samples for f in frames] or [np.zeros(0)]).astype(float)


CLICK = 250  # of the second difference, which is 106 in the tone itself


def clean_runs(sound: np.ndarray) -> list[np.ndarray]:
    """The parts between clicks; what a lost block leaves is two clicks at most."""
    clicks = np.flatnonzero(np.abs(np.diff(sound, 2)) >= CLICK)
    return [part for part in np.split(sound, clicks + 2) if len(part) > 100]


def has_tone(sound: np.ndarray) -> bool:
    """Whether the longest part without a click is half a second of the tone at least."""
    part = max(clean_runs(sound), key=len, default=sound[:0])
    if len(part) < 12_000:
        return False
    spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part))))
    off = abs(np.argmax(spectrum) * 24_000 / len(part) - TONE)
    return off < 2 and np.abs(part).max() > 4_000


@pytest.mark.parametrize('rate', [24_000, 48_000])
def test_a_tone_goes_through_a_real_driver(pulse, until, rate: int) -> None:
    ear = Ear(DeviceSource('pulse', rate=rate))
    mouth = Mouth(DeviceSink('pulse', rate=rate, channels=2))
    assert until(lambda: sum(f.samples.any() for f in ear.frames) >= 30)
    played, heard = mouth.stop(), ear.stop()
    # The books are exact, however busy the machine is.
    assert [f.seq for f in heard] == list(range(len(heard)))
    assert [f.seq for f in played] == list(range(len(played)))
    sound = sound_of(heard)
    voiced = np.flatnonzero(np.abs(sound) > 500)
    middle = sound[voiced[0] + 2_000 : voiced[-1] - 2_000]
    assert has_tone(middle)
    # The driver runs in real time: a busy machine costs it a block now and then, but not 1 s.
    counters = Counter(ear.source.counters())
    counters.update(mouth.sink.counters())  # the sum
    blocks = counters['blocks_dropped'] + counters['blocks_missing']
    lost = blocks / BLOCKS + counters['frames_silent'] + counters['frames_unplayed']
    assert lost <= MOST_LOST, counters
    assert len(clean_runs(middle)) <= 1 + 2 * MOST_LOST
    for frames in (played, heard):
        steps = np.diff([f.t for f in frames[12:]])
        # A busy machine disturbs the clock's start; it settles, whatever that was.
        assert np.median(np.abs(steps[-10:] - FRAME_S)) < 0.002
        assert sum(np.abs(steps - FRAME_S) > 0.01) <= MOST_LOST


def test_unplugged_and_plugged_in_again_in_mid_run(pulse, until) -> None:
    ear, mouth = Ear(DeviceSource('pulse')), Mouth(DeviceSink('pulse'))
    assert until(lambda: len(ear.frames) > 12 and ear.frames[-1].samples.any())
    pulse.unplug()
    assert until(lambda: ear.source.lost and mouth.sink.lost)
    before, began = (len(ear.frames), len(mouth.heard)), time.monotonic()
    # The rhythm goes on: a frame for each 80 ms, of silence.
    for frames, count in ((ear.frames, before[0]), (mouth.heard, before[1])):
        assert until(lambda frames=frames, count=count: len(frames) - count >= 12)
        assert len(frames) - count <= (time.monotonic() - began) / FRAME_S + 4
        assert not any(f.samples.any() for f in frames[count:])
    pulse.plug_in()
    assert until(lambda: not ear.source.lost and not mouth.sink.lost)
    back = len(ear.frames)
    assert until(lambda: has_tone(sound_of(ear.frames[back:])))
    now, heard = time.monotonic(), ear.stop()
    mouth.stop()
    assert [f.seq for f in heard] == list(range(len(heard)))
    assert heard[-1].end == pytest.approx(now, abs=1.0)
    for device in (ear.source, mouth.sink):
        counters = device.counters()
        assert counters['losses'] == counters['returns'] >= 1
    assert ear.source.counters()['frames_silent'] >= 12
    assert mouth.sink.counters()['frames_unplayed'] >= 10


def test_barge_in_silences_a_real_loudspeaker(pulse, until) -> None:
    ear, mouth = Ear(DeviceSource('pulse', rate=24_000)), Mouth(DeviceSink('pulse', rate=24_000))
    assert until(lambda: len(ear.frames) > 12 and ear.frames[-1].samples.any())
    stopped = time.monotonic()
    mouth.player.fade(1e-6)
    assert until(lambda: not ear.frames[-1].samples.any())
    last = next(f for f in reversed(ear.frames) if np.abs(f.samples).max() > 300)
    took = last.end - stopped
    mouth.stop()
    ear.stop()
    # PulseAudio's own buffer takes most of 0.5 s; the rest is what a busy machine may cost.
    assert took < 0.5 + MOST_LOST * FRAME_S
