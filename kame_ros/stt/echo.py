"""The robot's own voice in the microphone is not the user. A pure policy."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

import numpy as np

from kame_ros.audio.frame import FRAME_S, Frame
from kame_ros.audio.speech_gate import WINDOW_S

_SILENT = -90.0  # dBFS


def level(samples: np.ndarray) -> float:
    """The level of int16 or float samples, dBFS of the root mean square, -90 at least."""
    sound = samples.astype(np.float64)
    if samples.dtype == np.int16:
        sound /= 32_768.0
    power = float(np.mean(sound * sound)) if len(sound) else 0.0
    return max(_SILENT, 10.0 * math.log10(power)) if power > 0.0 else _SILENT


@dataclass(frozen=True)
class EchoConfig:
    """How the robot's voice is told from the user's. Seconds and decibels.

    While the robot speaks, and `tail` longer (the room, and the delay of the loudspeaker), sound
    counts as the user's only above the expected echo by `margin`, and with a probability of
    speech of `enter`. The expected echo is what was played plus the coupling from loudspeaker to
    microphone, which is learned from `coupling` on: `rise` and `fall` per second of the echo's
    voice settle at its 80th percentile; what seems the user's raises it only by `doubt`.
    """

    enabled: bool = True
    audible: float = -50.0
    tail: float = 0.35
    margin: float = 6.0
    enter: float = 0.7
    coupling: float = 0.0
    rise: float = 24.0
    fall: float = 6.0
    doubt: float = 0.5
    learn: float = 0.3  # probability of speech from which a window teaches the coupling
    floor: float = -60.0  # sound below this is no user


class EchoGuard:
    """What was played in, and which microphone windows may be the user's out."""

    def __init__(self, config: EchoConfig | None = None) -> None:
        self.config = config or EchoConfig()
        self._played: deque[tuple[float, float]] = deque(maxlen=64)  # (end, dBFS), 5 s
        self.coupling = self.config.coupling
        self.gated = 0

    def reset(self) -> None:
        """Nothing played; the learned coupling stays."""
        self._played.clear()

    def played(self, frame: Frame) -> None:
        """Take a frame that left the loudspeaker."""
        if (loud := level(frame.samples)) >= self.config.audible:
            self._played.append((frame.end, loud))

    def expected(self, t: float) -> float | None:
        """The level of the echo that may be heard at `t`, dBFS; None if the robot is silent."""
        loud = [
            level_
            for end, level_ in self._played
            if end - FRAME_S - 0.05 <= t <= end + self.config.tail
        ]
        return max(loud) + self.coupling if loud else None

    def adjust(self, probability: float, t: float, heard: float) -> float:
        """The probability that the user speaks, for a window at `t` s of `heard` dBFS."""
        if not self.config.enabled or (echo := self.expected(t)) is None:
            return probability
        above = heard - echo
        mine = above < self.config.margin
        if probability >= self.config.learn and heard >= self.config.floor:
            rate = self.config.rise if above > 0 else -self.config.fall
            self.coupling += (rate if mine else self.config.doubt) * WINDOW_S
        if not mine and heard >= self.config.floor and probability >= self.config.enter:
            return probability
        self.gated += 1
        return 0.0
