"""The attention of one frame: to the ring of frames heard so far, and to the steps of a frame."""

from __future__ import annotations

import math
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

NEVER = float('-inf')


class RingAttention(Protocol):
    """Attention to a ring memory [2, B, heads, capacity, D] of keys and values."""

    def begin(self, offsets: Tensor, dtype: torch.dtype) -> None:
        """Prepares what all layers share for this frame; `offsets` [B] are frames heard before."""

    def __call__(self, projected: Tensor, memory: Tensor) -> Tensor:
        """Takes queries, keys, values [B, 3 * dim], remembers the last two; gives [B, dim]."""


class TorchRingAttention:
    """With torch's own operations: the mask and the rotation once a frame, not in every layer."""

    def __init__(
        self, heads: int, width: int, capacity: int, max_period: float, device: torch.device
    ) -> None:
        self._heads = heads
        pairs = torch.arange(width // 2, device=device, dtype=torch.float32)
        self._frequency = torch.exp(pairs * (-math.log(max_period) * 2 / width))
        self._places = torch.arange(capacity, device=device)

    def begin(self, offsets: Tensor, dtype: torch.dtype) -> None:
        """Prepares what all layers share for this frame; `offsets` [B] are frames heard before."""
        self._place = offsets % len(self._places)
        self._rows = torch.arange(len(offsets), device=offsets.device)
        # The ring is full of valid frames once it has gone round; before, up to this frame.
        deaf = self._places > offsets[:, None]
        bias = torch.zeros_like(deaf, dtype=dtype).masked_fill_(deaf, NEVER)
        self._bias = bias[:, None, None]
        angle = offsets[:, None] * self._frequency
        self._turn = torch.polar(torch.ones_like(angle), angle)[:, None, None]

    def __call__(self, projected: Tensor, memory: Tensor) -> Tensor:
        """Takes queries, keys, values [B, 3 * dim], remembers the last two; gives [B, dim]."""
        batch = len(projected)
        parts = projected.view(batch, 3, self._heads, -1)
        pairs = parts[:, :2].float().view(batch, 2, self._heads, -1, 2)
        turned = torch.view_as_real(torch.view_as_complex(pairs) * self._turn)
        query, key = turned.view(batch, 2, self._heads, -1).to(projected.dtype).unbind(1)
        memory[0][self._rows, :, self._place] = key
        memory[1][self._rows, :, self._place] = parts[:, 2]
        out = F.scaled_dot_product_attention(query[:, :, None], memory[0], memory[1], self._bias)
        return out.reshape(batch, -1)


def attend_steps(projected: Tensor, memory: Tensor, step: int) -> Tensor:
    """Attention of a depformer step to itself and the steps before it.

    Takes queries, keys, values [B, 3 * dim], puts the last two into `memory`
    [2, B, heads, steps, D] and gives [B, dim].
    """
    batch, heads = memory.shape[1:3]
    parts = projected.view(batch, 3, heads, -1).transpose(0, 1)
    memory[:, :, :, step] = parts[1:]
    if step == 0:  # it sees only itself
        return parts[2].reshape(batch, -1)
    keys, values = memory[:, :, :, : step + 1]
    query = parts[0, :, :, None]
    return F.scaled_dot_product_attention(query, keys, values).reshape(batch, -1)
