"""The tensors of a checkpoint's files as the model wants them: cast, unpacked, cut to its size."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from kame_ros.s2s.moshi.weights.errors import CheckpointError
from kame_ros.s2s.moshi.weights.safetensors_file import SafetensorsFile

_SCALES = '_scb'  # moshi/utils/quantize.py
_STEP = re.compile(
    r'(?P<module>linears|depformer_in|depformer_emb|depformer_norms'
    r'|depformer\.layers\.\d+\.(?:gating|self_attn\.(?:in|out)_projs))\.(?P<step>\d+)\.'
)
_FUSED = re.compile(
    r'depformer\.layers\.\d+\.self_attn\.(?:in_proj_weight|(?:in|out)_proj\.weight)$'
)
_ROWS = 1024  # of int8 that are unpacked at a time


@dataclass(frozen=True)
class TensorSource:
    """Where a tensor of the model comes from.

    With `scales` it is int8 of bitsandbytes: W = rows * scales / 127. Of `parts` equal parts along
    its first dimension the first one is taken.
    """

    file: SafetensorsFile
    name: str
    scales: str = ''
    parts: int = 1

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape that the model gets."""
        rows, *rest = self.file.entries[self.name].shape
        return (rows // self.parts, *rest)

    @property
    def size(self) -> int:
        """Bytes of the file that it is read from."""
        entry = self.file.entries[self.name]
        return entry.end - entry.start

    def read(self, dtype: torch.dtype, device: str) -> Tensor:
        """The tensor, of `dtype` if it is of floating-point numbers."""
        if not self.scales:
            whole = self.file.read(self.name, dtype, device)
            return whole if self.parts == 1 else whole[: self.shape[0]].clone()
        packed = self.file.read(self.name)[: self.shape[0]]
        scales = self.file.read(self.scales, torch.float32)[: self.shape[0]] / 127.0
        out = torch.empty(self.shape, dtype=dtype, device=device)
        for begin in range(0, self.shape[0], _ROWS):
            rows = slice(begin, begin + _ROWS)
            out[rows].copy_(packed[rows].float() * scales[rows, None])
        return out


def sources(
    files: Iterable[SafetensorsFile], dep_q: int, trained_dep_q: int
) -> dict[str, TensorSource]:
    """The tensors by name, without those of the codebooks beyond `dep_q` that no one needs.

    Raises CheckpointError for files of another kind.
    """
    found: dict[str, TensorSource] = {}
    for file in files:
        _refuse_others(file)
        for name, entry in file.entries.items():
            if name.endswith(_SCALES) and name.removesuffix(_SCALES) in file.entries:
                continue
            scales = f'{name}{_SCALES}' if f'{name}{_SCALES}' in file.entries else ''
            if not entry.dtype.is_floating_point and not scales:
                kind = str(entry.dtype).removeprefix('torch.')
                raise CheckpointError(
                    f'{file.path}: {name} is of {kind}, without the scales that make numbers of '
                    'it: take the bfloat16 weights, and set the parameter quantise'
                )
            found[name] = TensorSource(file, name, scales)
    return found if dep_q == trained_dep_q else _cut(found, dep_q, trained_dep_q)


def _cut(found: Mapping[str, TensorSource], dep_q: int, trained: int) -> dict[str, TensorSource]:
    kept = {}
    for name, source in found.items():
        match = _STEP.match(name)
        if match:
            # The embedding of a step is that of the code before it: there is one less.
            most = dep_q - (match['module'] == 'depformer_emb')
            if int(match['step']) < most:
                kept[name] = source
        elif _FUSED.match(name):
            if not source.shape[0] or source.shape[0] % trained:
                raise CheckpointError(
                    f'{source.file.path}: {name} has {source.shape[0]} rows, which is no multiple '
                    f'of {trained} codebooks'
                )
            kept[name] = TensorSource(source.file, source.name, source.scales, trained // dep_q)
        else:
            kept[name] = source
    return kept


def _refuse_others(file: SafetensorsFile) -> None:
    keys = file.entries
    if any('.lora_A.' in key or '.lora_B.' in key for key in keys):
        whole = any('frozen_W' in key or '.base_layer.' in key for key in keys)
        how = (
            'and the layers that they are for, beside each other: merge them where they were '
            'trained (kame train run --merge, or fuse_lora of moshi)'
            if whole
            else 'only: give what they were trained on as s2s.moshi.weights, and this file as '
            's2s.moshi.lora'
        )
        raise CheckpointError(f'{file.path} holds LoRA weights {how}')
    if any(f'{key.removesuffix(".weight")}.scales' in keys for key in keys):
        raise CheckpointError(
            f'{file.path} is quantised for MLX: take the PyTorch weights of this model, and set '
            'the parameter quantise'
        )
