"""Plays frames of speech as they come: through the jitter buffer to a sink that never waits."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace

from kame_ros.audio.devices.pace import Clock
from kame_ros.audio.devices.sink import OnPlayed, Sink, ignore
from kame_ros.audio.playout.buffer import Playout, PlayoutConfig, is_silent
from kame_ros.audio.playout.drift import DriftConfig, DriftFollower
from kame_ros.audio.playout.fractional import Stretch
from kame_ros.audio.playout.jitter import Jitter
from kame_ros.audio.playout.spare import SpareMargin
from kame_ros.settings.param import check_settings, setting
from kame_ros.wire.frame import FRAME_S, SAMPLE_RATE, Frame

_JUMP_S = 5.0


@dataclass(frozen=True)
class PlayerConfig:
    """How much later than its time speech is played, and how fast. ms, and parts per million."""

    target_ms: float = setting(
        60.0, 'So much later than its time a frame may come.', low=0.0, high=2000.0
    )
    max_target_ms: float = setting(
        800.0,
        'A restless network may raise target_ms to this, by itself.',
        low=0.0,
        high=5000.0,
    )
    slack_ms: float = setting(
        160.0,
        'How far above the target the delay may grow before a silent frame is left out.',
        low=0.0,
        high=2000.0,
    )
    follow_drift: bool = setting(
        True, "Whether the speed follows the microphone's clock, by parts per million."
    )
    max_ppm: float = 1_000.0

    def __post_init__(self) -> None:
        check_settings(self)

    @property
    def target_s(self) -> float:
        """The margin to play with at least."""
        return self.target_ms / 1e3

    @property
    def max_target_s(self) -> float:
        """What the margin may be raised to; never below the target."""
        return max(self.max_target_ms, self.target_ms) / 1e3

    @property
    def slack_s(self) -> float:
        """See PlayoutConfig."""
        return self.slack_ms / 1e3


class Player:
    """Jitter buffer, drift and sink. `push`, `fade` and `stop_speech` may come from any thread.

    The owner of the sink calls `step` for ever: it returns every 80 ms of the sink. What is heard
    goes to `on_played`, numbered from 0 without a gap; what was flushed or not played never does.
    """

    def __init__(
        self, sink: Sink, clock: Clock, config: PlayerConfig | None = None,
        on_played: OnPlayed = ignore,
    ) -> None:  # fmt: skip
        self.config = config = config or PlayerConfig()
        self._sink = sink
        self._clock = clock
        self._on_played = on_played
        capacity = max(25, int((config.max_target_s + config.slack_s) / FRAME_S) + 4)
        self._playout = Playout(PlayoutConfig(config.target_s, config.slack_s, capacity=capacity))
        self._jitter = Jitter()
        self._follower = DriftFollower(DriftConfig(max_ppm=config.max_ppm))
        self._stretch = Stretch()
        self._spare = SpareMargin()
        self._shortened_s = 0.0
        self._lock = threading.Lock()
        self._last_pull: float | None = None
        self._played = 0
        self._stops = 0
        sink.on_played = self._tell

    def push(self, frame: Frame) -> None:
        """A frame of speech has come."""
        now = self._clock()
        with self._lock:
            self._playout.push(frame, now)
            self._jitter.push(frame.seq, now)
            wanted = max(self.config.target_s, self._jitter.spread_s)
            self._playout.target_s = min(wanted, self.config.max_target_s)

    def step(self) -> Frame:
        """Waits for the sink and gives it the next frame, which is returned."""
        t = self._sink.wait()
        now = self._clock()
        with self._lock:
            margin = self._playout.margin(now)
            frame = self._playout.pull(t, now)
            ppm = self._follow(margin, now, frame.source_seq >= 0)
            spare = self._shorten(margin, frame)
        sound = self._stretch.push(frame.samples, ppm)
        self._sink.write(frame, sound[: len(sound) - spare])
        return frame

    def fade(self, gain: float) -> None:
        """Plays at this gain from now on, what waits in the sink too."""
        self._sink.fade(gain)

    def stop_speech(self) -> int:
        """Silence as soon as the device can; returns how many whole frames were thrown away."""
        self._stops += 1
        with self._lock:
            dropped = self._playout.flush()
        self._sink.flush()
        return dropped

    def counters(self) -> dict[str, float]:
        """Running totals of the sink and the buffer, and the margin and drift now."""
        with self._lock:
            return {
                **self._sink.counters(),
                **self._playout.counters(),
                'stops': self._stops,
                'target_ms': round(1e3 * self._playout.target_s, 1),
                'jitter_ms': round(1e3 * self._jitter.spread_s, 1),
                'drift_ppm': round(self._follower.ppm, 1),
                'shortened_ms': round(1e3 * self._shortened_s, 1),
            }

    def _shorten(self, margin: float, frame: Frame) -> int:
        """How many samples of a silent frame are left out, so that what follows is heard sooner."""
        if frame.source_seq < 0:
            self._spare.restart()
            return 0
        holes = self._playout.counters()['underruns']
        spare_s = self._spare.update(margin, self._playout.target_s, holes)
        if not spare_s or not is_silent(frame):
            return 0
        self._spare.left_out(spare_s)
        self._shortened_s += spare_s
        self._playout.restarted = True
        return round(spare_s * SAMPLE_RATE)

    def _follow(self, margin: float, now: float, playing: bool) -> float:
        dt, self._last_pull = now - (self._last_pull or now), now
        if self._playout.restarted:
            self._playout.restarted = False
            self._follower.restart()
        if not -_JUMP_S < dt < _JUMP_S:  # the clock was set
            self._follower.restart()
            dt = 0.0
        if not playing or not self.config.follow_drift or dt <= 0.0:
            return self._follower.ppm if self.config.follow_drift else 0.0
        return self._follower.update(margin, dt)

    def _tell(self, frame: Frame) -> None:
        self._on_played(replace(frame, seq=self._played))
        self._played += 1
