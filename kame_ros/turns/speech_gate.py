"""Makes starts and ends of speech from a voice detector's probabilities. A pure policy."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

from kame_ros.settings.param import setting

WINDOW_S = 0.032  # a window of Silero VAD: 512 samples at 16 kHz


@dataclass(frozen=True)
class GateConfig:
    """When speech begins and ends. Probabilities, and seconds.

    Speech begins once `min_speech_s` of voice is heard with at most `max_dip_s` between its parts,
    and ends after `min_silence_s` without voice. What goes on is a voice down to `leave_ratio` of
    the threshold: that keeps the gate from flickering.
    """

    speech_threshold: float = setting(
        0.5, 'Probability from which sound is a voice.', low=0.1, high=0.95
    )
    leave_ratio: float = 0.7
    min_speech_s: float = 0.096
    min_silence_s: float = setting(
        0.4, 'An utterance ends after so many seconds of silence.', low=0.2, high=5.0
    )
    max_dip_s: float = 0.096

    def __post_init__(self) -> None:
        for name in ('speech_threshold', 'leave_ratio'):
            if not 0.0 < getattr(self, name) <= 1.0:
                raise ValueError(f'{name} is above 0 and at most 1, not {getattr(self, name)}')
        if min(self.min_speech_s, self.min_silence_s, self.max_dip_s) < 0.0:
            raise ValueError('durations of the speech gate cannot be negative')

    @property
    def leave(self) -> float:
        """Probability down to which a voice goes on."""
        return self.leave_ratio * self.speech_threshold


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

    def __init__(self, config: GateConfig | None = None) -> None:
        self.config = config or GateConfig()
        self.reset()

    def reset(self) -> None:
        """Silence, nothing heard."""
        self.speaking = False
        self.start = 0.0  # when the current (or candidate) speech began
        self.voice_end = 0.0  # end of its last voiced window
        self.voiced_s = 0.0  # seconds of voice in it

    def push(self, probability: float, t: float) -> GateEvent | None:
        """Take the window that begins at `t`, s. A probability that is not a number is silence."""
        p = 0.0 if math.isnan(probability) else probability
        end = t + WINDOW_S
        pausing = self.voiced_s == 0.0 or t > self.voice_end + 1e-6
        if p >= self.config.speech_threshold or (p >= self.config.leave and not pausing):
            return self._voice(t, end)
        return self._no_voice(end)

    def close(self, t: float) -> GateEvent | None:
        """Somebody else knows, at `t`, that the speech is over; None if nobody spoke."""
        if not self.speaking:
            return None
        self.speaking, self.voiced_s = False, 0.0
        return GateEvent(Edge.END, self.voice_end, t)

    def pause(self, t: float) -> float:
        """Seconds of silence after the last voice of the current speech, at `t`."""
        return max(0.0, t - self.voice_end) if self.speaking else 0.0

    def _voice(self, t: float, end: float) -> GateEvent | None:
        if self.voiced_s == 0.0:
            self.start = t
        self.voiced_s += WINDOW_S
        self.voice_end = end
        if self.speaking or self.voiced_s < self.config.min_speech_s - 1e-6:
            return None
        self.speaking = True
        return GateEvent(Edge.START, self.start, end)

    def _no_voice(self, end: float) -> GateEvent | None:
        silence = end - self.voice_end
        if self.speaking and silence >= self.config.min_silence_s - 1e-6:
            return self.close(end)
        if not self.speaking and silence > self.config.max_dip_s + 1e-6:
            self.voiced_s = 0.0
        return None
