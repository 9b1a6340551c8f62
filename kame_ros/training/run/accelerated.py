"""Several processes, on GPUs or machines, through Hugging Face accelerate: DDP or FSDP.

Which of both, and over what, is said to `accelerate launch` and nowhere else. Imported only when a
run was started with more than one process.
"""

from __future__ import annotations

import os
import sys
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from typing import Any

import torch
from torch import Tensor, nn

from kame_ros.training.config import ConfigError
from kame_ros.training.run.engine import by_name, by_number, load_trained, trained

MISSING = (
    'several processes need accelerate, which is not installed: run "pip install accelerate", or '
    'start one process'
)
WAIT_H = 2  # for each other: the first process may be writing 100 GB


def launched() -> bool:
    """Whether this process is one of several."""
    return int(os.environ.get('WORLD_SIZE', '1')) > 1


class Accelerated:
    """The engine of a process that `accelerate launch` started.

    Raises ConfigError without accelerate, or for one of its engines that is not supported.
    """

    def __init__(self, device: str = 'cpu') -> None:
        try:
            from accelerate import Accelerator
            from accelerate.utils import DistributedType, InitProcessGroupKwargs
        except ImportError as error:
            raise ConfigError(MISSING) from error
        patience = InitProcessGroupKwargs(timeout=timedelta(hours=WAIT_H))
        self._accelerator = Accelerator(cpu=device == 'cpu', kwargs_handlers=[patience])
        kind = self._accelerator.distributed_type
        if kind in (DistributedType.DEEPSPEED, DistributedType.MEGATRON_LM):
            raise ConfigError(f'{kind.value} is not supported: configure accelerate with FSDP')
        self._sharded = kind == DistributedType.FSDP
        if self._sharded and not self._accelerator.is_fsdp2:
            raise ConfigError('FSDP is supported in version 2: set fsdp_version to 2')
        self.device = self._accelerator.device
        # A model that is to be cut into shards may be larger than one GPU.
        self.home = 'cpu' if self._sharded else str(self.device)
        self.rank, self.world = self._accelerator.process_index, self._accelerator.num_processes

    def prepare(
        self, model: nn.Module, optimiser: torch.optim.Optimizer
    ) -> tuple[nn.Module, torch.optim.Optimizer]:
        """Both, wrapped; all processes have the weights of the first one."""
        if self._sharded:
            from kame_ros.training.run.fsdp import shardable

            model = shardable(model)
        model, optimiser = self._accelerator.prepare(model, optimiser)
        return model, optimiser

    def part(self, model: nn.Module, last: bool) -> AbstractContextManager[Any]:
        """Around a part of a step: gradients are exchanged only in the `last` one."""
        return nullcontext() if last else self._accelerator.no_sync(model)

    def backward(self, loss: Tensor) -> None:
        """Adds the gradients. Those of all processes are averaged, and a sum is wanted."""
        self._accelerator.backward(loss * self.world)

    def clip(self, model: nn.Module, most: float) -> float:
        """Clips the gradients; gives their norm over all processes."""
        return float(self._accelerator.clip_grad_norm_(model.parameters(), most))

    def total(self, value: Tensor) -> Tensor:
        """The sum of `value` over all processes."""
        found: Tensor = self._accelerator.reduce(value, reduction='sum')
        return found

    def state(self, model: nn.Module, optimiser: torch.optim.Optimizer) -> dict[str, Any] | None:
        """The whole state in the first process; None in the others."""
        weights = self.weights(model)
        moments = optimiser.state_dict()
        if self._sharded:
            moments = torch_state().get_optimizer_state_dict(
                model, _inner(optimiser), options=self._whole()
            )
        return None if weights is None else {'model': weights, 'optimiser': moments}

    def weights(self, model: nn.Module) -> dict[str, Tensor] | None:
        """What is trained, in the first process; None in the others."""
        if not self._sharded:
            return None if self.rank else trained(self._accelerator.unwrap_model(model))
        found: dict[str, Tensor] = torch_state().get_model_state_dict(model, options=self._whole())
        return None if self.rank else found

    def _whole(self) -> Any:
        return torch_state().StateDictOptions(
            full_state_dict=True, cpu_offload=True, ignore_frozen_params=True
        )

    def load(
        self, model: nn.Module, optimiser: torch.optim.Optimizer, state: dict[str, Any]
    ) -> None:
        """Takes up a state, whichever engine wrote it."""
        if not self._sharded:
            inner = self._accelerator.unwrap_model(model)
            load_trained(inner, state['model'])
            optimiser.load_state_dict(by_number(state['optimiser'], inner, _inner(optimiser)))
            return
        moments = by_name(state['optimiser'], model, _inner(optimiser))
        torch_state().set_state_dict(
            model,
            _inner(optimiser),
            model_state_dict=state['model'],
            optim_state_dict=moments,
            options=torch_state().StateDictOptions(full_state_dict=True, strict=False),
        )

    def close(self) -> None:
        """Waits for the process that writes, then ends the group."""
        self._accelerator.wait_for_everyone()
        self._accelerator.end_training()


def leave() -> None:
    """Ends this process of a launched run at once, with success; call it last, after `close`.

    Python would unload torch first, whose threads of communication then sometimes abort the process
    ("terminate called without an active exception", 2 of 28 times on busy cores), and with it a run
    that is complete.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def torch_state() -> Any:
    """The part of torch that gathers and spreads what FSDP has cut into shards."""
    from torch.distributed.checkpoint import state_dict

    return state_dict


def _inner(optimiser: Any) -> torch.optim.Optimizer:
    """The optimiser that accelerate wraps."""
    found: torch.optim.Optimizer = getattr(optimiser, 'optimizer', optimiser)
    return found
