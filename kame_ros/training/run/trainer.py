"""The training loop: forward, backward, step, and a state that resumes exactly.

Nothing here draws random numbers: batches are asked for by number, and the models have no dropout.
"""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from kame_ros.s2s.moshi.model import OracleLMModel
from kame_ros.training.config import ConfigError, RunConfig
from kame_ros.training.data.source import Batch, BatchSource
from kame_ros.training.run import state
from kame_ros.training.run.engine import Engine, OneProcess
from kame_ros.training.run.loss import Loss, Masks, count, loss, masks, weights_of
from kame_ros.training.run.state import STATE, TrainingError

__all__ = ['LOG', 'STATE', 'Trainer', 'TrainingError']
log = logging.getLogger(__name__)
LOG = 'log.jsonl'
_TOLD = ('betas', 'eps', 'weight_decay')  # settings of AdamW; the rate is set in every step
NOTE_EVERY = 10  # steps
NUMBERS = ('loss', 'text', 'audio', 'words_right', 'codes_right')


class Trainer:
    """Trains `model` in `folder`; after a restart it goes on where its state was saved last.

    `improved` is called, in every process, when the loss on held-out data is the lowest so far.
    """

    def __init__(
        self,
        model: OracleLMModel,
        source: BatchSource,
        config: RunConfig,
        folder: Path,
        resume: bool = True,
        engine: Engine | None = None,
        improved: Callable[[], None] | None = None,
    ) -> None:
        self._engine = engine or OneProcess()
        self._model, self._source, self._config, self._folder = model, source, config, folder
        self._device, self._improved = self._engine.device, improved
        self._weights = weights_of(config)
        self._call, self._optimiser = self._engine.prepare(
            model, _optimiser(model, config, self._device.type == 'cuda')
        )
        self.step = 0
        self.best = math.inf  # the lowest loss on held-out data
        self.lost_saves = 0  # states that could not be written: a full disk
        folder.mkdir(parents=True, exist_ok=True)
        if resume and (folder / STATE).exists():
            self._resume()

    def run(self, progress: Callable[[int, dict[str, float]], None] | None = None) -> None:
        """Trains up to `config.steps`. Raises TrainingError if the loss is no longer a number."""
        config = self._config
        self._model.train()
        began, done = time.monotonic(), 0
        frames = config.frames * config.batch * config.accumulate * self._engine.world
        while self.step < config.steps:
            numbers = self.one_step()
            done += 1
            numbers['frames_per_s'] = done * frames / (time.monotonic() - began)
            last = self.step == config.steps
            evaluated = last or self.step % config.evaluate_every == 0
            if evaluated:
                numbers |= self.evaluate()
                self._compare(numbers['held_loss'])
            if evaluated or self.step % NOTE_EVERY == 0:
                self._note(numbers)
            if progress is not None and self._engine.rank == 0:
                progress(self.step, numbers)
            if last or self.step % config.save_every == 0:
                self.save()

    def one_step(self) -> dict[str, float]:
        """Trains one step and gives its numbers. Raises TrainingError for a loss that is none."""
        config = self._config
        rate = config.rate(self.step)
        for group in self._optimiser.param_groups:
            group['lr'] = rate
        self._optimiser.zero_grad(set_to_none=True)
        first = self.step * config.accumulate
        batches = [self._source.batch(first + part) for part in range(config.accumulate)]
        counts = self._count(batches)
        found = []
        for number, batch in enumerate(batches, 1):
            with self._engine.part(self._call, last=number == len(batches)):
                found.append(self._loss(batch, counts))
                self._engine.backward(found[-1].total)
        norm = self._engine.clip(self._call, config.clip)
        if not math.isfinite(norm):
            raise TrainingError(
                f'the loss of step {self.step} is no number: lower learning_rate, and start again '
                f'from the last state, which is in {self._folder}'
            )
        self._optimiser.step()
        self.step += 1
        return {**self._sum(found), 'rate': rate}

    def _sum(self, found: list[Loss]) -> dict[str, float]:
        """What the shares of all parts, in all processes, add up to."""
        shares = [
            [float(f.total.detach()), f.text, f.audio, f.words_right, f.codes_right] for f in found
        ]
        mine = torch.tensor(shares, device=self._device).sum(dim=0)
        return dict(zip(NUMBERS, self._engine.total(mine).tolist(), strict=True))

    def _count(self, batches: list[Batch]) -> Tensor:
        counts = [count(self._masks(batch), self._weights) for batch in batches]
        return self._engine.total(torch.stack(counts).sum(dim=0).to(self._device))

    def _masks(self, batch: Batch, device: torch.device | str = 'cpu') -> Masks:
        model = self._model
        return masks(
            torch.from_numpy(batch.codes).to(device),
            torch.from_numpy(batch.quiet).to(device),
            model.text_padding_token_id,
            model.delays,
            model.dep_q,
        )

    def _loss(self, batch: Batch, counts: Tensor) -> Loss:
        codes = torch.from_numpy(batch.codes).to(self._device)
        oracle = torch.from_numpy(batch.oracle).to(self._device)
        half = self._config.precision == 'bfloat16'
        with torch.autocast(self._device.type, torch.bfloat16, enabled=half):
            output = self._call(codes, oracle_tokens=oracle)
        return loss(output, codes, self._masks(batch, self._device), self._weights, counts)

    @torch.no_grad()
    def evaluate(self) -> dict[str, float]:
        """The numbers of a step, over held-out batches, by name.

        All processes ask for the same batches: it is the source that gives each its own.
        """
        self._model.eval()
        batches = [self._source.held_out(n) for n in range(self._config.evaluate_batches)]
        counts = self._count(batches)
        found = self._sum([self._loss(batch, counts) for batch in batches])
        self._model.train()
        return {f'held_{name}': value for name, value in found.items()}

    def _compare(self, held: float) -> None:
        if held >= self.best:
            return
        self.best = held
        if self._improved is None:
            return
        try:
            self._improved()
        except OSError as error:
            log.error('the best model so far cannot be written: %s; training goes on', error)

    def weights(self) -> dict[str, Tensor] | None:
        """What is trained, whole, in the first process; None in the others."""
        return self._engine.weights(self._call)

    def _note(self, numbers: dict[str, float]) -> None:
        if self._engine.rank:
            return
        try:
            with (self._folder / LOG).open('a') as file:
                file.write(json.dumps({'step': self.step, **numbers}) + '\n')
        except OSError as error:
            log.warning('the log cannot be written: %s', error)

    def save(self) -> bool:
        """Writes the state, whole or not at all; a full disk is reported and training goes on."""
        held = self._engine.state(self._call, self._optimiser)
        if held is None:
            return True
        written = state.write({'step': self.step, 'best': self.best, **held}, self._folder)
        self.lost_saves += not written
        return written

    def _resume(self) -> None:
        found: dict[str, Any] = state.read(self._folder, self._device)
        groups = self._optimiser.param_groups
        told = [{name: group[name] for name in _TOLD} for group in groups]
        try:
            self._engine.load(self._call, self._optimiser, found)
            for group, own in zip(self._optimiser.param_groups, told, strict=True):
                group.update(own)  # the configuration counts, not the state
            self.step = int(found['step'])
        except (KeyError, RuntimeError, ValueError) as error:
            reason = str(error).strip().splitlines()
            raise ConfigError(
                f'the model of the configuration is not the one in {self._folder / STATE}: '
                f'{reason[-1].strip()}'
            ) from error
        self.best = float(found.get('best', math.inf))


def _optimiser(model: torch.nn.Module, config: RunConfig, gpu: bool) -> torch.optim.Optimizer:
    """AdamW; vectors, which are scales of norms, do not decay. moshi has them as [1, 1, dim]."""
    trained = [weight for weight in model.parameters() if weight.requires_grad]
    matrices = {id(weight) for weight in trained if sum(size > 1 for size in weight.shape) > 1}
    groups: list[dict[str, Any]] = [
        {'params': [weight for weight in trained if id(weight) in matrices]},
        {
            'params': [weight for weight in trained if id(weight) not in matrices],
            'weight_decay': 0.0,
        },
    ]
    return torch.optim.AdamW(
        [group for group in groups if group['params']],
        lr=config.learning_rate,
        betas=config.betas,
        eps=config.epsilon,
        weight_decay=config.weight_decay,
        fused=True if gpu else None,  # without it, a step holds another copy of what is trained
    )
