"""What scenes of kame-small are made of, and a process that makes them. No torch."""

from __future__ import annotations

import json
import multiprocessing.connection
import signal
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kame_ros.training.small import bank_file
from kame_ros.training.small.bank import Sentences, Users
from kame_ros.training.small.scene import Phrases, Scene, StreamsMaker, TurnMix

PARTS = 'parts.json'  # of a bank: what its tokens are
CHUNK = 64  # scenes that a process makes at once
STREAMS = ('ear', 'codes', 'said', 'window', 'mark')


@dataclass(frozen=True)
class Ingredients:
    """Where the parts of scenes are, and what the model's tokens are."""

    robot: tuple[Path, ...]
    phrases: Path
    users: tuple[Path, ...]
    phrase_counts: tuple[int, int, int]  # lead-ins, corrections, and what is said without an oracle
    begins_word: np.ndarray  # bool[pieces]
    silence: np.ndarray  # int[8]
    ahead: int  # pieces of the oracle that the model is shown
    frames: int  # of a scene

    @classmethod
    def of(cls, bank: Path, ahead: int, frames: int) -> Ingredients:
        """Those of a bank, as `prepare` makes it. Raises OSError, KeyError or ValueError.

        Speech in the codes of other books, left from before they were made anew, is not among them.
        """
        parts = json.loads((bank / PARTS).read_text())
        one, two, three = parts['phrase_counts']
        return cls(
            robot=tuple(
                path
                for path in sorted(bank.glob('robot_*.npz'))
                if bank_file.made_of(path) == parts.get('made_of', '')
            ),
            phrases=bank / 'phrases.npz',
            users=tuple(sorted(bank.glob('users_[0-9]*.npz'))),
            phrase_counts=(one, two, three),
            begins_word=np.asarray(parts['begins_word'], bool),
            silence=np.asarray(parts['silence'], np.int64),
            ahead=ahead,
            frames=frames,
        )

    def maker(self, seed: int) -> StreamsMaker:
        """A maker of scenes, the same for the same seed."""
        own = Sentences([self.phrases])
        one, two, three = np.cumsum(self.phrase_counts)
        phrases = Phrases(
            [own[i] for i in range(one)],
            [own[i] for i in range(one, two)],
            [own[i] for i in range(two, three)],
        )
        return StreamsMaker(
            np.random.default_rng(seed),
            Sentences(self.robot),
            phrases,
            Users(self.users),
            self.begins_word,
            self.silence,
            self.ahead,
            TurnMix(),
        )


def stacked(scenes: list[Scene]) -> dict[str, np.ndarray]:
    """The streams of scenes, each [B, T, ...]."""
    return {name: np.stack([getattr(scene, name) for scene in scenes]) for name in STREAMS}


def send_scenes(
    ingredients: Ingredients, seed: int, out: multiprocessing.connection.Connection
) -> None:
    """Makes chunks of scenes until nobody takes them any more: the work of a process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that trains
    maker = ingredients.maker(seed)
    while True:
        chunk = stacked([maker.scene(ingredients.frames) for _ in range(CHUNK)])
        try:
            out.send(chunk)
        except OSError:
            return
