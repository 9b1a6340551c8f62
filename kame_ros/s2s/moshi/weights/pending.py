"""Weights that are left in their files until their layer is made smaller: one at a time.

A model of 8-bit weights would otherwise be there in 16 bits first, which takes twice the memory.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import torch
from torch import Tensor, nn

from kame_ros.runtime import progress
from kame_ros.s2s.moshi.weights.safetensors_file import SafetensorsFile
from kame_ros.s2s.moshi.weights.tensors import TensorSource
from kame_ros.s2s.moshi.weights.upstream import LMModel

_FUSED = {
    'in_proj_weight': 'in_projs',
    'in_proj.weight': 'in_projs',
    'out_proj.weight': 'out_projs',
}
_PARTS = ('transformer.', 'depformer.', 'depformer_in.', 'text_linear.', 'linears.')


class Pending:
    """The linear layers of a language model whose weights are still to be read; then `close`."""

    def __init__(self, device: str, dtype: torch.dtype) -> None:
        self._device, self._dtype = device, dtype
        self._files = ExitStack()
        self._where: dict[
            str, tuple[TensorSource, int, int]
        ] = {}  # by name: which of how many parts
        self._lora: dict[str, tuple[SafetensorsFile, str, float]] = {}
        self._names: dict[int, str] = {}
        self._size = self._done = 0  # bytes of the files

    def close(self) -> None:
        """No more is read."""
        self._files.close()

    def hold(self, files: ExitStack) -> None:
        """Keeps files open until `close`."""
        self._files.enter_context(files)

    def leave(self, model: LMModel, sources: dict[str, TensorSource]) -> set[str]:
        """Leaves what linear layers have in its files, and gives the names of these sources.

        `model` has no weights yet; the ones that are left become empty ones on the device.
        """
        layers = {
            f'{name}.weight': module
            for name, module in model.named_modules()
            if isinstance(module, nn.Linear) and name.startswith(_PARTS)
        }
        left = set()
        for key, source in sources.items():
            targets = _targets(model, key)
            if not all(target in layers for target in targets):
                continue
            left.add(key)
            self._size += source.size
            for number, target in enumerate(targets):
                self._where[target] = (source, number, len(targets))
                self._names[id(layers[target])] = target
                empty = torch.empty(0, dtype=self._dtype, device=self._device)
                layers[target].weight = nn.Parameter(empty, requires_grad=False)
        return left

    def add_lora(self, name: str, file: SafetensorsFile, scaling: float) -> bool:
        """Notes that a layer is changed by a pair of a LoRA file; False: its weight is not left."""
        key = f'{as_now(name)}.weight'
        if key not in self._where:
            return False
        self._lora[key] = (file, name, scaling)
        return True

    def replace(self, name: str, file: SafetensorsFile, key: str) -> bool:
        """Takes a weight from another file; False: it is not left."""
        target = f'{as_now(name)}.weight'
        if target not in self._where:
            return False
        self._where[target] = (TensorSource(file, key), 0, 1)
        return True

    def shape(self, name: str) -> tuple[int, ...] | None:
        """The shape of the weight of a layer that is left; None: it is not."""
        found = self._where.get(f'{as_now(name)}.weight')
        if found is None:
            return None
        source, _, parts = found
        rows, *rest = source.shape
        return (rows // parts, *rest)

    @torch.no_grad()
    def read(self, layer: nn.Linear) -> Tensor:
        """The weight of a layer of the model, [out, in]; one that was not left as it is."""
        name = self._names.get(id(layer))
        if name is None:
            return layer.weight.detach()
        source, number, parts = self._where[name]
        progress.tell(f'rounding weights: {self._done / 1e9:.1f} of {self._size / 1e9:.1f} GB')
        weight = source.read(self._dtype, self._device)
        self._done += source.size // parts
        if parts > 1:
            weight = weight.view(parts, -1, *weight.shape[1:])[number].clone()
        if name in self._lora:
            merge(weight, *self._lora[name])
        return weight


@torch.no_grad()
def merge(weight: Tensor, file: SafetensorsFile, name: str, scaling: float) -> None:
    """Adds the LoRA pair that a file has for the layer `name` to its weight: W + scaling * B A."""
    up = file.read(f'{name}.lora_B.weight', torch.float32, weight.device)
    down = file.read(f'{name}.lora_A.weight', torch.float32, weight.device)
    weight.copy_(weight.float().add_(up @ down, alpha=scaling))


def as_now(name: str) -> str:
    """What a layer that an older file calls `name` is called in the model."""
    for old, new in (('.in_proj', '.in_projs.0'), ('.out_proj', '.out_projs.0')):
        if name.endswith(old):
            return name.removesuffix(old) + new
    return name


def _targets(model: LMModel, key: str) -> list[str]:
    """The weights of the model that a tensor of a file holds, in order."""
    for old, new in _FUSED.items():
        if key.endswith(f'.{old}'):
            prefix = key.removesuffix(f'.{old}')
            attention: Any = model.get_submodule(prefix)
            return [f'{prefix}.{new}.{i}.weight' for i in range(int(attention.mult))]
    return [key]
