"""Trains kame-small on scenes: from nothing, from weights, or on from where a run ended."""

from __future__ import annotations

import json
import logging
import math
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from kame_ros.s2s.small.sizes import ModelSize
from kame_ros.training.run import state as state_file
from kame_ros.training.run.state import STATE, TrainingError
from kame_ros.training.small import weights_file
from kame_ros.training.small.config import RESULT, SmallRecipe
from kame_ros.training.small.fit import StepLoss, loss_of, optimiser, prepared, share_of_rate
from kame_ros.training.small.ingredients import STREAMS
from kame_ros.training.small.model import CARD, CODES, FEATURES, KameSmall

log = logging.getLogger(__name__)
LOG = 'log.jsonl'
TRIED = 3  # parts of a step that a dry run tries
_GB = 1e9

Progress = Callable[[int, dict[str, float]], None]


class Scenes(Protocol):
    """Where the scenes of a step come from: see `Pool`."""

    def batch(self, step: int, count: int) -> dict[str, Tensor]:
        """The streams of `count` scenes, each [count, T, ...], on the device."""


@dataclass(frozen=True)
class SmallCost:
    """What a run needs, measured over a few parts of a step on this machine."""

    parameters: int
    step_s: float
    memory_gb: float  # the most that this process, or its GPU, held; without the pool of scenes
    pool_gb: float


class SmallTrainer:
    """A model that learns, and its state in a folder."""

    def __init__(
        self, recipe: SmallRecipe, size: ModelSize, silence: list[int], device: str = 'cpu'
    ) -> None:
        """`silence` are the eight codes of no sound. Raises TrainingError without that device."""
        known = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if device != 'cpu' and int(device.partition(':')[2] or 0) >= known:
            seen = f'{known} GPU{"s" * (known > 1)}' if known else 'no GPU'
            raise TrainingError(
                f'device is {device}, but torch sees {seen}: install the CUDA build of torch and '
                'the driver, or give --device cpu'
            )
        self.recipe, self._device, self.silence = recipe, device, silence
        self._on_gpu = device != 'cpu'
        if self._on_gpu:
            torch.set_float32_matmul_precision('high')
        self._quiet = torch.as_tensor(silence, device=device)
        torch.manual_seed(recipe.seed)
        self.model = KameSmall(size).to(device)
        self._learner = optimiser(self.model, recipe.learning_rate, fused=self._on_gpu)
        self._norm = torch.zeros(())  # of the gradients of the last step
        self.step = 0

    def learn(self, scenes: dict[str, Tensor]) -> StepLoss:
        """One step: the mean of the gradients of the parts of a batch. Gives the last part's loss.

        Nothing waits for a GPU here: see `check`.
        """
        recipe = self.recipe
        share = share_of_rate(self.step, recipe.steps, recipe.warm_up, recipe.decay)
        for group in self._learner.param_groups:
            group['lr'] = recipe.learning_rate * share
        self._learner.zero_grad(set_to_none=True)
        at_once = min(recipe.scenes_at_once(self._device), recipe.batch)
        for begin in range(0, recipe.batch, at_once):
            part = {name: value[begin : begin + at_once] for name, value in scenes.items()}
            found = self.loss(part)
            (found.total * len(part['said']) / recipe.batch).backward()  # type: ignore[no-untyped-call]
        self._norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), recipe.clip)
        self._learner.step()
        self.step += 1
        return found

    def loss(self, scenes: dict[str, Tensor]) -> StepLoss:
        """Of scenes whose past is spoilt a little; on a GPU in bfloat16."""
        streams = prepared(scenes, self._quiet, spoil=True)
        kind = torch.device(self._device).type
        with torch.autocast(kind, torch.bfloat16, enabled=self._on_gpu):
            return loss_of(self.model, streams)

    def check(self, found: StepLoss) -> dict[str, float]:
        """The loss in numbers. Raises TrainingError if it, or what was learnt of it, is none."""
        numbers = {
            'loss': found.total.item(),
            'text': found.text.item(),
            'audio': found.codes.mean().item(),
            'words_right': found.begun.item(),
            'codes_right': found.right.item(),
        }
        if not math.isfinite(numbers['loss'] + self._norm.item()):
            raise TrainingError(
                f'the loss of step {self.step} is no number: lower learning_rate, and start again '
                'from the last state'
            )
        return numbers

    def save(self, folder: Path) -> bool:
        """Writes the state; a full disk is logged, and the run goes on."""
        state: dict[str, Any] = {
            'model': self.model.state_dict(),
            'learner': self._learner.state_dict(),
            'step': self.step,
            'size': self.model.size.as_dict(),
            'silence': self.silence,
            'random': torch.get_rng_state(),
        }
        if self._on_gpu:
            state['random_gpu'] = torch.cuda.get_rng_state(self._device)
        return state_file.write(state, folder)

    def resume(self, folder: Path) -> bool:
        """Goes on from the state in the folder, if there is one.

        Raises TrainingError for a state that is damaged, or that of another model.
        """
        if not (folder / STATE).exists():
            return False
        state = state_file.read(folder, torch.device('cpu'))
        try:
            theirs = {'size': state['size'], 'silence': state['silence']}
            if theirs != {'size': self.model.size.as_dict(), 'silence': self.silence}:
                raise TrainingError(
                    f'{folder / STATE} is of a model of other sizes or codes: give another folder, '
                    'or remove it to start over'
                )
            self.model.load_state_dict(state['model'])
            self._learner.load_state_dict(state['learner'])
            torch.set_rng_state(state['random'])
            if self._on_gpu and 'random_gpu' in state:
                torch.cuda.set_rng_state(state['random_gpu'], self._device)
            self.step = int(state['step'])
        except (KeyError, RuntimeError, ValueError) as error:
            if isinstance(error, TrainingError):
                raise
            raise TrainingError(f'{folder / STATE} is no state of kame-small: {error}') from error
        return True


def train(
    trainer: SmallTrainer, scenes: Scenes, folder: Path, progress: Progress | None = None
) -> Path:
    """Trains up to the last step of the recipe and gives the folder of the weights.

    Every `save_every` steps the state and the weights are written into `folder`; where the disk is
    full, it goes on. Raises TrainingError, or OSError if the last weights cannot be written.
    """
    recipe, told_at, told_step = trainer.recipe, time.monotonic(), trainer.step
    result = folder / RESULT
    if progress is not None:
        progress(trainer.step, {})
    while trainer.step < recipe.steps:
        found = trainer.learn(scenes.batch(trainer.step, recipe.batch))
        last = trainer.step == recipe.steps
        if last or trainer.step % recipe.note_every == 0:
            numbers = trainer.check(found)
            now = time.monotonic()
            numbers['step_s'] = (now - told_at) / (trainer.step - told_step)
            told_at, told_step = now, trainer.step
            _note(folder, {'step': trainer.step, **numbers})
            if progress is not None:
                progress(trainer.step, numbers)
        if last or trainer.step % recipe.save_every == 0:
            trainer.check(found)  # a state without numbers in it is not to take the place of one
            trainer.save(folder)
            try:
                weights_file.write(trainer.model, trainer.silence, result)
            except OSError as error:
                if last:
                    raise
                log.error('the weights so far cannot be written: %s; training goes on', error)
    if not (result / weights_file.MODEL).exists():
        weights_file.write(trainer.model, trainer.silence, result)
    return result


def _note(folder: Path, numbers: dict[str, float]) -> None:
    try:
        with (folder / LOG).open('a') as file:
            file.write(json.dumps(numbers) + '\n')
    except OSError as error:
        log.warning('the log cannot be written: %s', error)


def begin(
    recipe: SmallRecipe,
    size: ModelSize,
    silence: list[int],
    folder: Path,
    device: str = 'cpu',
    init: Path | None = None,
) -> SmallTrainer:
    """A trainer that goes on from the state in `folder`, else from the weights in `init`.

    Raises TrainingError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    trainer = SmallTrainer(recipe, size, silence, device)
    if not trainer.resume(folder) and init is not None:
        weights_file.read_into(trainer.model, init)
    return trainer


def try_out(recipe: SmallRecipe, size: ModelSize, device: str = 'cpu') -> SmallCost:
    """Times a few parts of a step on random streams, of which no folder is needed."""
    trainer = SmallTrainer(recipe, size, [0] * CODES, device)
    at_once = min(recipe.scenes_at_once(device), recipe.batch)
    streams = _random_streams(size, at_once, recipe.frames, device)
    took: list[float] = []
    for _ in range(TRIED):
        began = time.monotonic()
        trainer.loss(streams).total.backward()  # type: ignore[no-untyped-call]
        if device != 'cpu':
            torch.cuda.synchronize(device)
        took.append(time.monotonic() - began)
    if device == 'cpu':
        held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0
    else:
        held = float(torch.cuda.max_memory_allocated(device))
    weights = sum(weight.numel() for weight in trainer.model.parameters())
    scene = sum(value[0].numel() * value.element_size() for value in streams.values())
    return SmallCost(
        parameters=weights,
        step_s=min(took) * recipe.batch / at_once,
        memory_gb=(held + 8 * weights) / _GB,  # and the two means of the optimiser
        pool_gb=scene * recipe.pool / _GB,
    )


def _random_streams(size: ModelSize, count: int, frames: int, device: str) -> dict[str, Tensor]:
    """Scenes in which the robot speaks in half of the frames."""
    codes = torch.randint(1, CARD, (count, frames, CODES), dtype=torch.int16)
    codes[:, ::2] = 0  # silence
    streams = {
        'ear': torch.randint(255, (count, frames, FEATURES), dtype=torch.uint8),
        'codes': codes,
        'said': torch.randint(size.pieces, (count, frames), dtype=torch.int16),
        'window': torch.randint(size.pieces + 1, (count, frames, size.ahead), dtype=torch.int16),
        'mark': torch.randint(2, (count, frames), dtype=torch.uint8),
    }
    return {name: streams[name].to(device) for name in STREAMS}
