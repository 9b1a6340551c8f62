"""One trial of kame-small: users and live oracles through the front-end, frame by frame.

Times are seconds on a clock of no delay: what a step gives is played from the end of the frame on
that it heard. A real graph adds its buffers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from kame_ros.s2s.front_end import Event, FrontEnd, Piece
from kame_ros.wire.frame import FRAME_S, FRAME_SAMPLES, SAMPLE_RATE
from kame_ros.wire.oracle import Oracle

PATIENCE_S = 2.4  # of silence after all is said; then a trial ends
UNANSWERED_S = 7.0  # the same where the newest oracle was not begun: no turn stays open for longer
LONGEST_S = 45.0
AUDIBLE = 0.01  # a sample of the robot that is louder is heard: -40 dBFS

Noise = Callable[[int], np.ndarray]  # so many samples of the room


@dataclass(frozen=True)
class LiveOracle:
    """An oracle whose first word arrives at `start_s`; `pace` words a second follow.

    With `after` words it waits, instead, until so many words of the one before it were given.
    """

    text: str
    start_s: float = 0.0
    pace: float = 15.0
    after: int = 0


@dataclass(frozen=True)
class UserTurn:
    """float[n] at 24 kHz that begins at `start_s`, or after so many words of the newest oracle.

    `words`: what a recogniser has understood, and how many seconds after the beginning it tells.
    """

    sound: np.ndarray
    start_s: float = 0.0
    after: int = 0
    words: tuple[tuple[float, str], ...] = ()


@dataclass
class Trace:
    """What happened in a trial; times in s from its beginning."""

    pieces: list[tuple[float, Piece]] = field(default_factory=list)
    events: list[tuple[float, Event]] = field(default_factory=list)
    sound: np.ndarray = field(default_factory=lambda: np.zeros(0, np.float32))  # as it is played
    turns: list[tuple[float, float]] = field(default_factory=list)  # when the user speaks
    oracles: list[float] = field(default_factory=list)  # when the first word of each was there

    def words(self, generation: int | None = None) -> list[str]:
        """The words of the monologue, or those of one oracle; -1: the robot's own."""
        own = [p.text for _, p in self.pieces if generation in (None, p.generation)]
        return ''.join(own).split()

    def begins(self, generation: int) -> float | None:
        """When the first word of an oracle is heard, if it is."""
        return next((at for at, p in self.pieces if p.generation == generation), None)

    def heard_from(self, start_s: float) -> np.ndarray:
        """The sound from that time on."""
        return self.sound[round(start_s * SAMPLE_RATE) :]

    def first_sound(self, start_s: float = 0.0, end_s: float = LONGEST_S) -> float | None:
        """When the robot is first heard in that time, if it is."""
        begin = round(start_s * SAMPLE_RATE)
        loud = np.flatnonzero(np.abs(self.sound[begin : round(end_s * SAMPLE_RATE)]) > AUDIBLE)
        return float(begin + loud[0]) / SAMPLE_RATE if len(loud) else None

    def silent_from(self, start_s: float, for_s: float) -> float | None:
        """When, after `start_s`, a silence of `for_s` begins, if one does before the end."""
        begin = round(start_s * SAMPLE_RATE)
        loud = begin + np.flatnonzero(np.abs(self.sound[begin:]) > AUDIBLE)
        edges = [begin, *loud.tolist(), len(self.sound)]
        for one, next_ in pairwise(edges):
            if next_ - one >= for_s * SAMPLE_RATE:
                return one / SAMPLE_RATE
        return None


def run(
    front_end: FrontEnd,
    turns: list[UserTurn],
    oracles: list[LiveOracle],
    noise: Noise = np.zeros,
    at_least_s: float = 0.0,
) -> Trace:
    """Plays the turns in their room while the oracles arrive; ends when nothing more happens."""
    front_end.reset()
    trace, users = Trace(), _Users(turns, front_end)
    played: list[np.ndarray] = [
        np.zeros(FRAME_SAMPLES, np.float32)
    ]  # before the first frame was heard
    waiting, oracle = list(oracles), None
    current: LiveOracle | None = None
    asked = ''
    began, given, still, now, answered = 0.0, 0, 0, 0.0, 0
    patience_s = PATIENCE_S
    while now < LONGEST_S and (still * FRAME_S < patience_s or now < at_least_s):
        begin, now = now, now + FRAME_S
        if waiting and _is_due(waiting[0], now, given, bool(trace.oracles)):
            current, given = waiting.pop(0), 0
            answered = users.utterance  # what they say over it later is another one
            began = begin if current.after else max(begin, current.start_s)
            trace.oracles.append(began)
            asked = users.told(now)
        if current is not None:
            oracle = _so_far(current, len(trace.oracles), now - began, answered, asked)
        frame = users.frame(begin, given, noise(FRAME_SAMPLES))
        step = front_end.step(frame, oracle)
        trace.pieces += [(now, piece) for piece in step.pieces]
        trace.events += [(now, event) for event in step.events]
        played.append(step.speech.astype(np.float32) / 32768 * step.gain)
        given += sum(p.generation == len(trace.oracles) > 0 for p in step.pieces)
        patience_s = UNANSWERED_S if trace.oracles and not given else PATIENCE_S
        quiet = not step.pieces and not users.pending and not waiting
        still = still + 1 if quiet and np.abs(played[-1]).max() <= AUDIBLE else 0
    trace.sound = np.concatenate(played)
    trace.turns = users.times
    return trace


class _Users:
    """The users' turns, and what a recogniser tells of them."""

    def __init__(self, turns: list[UserTurn], front_end: FrontEnd) -> None:
        self._waiting, self._front_end = list(turns), front_end
        self._speaking: list[tuple[int, int, UserTurn]] = []  # first sample, number, turn
        self.times: list[tuple[float, float]] = []
        self._told: dict[int, int] = {}  # how many words of each turn were told

    @property
    def utterance(self) -> int:
        """The number of the newest turn that has begun; 0 before the first one."""
        return max(0, len(self.times) - 1)

    def told(self, now: float) -> str:
        """The words of somebody who speaks that were told; empty where nobody does: what is written
        then answers all.
        """
        if not self._speaking or now >= self.times[self._speaking[-1][1]][1]:
            return ''
        _, number, turn = self._speaking[-1]
        known = turn.words[: self._told.get(number, 0)]
        return ' '.join(word for _, word in known)

    @property
    def pending(self) -> bool:
        """Whether somebody speaks or will speak."""
        return bool(self._waiting or self._speaking)

    def frame(self, begin: float, given: int, room: np.ndarray) -> np.ndarray:
        """The frame int16[1920] that begins at `begin` s, after so many words of an oracle."""
        first = round(begin * SAMPLE_RATE)
        while self._waiting and self._begins(self._waiting[0], begin, given):
            turn = self._waiting.pop(0)
            start = first if turn.after else round(turn.start_s * SAMPLE_RATE)
            end_s = (start + len(turn.sound)) / SAMPLE_RATE
            self._speaking.append((start, len(self.times), turn))
            self.times.append((start / SAMPLE_RATE, end_s))
        self._tell(begin)
        heard = room.astype(np.float64)
        for start, _, turn in self._speaking:
            a, b = max(first, start), min(first + FRAME_SAMPLES, start + len(turn.sound))
            heard[max(0, a - first) : max(0, b - first)] += turn.sound[
                max(0, a - start) : b - start
            ]
        after = first + FRAME_SAMPLES
        self._speaking = [
            one for one in self._speaking if one[0] + len(one[2].sound) > after or self._owes(one)
        ]
        return np.asarray(np.clip(heard, -1, 1) * 32767).round().astype(np.int16)

    @staticmethod
    def _begins(turn: UserTurn, begin: float, given: int) -> bool:
        return given >= turn.after if turn.after else turn.start_s < begin + FRAME_S

    def _owes(self, one: tuple[int, int, UserTurn]) -> bool:
        return self._told.get(one[1], 0) < len(one[2].words)

    def _tell(self, now: float) -> None:
        for _, number, turn in self._speaking:
            begin_s, end_s = self.times[number]
            known = [word for at, word in turn.words if begin_s + at <= now]
            if len(known) > self._told.get(number, 0):
                self._told[number] = len(known)
                final = len(known) == len(turn.words)
                # The last word is told as long after its end as the others: it ends the turn.
                late = turn.words[-1][0] - (end_s - begin_s)
                ends = min(end_s, begin_s + turn.words[len(known) - 1][0] - late) - now
                self._front_end.hear_words(number, ' '.join(known), begin_s - now, ends, final)


def _is_due(oracle: LiveOracle, now: float, given: int, one_before: bool) -> bool:
    if oracle.after and one_before:
        return given >= oracle.after
    return now >= oracle.start_s


def _so_far(oracle: LiveOracle, generation: int, age: float, utterance: int, asked: str) -> Oracle:
    words = oracle.text.split()
    there = min(len(words), 1 + int(age * oracle.pace))
    text = ' '.join(words[:there]) + ' '
    ended = there == len(words)
    return Oracle('trial', generation, text, ended, utterance=utterance, asked=asked)
