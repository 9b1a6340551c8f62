"""The training loop, on one process: forward, backward, step, and a state that resumes exactly."""

from __future__ import annotations

import json
import logging
import math
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from kame_ros.s2s.moshi.model import OracleLMModel
from kame_ros.training.config import ConfigError, RunConfig
from kame_ros.training.loss import Loss, LossWeights, loss
from kame_ros.training.source import Batch, Source

log = logging.getLogger(__name__)
STATE, LOG = 'state.pt', 'log.jsonl'
HELD_OUT = 4  # batches of an evaluation


class TrainingError(RuntimeError):
    """A run that cannot go on: its state is damaged or another's, or its loss is no number."""


class Trainer:
    """Trains `model` in `folder`; after a restart it goes on where its state was saved last."""

    def __init__(
        self,
        model: OracleLMModel,
        source: Source,
        config: RunConfig,
        folder: Path,
        device: str = 'cpu',
        resume: bool = True,
    ) -> None:
        self._model, self._source, self._config, self._folder = model, source, config, folder
        self._device = torch.device(device)
        self._weights = LossWeights(**config.losses)
        trained = [p for p in model.parameters() if p.requires_grad]
        groups: list[dict[str, Any]] = [
            {'params': [p for p in trained if p.ndim > 1]},
            {'params': [p for p in trained if p.ndim <= 1], 'weight_decay': 0.0},
        ]
        self._optimiser = torch.optim.AdamW(
            groups,
            lr=config.learning_rate,
            betas=(0.9, 0.95),
            eps=1e-8,
            weight_decay=config.weight_decay,
        )
        self.step = 0
        self.lost_saves = 0  # states that could not be written: a full disk
        folder.mkdir(parents=True, exist_ok=True)
        if resume and (folder / STATE).exists():
            self._resume()

    def run(self, progress: Callable[[int, dict[str, float]], None] | None = None) -> None:
        """Trains up to `config.steps`. Raises TrainingError if the loss is no longer a number."""
        self._model.train()
        began, done = time.monotonic(), 0
        while self.step < self._config.steps:
            numbers = self.one_step()
            done += 1
            numbers['frames_per_s'] = (
                done * self._config.frames * self._config.batch * self._config.accumulate
            ) / (time.monotonic() - began)
            last = self.step == self._config.steps
            if last or self.step % self._config.evaluate_every == 0:
                numbers |= self.evaluate()
            if last or self.step % 10 == 0:
                self._note(numbers)
            if progress is not None:
                progress(self.step, numbers)
            if last or self.step % self._config.save_every == 0:
                self.save()

    def one_step(self) -> dict[str, float]:
        """Trains one step and gives its numbers. Raises TrainingError for a loss that is none."""
        config = self._config
        rate = config.rate(self.step)
        for group in self._optimiser.param_groups:
            group['lr'] = rate
        self._optimiser.zero_grad(set_to_none=True)
        for part in range(config.accumulate):
            found = self._loss(self._source.batch(self.step * config.accumulate + part))
            (found.total / config.accumulate).backward()
        norm = torch.nn.utils.clip_grad_norm_(self._model.parameters(), config.clip)
        if not math.isfinite(float(norm)):
            raise TrainingError(
                f'the loss of step {self.step} is no number: lower learning_rate, and start again '
                f'from the last state, which is in {self._folder}'
            )
        self._optimiser.step()
        self.step += 1
        return {
            'loss': float(found.total.detach()),
            'text': found.text,
            'audio': found.audio,
            'words_right': found.words_right,
            'codes_right': found.codes_right,
            'rate': rate,
        }

    def _loss(self, batch: Batch) -> Loss:
        codes, oracle = self._tensor(batch.codes), self._tensor(batch.oracle)
        half = self._config.precision == 'bfloat16'
        with torch.autocast(self._device.type, torch.bfloat16, enabled=half):
            output = self._model(codes, oracle_tokens=oracle)
        padding = self._model.text_padding_token_id
        return loss(output, codes, self._tensor(batch.quiet), padding, self._weights)

    def _tensor(self, array: Any) -> Tensor:
        return torch.from_numpy(array).to(self._device)

    @torch.no_grad()
    def evaluate(self) -> dict[str, float]:
        """Means over held-out batches, by name."""
        self._model.eval()
        found = [self._loss(self._source.held_out(number)) for number in range(HELD_OUT)]
        self._model.train()
        names = ('text', 'audio', 'words_right', 'codes_right')
        return {f'held_{n}': sum(getattr(f, n) for f in found) / HELD_OUT for n in names}

    def _note(self, numbers: dict[str, float]) -> None:
        try:
            with (self._folder / LOG).open('a') as file:
                file.write(json.dumps({'step': self.step, **numbers}) + '\n')
        except OSError as error:
            log.warning('the log cannot be written: %s', error)

    def save(self) -> bool:
        """Writes the state, whole or not at all; a full disk is reported and training goes on."""
        state = {
            'step': self.step,
            'model': self._model.state_dict(),
            'optimiser': self._optimiser.state_dict(),
        }
        new = self._folder / f'{STATE}.new'
        try:
            torch.save(state, new)
            os.replace(new, self._folder / STATE)
        except (OSError, RuntimeError) as error:  # torch reports a full disk as RuntimeError
            new.unlink(missing_ok=True)
            self.lost_saves += 1
            log.error(
                'the state of step %d cannot be saved (%s): free some space in %s; training goes '
                'on and the state before is kept', self.step, error, self._folder
            )  # fmt: skip
            return False
        return True

    def _resume(self) -> None:
        path = self._folder / STATE
        try:
            state = torch.load(path, map_location=self._device, weights_only=True)
        except Exception as error:  # torch raises many kinds for a damaged file
            raise TrainingError(
                f'{path} is damaged ({error}): remove it to start over, or restore a copy'
            ) from error
        try:
            self._model.load_state_dict(state['model'])
            self._optimiser.load_state_dict(state['optimiser'])
            self.step = int(state['step'])
        except (KeyError, RuntimeError, ValueError) as error:
            reason = str(error).strip().splitlines()
            raise ConfigError(
                f'the model of the configuration is not the one in {path}: {reason[-1].strip()}'
            ) from error
