"""A run over prepared data: from nothing or from a checkpoint, to a checkpoint that speaks."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from kame_ros.s2s.moshi.weights import runtime
from kame_ros.s2s.moshi.weights.checkpoint import Checkpoint, find
from kame_ros.text.misfit import misfit
from kame_ros.training.config import ConfigError, RunConfig
from kame_ros.training.data import same_codec
from kame_ros.training.data.data_file import write_whole
from kame_ros.training.data.dialogue import DataError
from kame_ros.training.data.shards import DataInfo, ShardSource
from kame_ros.training.run import result
from kame_ros.training.run.accelerated import Accelerated, launched
from kame_ros.training.run.begin import Begun, InformedSource, begin, describe, locate
from kame_ros.training.run.engine import Engine, OneProcess
from kame_ros.training.run.loss import weights_of
from kame_ros.training.run.result import Surroundings
from kame_ros.training.run.state import STATE
from kame_ros.training.run.trainer import Trainer

log = logging.getLogger(__name__)
CHECKPOINT, BEST, RUN = 'checkpoint', 'best', 'run.json'
Progress = Callable[[int, dict[str, float]], None]


@dataclass(frozen=True)
class Result:
    """Where the checkpoints of the last and of the best step are. `lost` counts failed saves."""

    last: Path
    best: Path
    best_loss: float
    lost: int


def run(
    config: RunConfig,
    data: Path,
    folder: Path,
    device: str = 'cpu',
    merge: bool = False,
    progress: Progress | None = None,
) -> Result:
    """Trains on a folder of `kame train prepare`, or goes on; in one process or in each of several.

    Raises DataError for bad data, ConfigError for what does not fit together, CheckpointError for
    bad weights, TrainingError for a run that cannot go on, OSError if the result finds no room.
    """
    runtime.use_threads(config.threads)
    engine: Engine = Accelerated(device) if launched() else OneProcess(device)
    source = ShardSource(
        data,
        batch=config.batch,
        frames=config.frames,
        seed=config.seed,
        rank=engine.rank,
        world=engine.world,
    )
    done = train(config, source, folder, engine, merge, progress)
    engine.close()
    return done


def train(
    config: RunConfig,
    source: InformedSource,
    folder: Path,
    engine: Engine,
    merge: bool = False,
    progress: Progress | None = None,
) -> Result:
    """As `run`, from any source."""
    if not source.info.held_out:
        raise DataError('the data have no held-out dialogues: prepare them with --held-out 0.05')
    weights_of(config)  # a mistake is told before the model is loaded
    base = locate(config)
    around = _surroundings(config, source.info, base)
    begun = begin(config, source.info, base, engine.home)
    if engine.rank == 0:
        _same_run(config, source.info, folder)
    keeper = _Keeper(config, begun, around, merge)

    def improved() -> None:
        keeper.write(trainer.weights(), folder / BEST)

    trainer = Trainer(begun.model, source, config, folder, engine=engine, improved=improved)
    if trainer.step:
        log.info('going on after step %d', trainer.step)
    trainer.run(progress)
    keeper.write(trainer.weights(), folder / CHECKPOINT)
    return Result(folder / CHECKPOINT, folder / BEST, trainer.best, trainer.lost_saves)


@dataclass(frozen=True)
class _Keeper:
    """Writes the trained weights as the kind of checkpoint that was asked for."""

    config: RunConfig
    begun: Begun
    around: Surroundings
    merge: bool

    def write(self, weights: dict[str, Tensor] | None, folder: Path) -> None:
        lora, base = self.config.lora, self.begun.base
        if weights is None:  # another process writes
            return
        if lora is None or base is None:
            result.write_whole(weights, self.around, folder)
        elif self.merge:
            result.write_merged(weights, self.around, base, lora, folder)
        else:
            result.write_lora(weights, self.around, base, lora, folder)


def _surroundings(config: RunConfig, info: DataInfo, base: Checkpoint | None) -> Surroundings:
    mimi = base
    if mimi is None:
        mimi = find(info.checkpoint, weights=False, codec=True)
        same_codec.check(info.codec_file, mimi)
    return Surroundings(
        lm_kwargs=describe(config, info, base),
        tokenizer=info.tokenizer,
        mimi=mimi,
        lm_gen_config=base.lm_gen_config if base else None,
    )


def _same_run(config: RunConfig, info: DataInfo, folder: Path) -> None:
    """Keeps what the run was begun with, and refuses to go on with something else."""
    now: dict[str, Any] = {
        'checkpoint': config.checkpoint,
        'revision': config.revision,
        'model': config.model,
        'lora': asdict(config.lora) if config.lora else None,
        'codec_file': info.codec_file,
        'tokenizer_sha256': info.tokenizer_sha256,
    }
    path = folder / RUN
    if path.exists() and (folder / STATE).exists():
        before = _before(path)
        for name, value in now.items():
            if before.get(name) != value:
                raise ConfigError(
                    f'{folder} holds a run with another {name} ({before.get(name)!r}, not '
                    f'{value!r}): give another folder, or remove it to start over'
                )
        return
    write_whole(path, (json.dumps(now, indent=1) + '\n').encode())


def _before(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text())
        if not isinstance(found, dict):
            raise ValueError('it holds no table')
    except ValueError as error:
        raise ConfigError(
            f'{path} is damaged ({misfit(error)}): remove it to go on with the run as it is now '
            'configured'
        ) from error
    return found
