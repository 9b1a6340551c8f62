"""From probabilities of speech to starts and ends of speech. A pure policy."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

WINDOW_S = 0.032  # a window of Silero VAD: 512 samples at 16 kHz


@dataclass(frozen=True)
class GateConfig:
    """When speech begins and ends. Probabilities, and seconds.

    Speech begins once `min_speech` of voice is heard with at most `max_dip` between its parts,
    and ends after `min_silence` without voice. `leave` < `enter` keeps the gate from flickering.
    """

    enter: float = 0.5
    leave: float = 0.35
    min_speech: float = 0.096
    min_silence: float = 0.4
    max_dip: float = 0.096

    def __post_init__(self) -> None:
        if not 0.0 < self.leave <= self.enter <= 1.0:
            raise ValueError(f'need 0 < leave <= enter <= 1, not {self.leave} and {self.enter}')
        if min(self.min_speech, self.min_silence, self.max_dip) < 0.0:
            raise ValueError('durations of the speech gate cannot be negative')


class Edge(Enum):
    """What happens to the speech."""

    START = 'start'
    END = 'end'


@dataclass(frozen=True)
class GateEvent:
    """Speech starts or ends at `t`; the gate was sure of it at `decided`, later. Seconds."""

    edge: Edge
    t: float
    decided: float


class SpeechGate:
    """One probability per window in, a start or an end now and then out."""

    def __init__(self, config: GateConfig | None = None, window: float = WINDOW_S) -> None:
        self.config = config or GateConfig()
        self._window = window
        self.reset()

    def reset(self) -> None:
        """Silence, nothing heard."""
        self.speaking = False
        self.start = 0.0  # when the current (or candidate) speech began
        self.voice_end = 0.0  # end of its last voiced window
        self.voiced = 0.0  # seconds of voice in it

    def push(self, probability: float, t: float) -> GateEvent | None:
        """Take the window that begins at `t`, s. A probability that is not a number is silence."""
        p = 0.0 if math.isnan(probability) else probability
        end = t + self._window
        pausing = self.voiced == 0.0 or t > self.voice_end + 1e-6
        if p >= self.config.enter or (p >= self.config.leave and not pausing):
            return self._voice(t, end)
        return self._no_voice(end)

    def pause(self, t: float) -> float:
        """Seconds of silence after the last voice of the current speech, at `t`."""
        return max(0.0, t - self.voice_end) if self.speaking else 0.0

    def _voice(self, t: float, end: float) -> GateEvent | None:
        if self.voiced == 0.0:
            self.start = t
        self.voiced += self._window
        self.voice_end = end
        if self.speaking or self.voiced < self.config.min_speech - 1e-6:
            return None
        self.speaking = True
        return GateEvent(Edge.START, self.start, end)

    def _no_voice(self, end: float) -> GateEvent | None:
        silence = end - self.voice_end
        if self.speaking and silence >= self.config.min_silence - 1e-6:
            event = GateEvent(Edge.END, self.voice_end, end)
            self.speaking, self.voiced = False, 0.0
            return event
        if not self.speaking and silence > self.config.max_dip + 1e-6:
            self.voiced = 0.0
        return None
