"""Tells the robot's own voice in the microphone from the user's, by its level. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from kame_ros.audio.level import ECHO_RMS_DBFS, USER_RMS_DBFS, rms_dbfs
from kame_ros.settings.param import setting
from kame_ros.turns.speech_gate import WINDOW_S
from kame_ros.wire.frame import FRAME_S, Frame


@dataclass(frozen=True)
class EchoGuardConfig:
    """How the robot's voice is told from the user's. Seconds and decibels.

    While the robot speaks, and `tail_s` longer (the room, and the delay of the loudspeaker), sound
    counts as the user's only above the expected echo by `margin_db`, and with a probability of
    speech of `enter`. The expected echo is what was played plus the coupling from loudspeaker to
    microphone, which is learned from `coupling_db` on: `rise_db_per_s` and `fall_db_per_s` of
    the echo's voice settle at its 80th percentile; what seems the user's raises it only by
    `doubt_db_per_s`.
    """

    guard: bool = setting(True, "Whether to tell the robot's own voice from the user's.")
    audible_dbfs: float = ECHO_RMS_DBFS
    tail_s: float = 0.35
    margin_db: float = setting(
        6.0, 'The user is heard over the robot from so far above its expected echo.', low=0, high=40
    )
    enter: float = 0.7
    coupling_db: float = 0.0
    rise_db_per_s: float = 24.0
    fall_db_per_s: float = 6.0
    doubt_db_per_s: float = 0.5
    learn: float = 0.3  # probability of speech from which a window teaches the coupling
    floor_dbfs: float = USER_RMS_DBFS  # sound below this is no user


class EchoGuard:
    """What was played in, and which microphone windows may be the user's out."""

    def __init__(self, config: EchoGuardConfig | None = None) -> None:
        self.config = config or EchoGuardConfig()
        self._played: deque[tuple[float, float]] = deque(maxlen=64)  # (end, dBFS), 5 s
        self.coupling_db = self.config.coupling_db
        self.gated = 0

    def reset(self) -> None:
        """Nothing played; the learned coupling stays."""
        self._played.clear()

    def played(self, frame: Frame) -> None:
        """Take a frame that left the loudspeaker."""
        if (loud := rms_dbfs(frame.samples)) >= self.config.audible_dbfs:
            self._played.append((frame.end, loud))

    def expected(self, t: float) -> float | None:
        """The level of the echo that may be heard at `t`, dBFS; None if the robot is silent."""
        loud = [
            level_
            for end, level_ in self._played
            if end - FRAME_S - 0.05 <= t <= end + self.config.tail_s
        ]
        return max(loud) + self.coupling_db if loud else None

    def adjust(self, probability: float, t: float, heard_dbfs: float) -> float:
        """The probability that the user speaks, for a window at `t` s of `heard_dbfs`."""
        if not self.config.guard or (echo := self.expected(t)) is None:
            return probability
        above = heard_dbfs - echo
        mine = above < self.config.margin_db
        if probability >= self.config.learn and heard_dbfs >= self.config.floor_dbfs:
            rate = self.config.rise_db_per_s if above > 0 else -self.config.fall_db_per_s
            self.coupling_db += (rate if mine else self.config.doubt_db_per_s) * WINDOW_S
        if not mine and heard_dbfs >= self.config.floor_dbfs and probability >= self.config.enter:
            return probability
        self.gated += 1
        return 0.0
