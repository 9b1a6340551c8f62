"""Whose turn it is, from the user's sound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from kame_ros.audio.speech_gate import WINDOW_S, Edge, GateConfig, GateEvent, SpeechGate


class Vad(Protocol):
    """Speech probabilities; `kame_ros.audio.vad.SileroVad` is one. Any scripted one may be."""

    def push(self, sound: np.ndarray) -> list[float]:
        """Takes float32[n] at 16 kHz; gives one probability per 32 ms completed."""

    def reset(self) -> None:
        """Forgets the past."""


@dataclass(frozen=True)
class Heard:
    """What one frame told: edges of speech, and whether the user's turn ended in it."""

    edges: tuple[GateEvent, ...] = ()
    turn_ended: bool = False


class Ear:
    """Follows the user's speech and turns on the clock of the frames heard.

    A turn begins with speech and ends after `end_of_turn_s` without voice.
    """

    def __init__(self, vad: Vad, end_of_turn_s: float, gate: GateConfig | None = None) -> None:
        from kame_ros.audio.resample import Resampler

        self._vad = vad
        self._resampler = Resampler()
        self._end_of_turn_s = end_of_turn_s
        gate = gate or GateConfig(min_silence=min(GateConfig.min_silence, end_of_turn_s))
        self._gate = SpeechGate(gate)
        self.reset()

    def reset(self) -> None:
        """A new session."""
        self._vad.reset()
        self._resampler.reset()
        self._gate.reset()
        self._heard_s = 0.0  # s of sound the VAD has judged
        self.in_turn = False
        self.turn_voice_s = 0.0  # s from the first to the last voice of the turn
        self._turn_start = 0.0
        self._voice_end = 0.0

    @property
    def speaking(self) -> bool:
        """Whether the user speaks now."""
        return self._gate.speaking

    @property
    def speech_start(self) -> float:
        """When the current speech began, s since the first frame."""
        return self._gate.start

    @property
    def voice_end(self) -> float:
        """When the last voice was heard, s since the first frame."""
        return self._gate.voice_end if self.speaking else self._voice_end

    def hear(self, user: np.ndarray) -> Heard:
        """Takes int16[1920] at 24 kHz."""
        edges = []
        for probability in self._vad.push(self._resampler.push(user)):
            event = self._gate.push(probability, self._heard_s)
            self._heard_s += WINDOW_S
            if event is not None:
                edges.append(event)
                self._on_edge(event)
        silence = self._heard_s - self.voice_end
        ended = self.in_turn and not self.speaking and silence >= self._end_of_turn_s - 1e-6
        if ended:
            self.in_turn = False
            self.turn_voice_s = self._voice_end - self._turn_start
        return Heard(tuple(edges), ended)

    def _on_edge(self, event: GateEvent) -> None:
        if event.edge is Edge.END:
            self._voice_end = event.t
        elif not self.in_turn:
            self.in_turn = True
            self._turn_start = event.t
