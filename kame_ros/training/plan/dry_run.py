"""What a whole run will need: measured over a few steps where they fit, else by arithmetic."""

from __future__ import annotations

import resource
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from kame_ros.s2s.moshi.weights import runtime
from kame_ros.training.config import RunConfig
from kame_ros.training.data.layout import FRAME_HZ
from kame_ros.training.data.shards import ShardSource
from kame_ros.training.plan.forecast import GB, Forecast, forecast, free_gb, speed
from kame_ros.training.run.begin import InformedSource, begin, describe, locate
from kame_ros.training.run.engine import OneProcess
from kame_ros.training.run.trainer import Trainer

TRIED_STEPS = 3
SPARE = 1.3  # of the forecast: 1.30 was measured on a CPU, where memory is cut into pieces


@dataclass(frozen=True)
class Plan:
    """What a run will need. `measured_gb` is what this process, or its GPU, held at most."""

    config: RunConfig
    needs: Forecast
    free_gb: float
    step_s: float
    measured_gb: float | None
    hours_of_data: float
    processes: int

    @property
    def measured(self) -> bool:
        """Whether steps were tried; otherwise `step_s` is the least that it can be."""
        return self.measured_gb is not None

    @property
    def fits(self) -> bool:
        """Whether one process has room for the whole model."""
        return not self.needs.total * SPARE > self.free_gb

    @property
    def hours(self) -> float:
        """How long the run takes."""
        return self.config.steps * self.step_s / 3600

    @property
    def heard_hours(self) -> float:
        """How much of dialogues, in hours, it is trained on; the same ones more than once."""
        config = self.config
        frames = config.steps * config.batch * config.accumulate * config.frames * self.processes
        return frames / FRAME_HZ / 3600

    def lines(self) -> Iterator[str]:
        """What is to be said of it."""
        needs, config = self.needs, self.config
        yield (
            f'{needs.parameters / 1e6:.1f} M parameters, of which {needs.trained / 1e6:.1f} M are '
            'trained'
        )
        parts = {
            'weights': needs.weights,
            'gradients': needs.gradients,
            'optimiser': needs.optimiser,
            'activations': needs.activations,
        }
        added = ' + '.join(f'{name} {_size(value)}' for name, value in parts.items())
        yield (
            f'memory: {added} = {_size(needs.total)} by arithmetic; {_size(self.free_gb)} are free'
        )
        if self.measured_gb is not None:
            yield f'measured: {_size(self.measured_gb)} at most, {self.step_s:.3g} s a step'
        else:
            yield (
                f'not tried: the {needs.tera_ops:.3g} x 10^12 operations of a step take at least '
                f'{self.step_s:.3g} s at the speed of matrix products here'
            )
        if not self.fits:
            yield f'this does not fit into {_size(self.free_gb)}: ' + '; '.join(self._ways_out())
        bound = '' if self.measured else 'at least '
        yield f'{config.steps} steps: {bound}{_time(self.hours)}'
        yield (
            f'{_time(self.hours_of_data)} of dialogues to train on; the run hears '
            f'{_time(self.heard_hours)}, each {self.heard_hours / self.hours_of_data:.1f} times'
        )

    def _ways_out(self) -> Iterator[str]:
        config = self.config
        if not config.checkpointing:
            yield 'set checkpointing: true'
        if config.lora is None and config.checkpoint:
            yield 'take lora (config/training/lora.yaml)'
        if config.batch > 1:
            yield 'a smaller batch with more accumulate'
        yield (
            f'or let GPUs share the model with FSDP (config/training/fsdp.yaml): 4 need '
            f'{_size(self.needs.sharded(4))} each, 8 need {_size(self.needs.sharded(8))}'
        )


def _size(gb: float) -> str:
    return f'{gb:.1f} GB' if gb >= 1 else f'{gb * 1000:.0f} MB'


def _time(hours: float) -> str:
    return f'{hours:.1f} h' if hours >= 1 else f'{hours * 60:.1f} min'


def plan(config: RunConfig, data: Path, device: str = 'cpu', processes: int = 1) -> Plan:
    """Looks at the configuration and the data. Raises as `run` does.

    Weights are loaded, and steps tried, only if they are here already and fit into the device.
    """
    source = ShardSource(data, batch=config.batch, frames=config.frames, seed=config.seed)
    return plan_from(config, source, device, processes)


def plan_from(
    config: RunConfig, source: InformedSource, device: str = 'cpu', processes: int = 1
) -> Plan:
    """As `plan`, from any source."""
    runtime.use_threads(config.threads)
    info = source.info
    here = not config.checkpoint or Path(config.checkpoint).expanduser().is_dir()
    here = here or '/' not in config.checkpoint
    needs = forecast(config, describe(config, info, locate(config, weights=False)))
    free = free_gb(device)
    measured = None
    if here and needs.total * SPARE <= free:
        step_s, measured = _try(config, source, device)
    else:
        step_s = needs.tera_ops / speed(device, config.precision)
    share = info.dialogues / max(1, info.dialogues + info.held_out)
    return Plan(config, needs, free, step_s, measured, info.hours * share, processes)


def _try(config: RunConfig, source: InformedSource, device: str) -> tuple[float, float]:
    """Seconds of a step, and the most memory held, in GB."""
    begun = begin(config, source.info, locate(config), device)
    scratch = Path(tempfile.mkdtemp())
    try:
        trainer = Trainer(
            begun.model, source, config, scratch, resume=False, engine=OneProcess(device)
        )
        return tried(trainer, device)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def tried(trainer: Trainer, device: str) -> tuple[float, float]:
    """Trains a few steps: seconds of one, and the most memory that was held so far, in GB."""
    trainer.one_step()  # the first one allocates
    began = time.perf_counter()
    for _ in range(TRIED_STEPS):
        trainer.one_step()
    step_s = (time.perf_counter() - began) / TRIED_STEPS
    if device.startswith('cuda'):
        return step_s, torch.cuda.max_memory_allocated(device) / GB
    return step_s, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / GB
