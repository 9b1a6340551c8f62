"""One robot's share of a model: its oracle stream, its monologue, what happens. No torch."""

from __future__ import annotations

from typing import Any

import numpy as np

from kame_ros.s2s.front_end import Event, Piece, Step
from kame_ros.s2s.loudness import LoudnessGate
from kame_ros.s2s.moshi.oracle.monologue import Monologue
from kame_ros.s2s.moshi.oracle.oracle_stream import Key, OracleStream
from kame_ros.s2s.moshi.oracle.recall import Recall, recalled
from kame_ros.wire.oracle import Oracle
from kame_ros.wire.turn import TurnKind

SILENT_AFTER = 12  # frames without text, 0.96 s, after which an oracle counts as spoken
UNSPOKEN_AFTER = 25  # frames, 2 s, after all was fed in which nothing was said
LEAST_RECALL = 0.25  # of an oracle, with less it was not spoken: the model said something else


class Session:
    """One robot: its oracle stream, its monologue, and what happens in them.

    The model may take an oracle without speaking it: then it is fed again, `retries` times at most.
    """

    def __init__(
        self,
        stream: OracleStream,
        monologue: Monologue,
        hush_frames: int,
        retries: int = 0,
    ) -> None:
        self.stream, self.monologue = stream, monologue
        self._hush_frames, self._retries = hush_frames, retries
        self._recall = Recall()
        self._count = dict.fromkeys(('oracle_retried', 'oracle_unspoken'), 0)
        self._start_over()

    def _start_over(self) -> None:
        self.fresh = True  # no frame was heard yet
        self.hush = 0  # frames for which the robot is kept silent
        self._gate = LoudnessGate()
        self._applied: Key | None = None
        self._events: list[Event] = []
        self._spoken = False
        self._retried = 0  # how often the current oracle was fed again
        self._listen()

    def _listen(self) -> None:
        """What is said from now on is of the current oracle."""
        self._said: list[int] = []  # its text tokens
        self._silent = 0  # frames since the last text
        self._awaited = 0  # frames since all was fed

    def reset(self, stays: bool = False) -> None:
        """The end of the dialogue: nothing of it reaches the next one.

        If the robot `stays`, it is told that it speaks no more.
        """
        end = Event(TurnKind.ROBOT_SPEECH_END)
        cut_off = stays and (self._gate.speaking or end in self._events)
        self.stream.reset()
        self.monologue.reset()
        self._start_over()
        if cut_off:
            self._events.append(end)

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
        self._events.append(Event(TurnKind.BARGE_IN, *(self._applied or ('', -1))))
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
                self._retried = 0
                self._listen()
            self._events.append(Event(TurnKind.ORACLE_APPLIED, *self._applied))
        return token

    def say(self, samples: np.ndarray, text_token: int) -> Step:
        """Makes a step of what the model gave for this frame."""
        text = self.monologue.text(text_token)
        if text:
            self._said.append(text_token)
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
        if self._applied is None or self._spoken or not self.stream.exhausted:
            self._awaited = 0
            return
        self._awaited += 1
        over = self._silent >= SILENT_AFTER if self._said else self._awaited >= UNSPOKEN_AFTER
        if not over:
            return
        told = self.stream.fed
        count = recalled(told, self._said)
        unspoken = count < LEAST_RECALL * len(told)
        if unspoken and self._retried < self._retries:
            self._retried += 1
            self._count['oracle_retried'] += 1
            self.stream.again()
            self._listen()
            return
        self._spoken = True
        self._count['oracle_unspoken'] += unspoken
        self._recall.add(count, len(told))
        if self._said:
            events.append(Event(TurnKind.ORACLE_SPOKEN, *self._applied))

    def counters(self) -> dict[str, Any]:
        """Running totals, by name; `oracle_recall` is of the last texts."""
        return {
            **self.stream.counters(),
            **self._count,
            'oracle_recall': round(self._recall.value, 3),
            'speaking': int(self._gate.speaking),
        }
