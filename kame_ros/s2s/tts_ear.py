"""Whose turn it is, from the user's sound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from kame_ros.audio.speech_gate import WINDOW_S, Edge, GateConfig, GateEvent, SpeechGate
from kame_ros.s2s.tts_turn_end import TurnEnd
from kame_ros.s2s.tts_words import WordsHeard

_FLOOR = 33.0  # of 32768 (-60 dBFS), root mean square: below is no user


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

    A turn begins with speech and ends after as much silence as `turn_end` wants, which may look
    at the `words`. What is too quiet for a user (the rest of an echo) is no voice.
    """

    def __init__(self, vad: Vad, turn_end: TurnEnd, gate: GateConfig | None = None) -> None:
        from kame_ros.audio.resample import Resampler

        self._vad = vad
        self._resampler = Resampler()
        self._turn_end = turn_end
        self.words = WordsHeard()
        shortest = min(GateConfig.min_silence, turn_end.config.complete_s)
        gate = gate or GateConfig(min_silence=shortest)
        self._gate = SpeechGate(gate)
        self.reset()

    def warm_up(self) -> None:
        """Hears a frame of silence and forgets it."""
        self.hear(np.zeros(1920, np.int16))
        self.reset()

    def reset(self) -> None:
        """A new session."""
        self._vad.reset()
        self._resampler.reset()
        self._gate.reset()
        self.words.clear()
        self._heard_s = 0.0  # s of sound the VAD has judged
        self._loud = False
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
        was_loud, self._loud = self._loud, float(np.mean(user.astype(float) ** 2)) >= _FLOOR**2
        loud = self._loud or was_loud  # the resampler holds back a part of the last frame
        for probability in self._vad.push(self._resampler.push(user)):
            probability = probability if loud else 0.0
            event = self._gate.push(probability, self._heard_s)
            self._heard_s += WINDOW_S
            if event is not None:
                edges.append(event)
                self._on_edge(event)
        silence = self._heard_s - self.voice_end
        over = self._turn_end.is_over(silence, self.voice_end, self.words)
        ended = self.in_turn and not self.speaking and over
        if ended:
            self.in_turn = False
            self.turn_voice_s = self._voice_end - self._turn_start
        return Heard(tuple(edges), ended)

    def _on_edge(self, event: GateEvent) -> None:
        if event.edge is Edge.END:
            self._voice_end = event.t
        elif not self.in_turn:
            self.in_turn = True
            self.words.clear()
            self._turn_start = event.t
