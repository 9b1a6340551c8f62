"""One trial of kame-tiny: a user's turn and live oracles through the front-end, frame by frame."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from kame_ros.audio.frame import FRAME_S, FRAME_SAMPLES
from kame_ros.oracle.chunk import Oracle
from kame_ros.s2s.front_end import FrontEnd, Piece

PATIENCE_S = 2.4  # s of silence after the last oracle at which a trial ends
LONGEST_S = 30.0


@dataclass(frozen=True)
class Arrival:
    """An oracle whose words arrive at `start` s, `pace` words a second.

    With `after` words it waits, instead, until so many words of the one before it were spoken.
    """

    text: str
    start: float = 0.0
    pace: float = 15.0
    after: int = 0


@dataclass
class Outcome:
    """What came out; times in s from the beginning of the trial, -1 where it did not happen."""

    pieces: list[tuple[float, Piece]] = field(default_factory=list)
    sound: np.ndarray = field(default_factory=lambda: np.zeros(0, np.float32))
    fed: list[float] = field(default_factory=list)  # when each oracle's first word was there

    def words(self, generation: int | None = None) -> list[str]:
        """The words of the monologue, or those that came under one oracle."""
        own = [p.text for _, p in self.pieces if generation in (None, p.generation)]
        return ''.join(own).split()


def run(front_end: FrontEnd, user: np.ndarray, arrivals: list[Arrival]) -> Outcome:
    """Plays `user`, float[n] at 24 kHz, then silence, while the oracles arrive."""
    front_end.reset()
    out = Outcome()
    frames, speech = _frames(user), []
    oracle: Oracle | None = None
    waiting = list(arrivals)
    now, began, generation = 0.0, 0.0, 0
    still = 0
    spoken = 0
    while now < LONGEST_S and still * FRAME_S < PATIENCE_S:
        if waiting and _is_due(waiting[0], now, spoken):
            generation, began, spoken = generation + 1, now, 0
            current = waiting.pop(0)
            out.fed.append(-1.0)
        if generation:
            oracle = _so_far(current, generation, now - began)
            if oracle.text and out.fed[-1] < 0:
                out.fed[-1] = now
        frame = frames.pop(0) if frames else np.zeros(FRAME_SAMPLES, np.int16)
        step = front_end.step(frame, oracle)
        speech.append(step.speech)
        out.pieces += [(now, piece) for piece in step.pieces]
        spoken += sum(piece.generation == generation > 0 for piece in step.pieces)
        quiet = not step.pieces and not frames and not waiting
        still = still + 1 if quiet else 0
        now += FRAME_S
    out.sound = np.concatenate(speech).astype(np.float32) / 32768
    return out


def _frames(user: np.ndarray) -> list[np.ndarray]:
    count = -(-len(user) // FRAME_SAMPLES)
    whole = np.zeros(count * FRAME_SAMPLES)
    whole[: len(user)] = user
    return list((np.clip(whole, -1, 1) * 32767).astype(np.int16).reshape(count, FRAME_SAMPLES))


def _is_due(arrival: Arrival, now: float, spoken: int) -> bool:
    return spoken >= arrival.after if arrival.after else now >= arrival.start


def _so_far(arrival: Arrival, generation: int, age: float) -> Oracle:
    words = arrival.text.split()
    there = min(len(words), 1 + int(age * arrival.pace))
    return Oracle(
        'trial', generation, ' '.join(words[:there]) + ' ', ended=there == len(words), utterance=0
    )
