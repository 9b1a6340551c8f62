"""One of two processes of `test_run_processes.py`, which starts it; no test by itself.

Arguments: folder, `ddp` or `fsdp`, steps, accumulate. It writes the weights of the first process.
"""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

os.environ.setdefault('NO_TORCH_COMPILE', '1')

import numpy as np
import torch
from stacked_examples import stack

from kame_ros.s2s.moshi.model import OracleLMModel
from kame_ros.s2s.moshi.weights.upstream import loaders
from kame_ros.training.config import RunConfig
from kame_ros.training.data.layout import Example
from kame_ros.training.data.source import Batch
from kame_ros.training.run.accelerated import Accelerated, leave
from kame_ros.training.run.engine import Engine
from kame_ros.training.run.trainer import Trainer

FRAMES, DIALOGUES = 20, 4  # of a step, in all processes and parts together
TINY = {
    'dim': 32,
    'n_q': 16,
    'dep_q': 8,
    'card': 16,
    'text_card': 12,
    'num_heads': 2,
    'num_layers': 2,
    'hidden_scale': 4.125,
    'context': 30,
    'depformer_dim': 16,
    'depformer_dim_feedforward': 66,
    'depformer_num_heads': 2,
    'depformer_num_layers': 1,
}


class FakePart:
    """The dialogues of a step, of which each process and each part of the step gets its own."""

    def __init__(self, rank: int, size: int, world: int) -> None:
        self._first, self._size, self._stride = rank * size, size, size * world

    def batch(self, step: int) -> Batch:
        return self._make('t', step)

    def held_out(self, number: int) -> Batch:
        return self._make('h', number)

    def _make(self, kind: str, number: int) -> Batch:
        first = number * self._stride + self._first
        examples = [self._one(f'{kind}{first + each}') for each in range(self._size)]
        return stack(examples)

    @staticmethod
    def _one(seed: str) -> Example:
        rng = random.Random(seed)
        oracle = np.array([rng.randint(4, 11) for _ in range(FRAMES)])
        text = np.concatenate([[3], oracle[:-1]])
        text[: rng.randrange(FRAMES)] = 3  # words are spread unevenly
        robot = np.stack([(text + book) % 16 for book in range(8)])
        return Example(text, robot, np.zeros((8, FRAMES), np.int64), oracle)


def train(folder: Path, engine: Engine, steps: int, accumulate: int = 1) -> dict[str, torch.Tensor]:
    """The same run, however its dialogues are shared out."""
    torch.manual_seed(0)
    model = OracleLMModel(**{**loaders._lm_kwargs, **TINY}, dtype=torch.float32)
    size = DIALOGUES // engine.world // accumulate
    config = RunConfig(
        steps=steps,
        batch=size,
        accumulate=accumulate,
        frames=FRAMES,
        warm_up=2,
        learning_rate=0.01,
        epsilon=1e-5,  # with less, Adam makes large steps of gradients that are rounding alone
        precision='float32',
        save_every=4,
        evaluate_every=4,
        evaluate_batches=2 * accumulate,
    )
    trainer = Trainer(
        model, FakePart(engine.rank, size, engine.world), config, folder, engine=engine
    )
    trainer.run()
    return trainer.weights() or {}


def shard_on_cpus() -> None:
    """Accelerate takes FSDP for GPUs only; on CPUs it runs too, if they are called GPUs."""
    from accelerate.state import PartialState
    from accelerate.utils import DistributedType

    real = PartialState.__init__

    def changed(self: PartialState, *args: object, **more: object) -> None:
        real(self, *args, **more)
        self.distributed_type = DistributedType.MULTI_GPU

    PartialState.__init__ = changed  # type: ignore[method-assign]


if __name__ == '__main__':
    torch.set_num_threads(1)
    if sys.argv[2] == 'fsdp':
        shard_on_cpus()
    mine = Accelerated('cpu')
    found = train(Path(sys.argv[1]), mine, int(sys.argv[3]), int(sys.argv[4]))
    if mine.rank == 0:
        torch.save(found, Path(sys.argv[1]) / 'weights.pt')
    mine.close()
    leave()
