"""What is remembered of one session beside the model's own state. No torch."""

from __future__ import annotations

from typing import Any

import numpy as np

from kame_ros.oracle.chunk import Oracle
from kame_ros.s2s.front_end import Event, Happening, Piece, Step
from kame_ros.s2s.moshi.loudness import LoudnessGate
from kame_ros.s2s.moshi.monologue import Monologue
from kame_ros.s2s.moshi.oracle_stream import Key, OracleStream

SILENT_AFTER = 12  # frames without text, 0.96 s, after which an oracle counts as spoken


class Session:
    """One robot: its oracle stream, its monologue, and what happens in them."""

    def __init__(self, stream: OracleStream, monologue: Monologue, hush_frames: int) -> None:
        self.stream, self.monologue = stream, monologue
        self._hush_frames = hush_frames
        self._start_over()

    def _start_over(self) -> None:
        self.fresh = True  # no frame was heard yet
        self.hush = 0  # frames for which the robot is kept silent
        self._gate = LoudnessGate()
        self._applied: Key | None = None
        self._events: list[Event] = []
        self._said_some = self._spoken = False
        self._silent = 0

    def reset(self) -> None:
        """The end of the dialogue: nothing of it reaches the next one."""
        self.stream.reset()
        self.monologue.reset()
        self._start_over()

    def interrupt(self) -> None:
        """Forgets what is being said and keeps silent for a while."""
        self.stream.clear()
        self._applied = None
        self.hush = self._hush_frames

    @property
    def speaking(self) -> bool:
        """Whether the robot speaks now."""
        return self._gate.speaking

    def barge_in(self) -> None:
        """The user takes the floor: the same, and tells so."""
        self._events.append(Event(Happening.BARGE_IN, *(self._applied or ('', -1))))
        self.interrupt()

    def next_token(self, oracle: Oracle | None) -> int:
        """The oracle token for this step."""
        self.stream.update(oracle)
        repeats = self.stream.exhausted  # all of it was fed with the generation before
        token = self.stream.next()
        if self.stream.current is None:
            self._applied = None
        elif self.stream.current != self._applied:
            self._applied = self.stream.current
            self._spoken = False
            if not repeats:
                self._said_some, self._silent = False, 0
            self._events.append(Event(Happening.ORACLE_APPLIED, *self._applied))
        return token

    def say(self, samples: np.ndarray, text_token: int) -> Step:
        """Makes a step of what the model gave for this frame."""
        text = self.monologue.text(text_token)
        if text:
            self.stream.said(text_token)
        events, self._events = self._events, []
        self._watch_oracle(text, events)
        turn = self._gate.feel(samples)
        if turn is not None:
            events.append(Event(turn))
        pieces: tuple[Piece, ...] = ()
        if text:
            pieces = (Piece(text, *self._applied) if self._applied else Piece(text),)
        return Step(samples, pieces, tuple(events))

    def _watch_oracle(self, text: str, events: list[Event]) -> None:
        """Moshi does not tell what it has said of an oracle: fed, spoken, then silent is spoken."""
        self._silent = 0 if text else self._silent + 1
        self._said_some |= bool(text)
        if (
            self._applied is not None
            and self._said_some
            and not self._spoken
            and self._silent >= SILENT_AFTER
            and self.stream.exhausted
        ):
            self._spoken = True
            events.append(Event(Happening.ORACLE_SPOKEN, *self._applied))

    def counters(self) -> dict[str, Any]:
        """Running totals, by name."""
        return {**self.stream.counters(), 'speaking': int(self._gate.speaking)}
