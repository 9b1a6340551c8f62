"""What a step needs, found without a weight: it is run on tensors that have shapes and no values.

Nothing is downloaded or loaded, so that a model of 16 GB is judged on any machine, in seconds.
"""

from __future__ import annotations

import time
import weakref
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from kame_ros.s2s.moshi.model import OracleLMModel
from kame_ros.text.misfit import misfit
from kame_ros.training.config import ConfigError, RunConfig
from kame_ros.training.run.begin import choose_trained, recompute, resting_dtype
from kame_ros.training.run.loss import count, masks, tensors, weights_of

MOMENTS = 8  # bytes of AdamW for a number that is trained
GB = 1e9


@dataclass(frozen=True)
class Forecast:
    """Bytes are in GB; `tera_ops` are the operations of a step of one process, in 10^12."""

    parameters: int
    trained: int
    weights: float
    optimiser: float
    gradients: float
    activations: float
    tera_ops: float

    @property
    def total(self) -> float:
        """All memory that a process needs for it, in GB, beside torch itself."""
        return self.weights + self.optimiser + self.gradients + self.activations

    def sharded(self, processes: int) -> float:
        """The same for each of several processes that share the model (FSDP)."""
        return (self.total - self.activations) / processes + self.activations


def forecast(config: RunConfig, lm_kwargs: dict[str, Any]) -> Forecast:
    """Runs a part of a step on empty tensors. Raises ConfigError for a model that cannot be."""
    from torch._subclasses.fake_tensor import FakeTensorMode

    dtype = resting_dtype(config)
    try:
        model = OracleLMModel(device='meta', dtype=dtype, **lm_kwargs)
    except (TypeError, AssertionError, ValueError, RuntimeError) as error:
        raise ConfigError(
            f'the model of the configuration cannot be built: {misfit(error)}'
        ) from error
    choose_trained(model, config.lora)
    recompute(model, config.checkpointing)
    weights = sum(weight.numel() * weight.dtype.itemsize for weight in model.parameters())
    trained = sum(weight.numel() for weight in model.parameters() if weight.requires_grad)
    with FakeTensorMode(allow_non_fake_inputs=True):
        _place(model)
        live = _Live(model)
        with FlopCounterMode(display=False) as operations, live:
            _part(model, config)
    gradients = sum(w.grad.nbytes for w in model.parameters() if w.grad is not None)
    return Forecast(
        parameters=sum(weight.numel() for weight in model.parameters()),
        trained=trained,
        weights=weights / GB,
        optimiser=trained * MOMENTS / GB,
        gradients=gradients / GB,
        activations=(live.most - gradients) / GB,
        tera_ops=operations.get_total_flops() * config.accumulate / 1e12,
    )


def _place(model: nn.Module) -> None:
    """Makes weights of the kind `meta` look as if they were on a CPU, for autocast's sake."""
    for module in model.modules():
        for name, old in list(module._parameters.items()):
            if old is not None:
                new = torch.empty(old.shape, dtype=old.dtype, device='cpu')
                module._parameters[name] = nn.Parameter(new, requires_grad=old.requires_grad)


def _part(model: OracleLMModel, config: RunConfig) -> None:
    """Forward and backward of one batch, as the trainer does it."""
    codes = torch.zeros(config.batch, model.num_codebooks, config.frames, dtype=torch.long)
    quiet = torch.zeros(config.batch, config.frames, dtype=torch.bool)
    with torch.autocast('cpu', torch.bfloat16, enabled=config.precision == 'bfloat16'):
        output = model(codes, oracle_tokens=codes[:, :1])
    weights = weights_of(config)
    found = masks(codes, quiet, model.text_padding_token_id, model.delays, model.dep_q)
    tensors(output, codes, found, weights, count(found, weights))[0].backward()


class _Live(TorchDispatchMode):
    """Counts the bytes of tensors that were made within it and are still held."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.now = self.most = 0
        self._sizes = {weight.untyped_storage()._cdata: 0 for weight in model.parameters()}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        for each in tree_leaves(out):
            if isinstance(each, torch.Tensor):
                self._add(each.untyped_storage())
        return out

    def _add(self, storage: torch.UntypedStorage) -> None:
        key = storage._cdata
        if key not in self._sizes:
            self._sizes[key] = storage.nbytes()
            self.now += self._sizes[key]
            self.most = max(self.most, self.now)
            weakref.finalize(storage, self._free, key)

    def _free(self, key: int) -> None:
        self.now -= self._sizes.pop(key)


def speed(device: str, precision: str, size: int = 2048) -> float:
    """How many 10^12 operations a second this device does in products of matrices."""
    dtype = torch.bfloat16 if precision == 'bfloat16' else torch.float32
    a = torch.randn(size, size, device=device).to(dtype)
    done, began = 0, 0.0
    for _ in range(3):
        began = _now(device)
        a @ a
        done = _now(device) - began  # type: ignore[assignment]  # the last of three is warm
    return 2 * size**3 / max(done, 1e-9) / 1e12


def _now(device: str) -> float:
    if device.startswith('cuda'):
        torch.cuda.synchronize(device)
    return time.perf_counter()


def free_gb(device: str) -> float:
    """The memory that is free on a device, in GB."""
    if device.startswith('cuda'):
        return torch.cuda.mem_get_info(device)[0] / GB
    try:
        with open('/proc/meminfo') as file:
            lines = dict(line.split(':', 1) for line in file)
        return int(lines['MemAvailable'].split()[0]) * 1024 / GB
    except (OSError, KeyError, ValueError):
        return float('nan')
