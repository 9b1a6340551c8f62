"""The recipe of kame-tiny in one call: voice, scenes, training, checkpoint."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from kame_ros.s2s.moshi import runtime
from kame_ros.s2s.moshi.model import OracleLMModel
from kame_ros.training.config import ConfigError, RunConfig
from kame_ros.training.dry_run import tried
from kame_ros.training.result import Surroundings, write_whole
from kame_ros.training.tiny.recipe import TinySource, lm_kwargs
from kame_ros.training.tiny.scene import AHEAD
from kame_ros.training.trainer import Trainer

CONFIG = Path(__file__).with_name('kame-tiny.yaml')
CHECKPOINT = 'checkpoint'


@dataclass(frozen=True)
class Cost:
    """What a run needs, measured over a few steps on this machine."""

    parameters: int
    step_s: float
    hours: float
    memory_gb: float  # the most that this process held


def train(
    config: RunConfig,
    folder: Path,
    device: str = 'cpu',
    progress: Callable[[int, dict[str, float]], None] | None = None,
) -> Path:
    """Trains in `folder`, or goes on there, and gives the folder of the checkpoint.

    Raises EspeakMissingError, Codec2MissingError or MissingWeights for what the data need,
    ConfigError for a configuration that does not fit, TrainingError for a run that cannot go on.
    """
    source, model, kwargs = _build(config, folder, device)
    Trainer(model, source, config, folder, device).run(progress)
    around = Surroundings(kwargs, source.tokenizer, 'codec2-700c', AHEAD)
    where = write_whole(model.state_dict(), around, folder / CHECKPOINT)
    shutil.copy(folder / 'voice.npz', where / 'voice.npz')
    return where


def try_out(config: RunConfig, folder: Path, device: str = 'cpu') -> Cost:
    """Trains a few steps, without keeping them, to tell what the whole run will need."""
    source, model, _ = _build(config, folder, device)
    trainer = Trainer(model, source, config, folder / 'dry-run', device, resume=False)
    step_s, held = tried(trainer, device)
    shutil.rmtree(folder / 'dry-run', ignore_errors=True)
    size = sum(weight.numel() for weight in model.parameters())
    return Cost(size, step_s, config.steps * step_s / 3600, held)


def _build(
    config: RunConfig, folder: Path, device: str
) -> tuple[TinySource, OracleLMModel, dict[str, Any]]:
    runtime.use_threads(config.threads)
    source = TinySource(folder, config.seed, config.batch, config.frames, config.lessons)
    kwargs = lm_kwargs(config, source)
    torch.manual_seed(config.seed)
    try:
        model = OracleLMModel(device=device, dtype=torch.float32, **kwargs)
    except (TypeError, AssertionError, ValueError) as error:
        raise ConfigError(f'the model of the configuration cannot be built: {error}') from error
    _relate(model)
    return source, model, kwargs


@torch.no_grad()
def _relate(model: OracleLMModel) -> None:
    """Begins with one embedding of words, turned: as fed, as said, and as chosen.

    To say what was fed is then one rotation for all words, which need not be learnt one by one.
    """
    said = model.text_emb.weight
    quarter = said.shape[1] // 4
    model.oracle_emb.weight.copy_(said.roll(quarter, dims=1))
    chosen = model.text_linear.weight
    chosen.copy_(said[: len(chosen)].roll(2 * quarter, dims=1))
