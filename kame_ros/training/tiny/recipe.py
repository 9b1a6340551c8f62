"""kame-tiny from nothing: voice, tokeniser, fresh scenes for every step, model, checkpoint."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np

from kame_ros.s2s.moshi.codec2 import CARD, CODEBOOKS
from kame_ros.training.config import ConfigError, RunConfig
from kame_ros.training.layout import Example
from kame_ros.training.source import Batch, stack
from kame_ros.training.tiny import lexicon, robot_voice, tokens
from kame_ros.training.tiny.scene import Mix, SceneMaker
from kame_ros.training.tiny.user_voices import HELD_OUT, VOICES, UserVoices

PER_ROOM = 150  # utterances of the users in each room
HELD_PER_ROOM = 20


class TinySource:
    """Scenes without end. Held-out scenes have other users, and numbers no training step has."""

    def __init__(
        self, folder: Path, seed: int, batch: int, frames: int, lessons: list[dict[str, Any]]
    ) -> None:
        """`lessons` are in order: `until` which step (0: to the end), and fields of `Mix`."""
        self._seed, self._batch, self._frames = seed, batch, frames
        self._lessons = [_lesson(**lesson) for lesson in lessons] or [(0, Mix())]
        self.tokenizer = tokens.make(lexicon.WORDS, lexicon.SIGNS)
        self.ids, self.marks = tokens.read(self.tokenizer)
        self.voice = robot_voice.load_or_make(lexicon.WORDS, folder / 'voice.npz')
        rng = random.Random(f'users/{seed}')
        self._users = UserVoices(rng, VOICES, PER_ROOM)
        self._strangers = UserVoices(rng, HELD_OUT, HELD_PER_ROOM)

    def batch(self, step: int) -> Batch:
        """The batch of a training step."""
        mix = next((m for until, m in self._lessons if step < until), self._lessons[-1][1])
        return self._make(f'train/{self._seed}/{step}', self._users, mix)

    def held_out(self, number: int) -> Batch:
        """A batch of voices that are never trained on."""
        return self._make(f'held/{number}', self._strangers, self._lessons[-1][1])

    def scene(self, seed: str, frames: int, strangers: bool = False) -> Example:
        """One scene, for a look at it."""
        users = self._strangers if strangers else self._users
        maker = SceneMaker(random.Random(seed), self.voice, users, self.ids, self.marks)
        return maker.scene(frames)

    def _make(self, seed: str, users: UserVoices, mix: Mix) -> Batch:
        # A str seeds alike in every process; a tuple would not.
        rng = random.Random(seed)
        maker = SceneMaker(rng, self.voice, users, self.ids, self.marks, mix)
        scenes = [maker.scene(self._frames) for _ in range(self._batch)]
        return stack(scenes, np.asarray(self.voice.silence))


def _lesson(until: int = 0, **mix: Any) -> tuple[int, Mix]:
    try:
        return until, Mix(**mix)
    except TypeError as error:
        raise ConfigError(f'lessons: {error}') from error


def lm_kwargs(config: RunConfig, source: TinySource) -> dict[str, Any]:
    """The arguments of the language model: Moshi's own, with what the configuration changes."""
    from kame_ros.s2s.moshi.upstream import loaders

    return {
        **loaders._lm_kwargs,
        'n_q': 2 * CODEBOOKS,
        'dep_q': CODEBOOKS,
        'card': CARD,
        'text_card': source.marks.start,
        **config.model,
    }
