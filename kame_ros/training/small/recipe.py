"""A whole training run of kame-small in one call: from a bank to weights."""

from __future__ import annotations

import os
from pathlib import Path

import torch

from kame_ros.s2s.small import turn_end as at_run_time
from kame_ros.training.run.state import TrainingError
from kame_ros.training.small import turn_end, weights_file
from kame_ros.training.small.config import SmallRecipe
from kame_ros.training.small.ingredients import Ingredients
from kame_ros.training.small.pool import Pool
from kame_ros.training.small.train import Progress, SmallTrainer, begin, train


def device_of(wanted: str) -> str:
    """`cpu`, `cuda` or `cuda:N`; `auto` is a GPU where there is one."""
    if wanted == 'auto':
        return 'cuda' if torch.cuda.is_available() else 'cpu'
    return wanted


def run(
    recipe: SmallRecipe,
    folder: Path,
    bank: Path,
    device: str = 'cpu',
    init: Path | None = None,
    workers: int = 0,
    progress: Progress | None = None,
) -> Path:
    """Trains in `folder` on a bank of `prepare`, or goes on; gives the folder of the weights.

    It begins with the weights in `init`, or at random. `workers` processes make scenes; 0: one
    beside a CPU that trains, else one less than there are cores. Raises TrainingError or OSError.
    """
    try:
        size = recipe.model_size(pieces=1)
        ingredients = Ingredients.of(bank, size.ahead, recipe.frames)
        size = recipe.model_size(len(ingredients.begins_word))
    except (KeyError, ValueError) as error:
        raise TrainingError(f'{bank} cannot be trained on: {error}') from error
    trainer = begin(recipe, size, ingredients.silence.tolist(), folder, device, init)
    workers = workers or (1 if device == 'cpu' else max(1, (os.cpu_count() or 2) - 1))
    # Not the scenes again that it has seen before it was ended.
    pool = Pool(ingredients, recipe.pool, workers, recipe.seed + trainer.step, device)
    try:
        result = train(trainer, pool, folder, progress)
    finally:
        pool.close()
    add_turn_end(trainer, ingredients, result)
    return result


def add_turn_end(trainer: SmallTrainer, ingredients: Ingredients, result: Path) -> None:
    """Trains what tells the end of a turn for the weights in `result`, unless it is newer."""
    own, model = result / at_run_time.FILE, result / weights_file.MODEL
    if own.exists() and own.stat().st_mtime_ns >= model.stat().st_mtime_ns:
        return
    users = turn_end.HeldUtterances(ingredients.users)
    felt = turn_end.feel(trainer.model.eval(), trainer.silence, users, trainer.recipe.seed)
    passes = trainer.recipe.turn_end_passes
    turn_end.write(turn_end.train(felt, passes, trainer.recipe.seed), result)
