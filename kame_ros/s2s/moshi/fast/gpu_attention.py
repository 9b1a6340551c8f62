"""Attention of one frame as a few Triton kernels; see gpu_kernels."""

from __future__ import annotations

import math
from typing import Any

import torch
import triton
from torch import Tensor

from kame_ros.s2s.moshi.fast import gpu_kernels

SPAN = 256  # frames of the ring for each program
AT_A_TIME = 32


class TritonRingAttention:
    """Reads only the frames heard so far, and reads them with the whole GPU."""

    def __init__(
        self, heads: int, width: int, capacity: int, max_period: float, device: torch.device
    ) -> None:
        self._heads, self._width, self._capacity = heads, width, capacity
        self._log_period = math.log(max_period) * 2 / width
        self._splits = triton.cdiv(capacity, SPAN)

    def begin(self, offsets: Tensor, dtype: torch.dtype) -> None:
        """Takes the frames heard before, [B]; the kernels read them where they are."""
        batch, device = len(offsets), offsets.device
        shape = (batch, self._heads, self._width)
        self._offsets = offsets
        self._query = torch.empty(shape, dtype=dtype, device=device)
        rows = batch * self._heads
        self._partial = torch.empty(rows, self._splits, self._width, device=device)
        self._weights = torch.empty(rows, self._splits, 2, device=device)

    def __call__(self, projected: Tensor, memory: Tensor) -> Tensor:
        """Takes queries, keys, values [B, 3 * dim], remembers the last two; gives [B, dim]."""
        batch, heads, width = len(projected), self._heads, self._width
        out = torch.empty(batch, heads * width, dtype=projected.dtype, device=projected.device)
        apart = memory.stride(0)
        turn: Any = gpu_kernels.turn_and_keep_kernel
        turn[(batch, heads)](
            projected, self._offsets, self._query, memory, apart, heads, self._capacity,
            self._log_period, D=width, num_warps=1,
        )  # fmt: skip
        attend: Any = gpu_kernels.attend_kernel
        attend[(batch * heads, self._splits)](
            self._query, memory, self._offsets, self._partial, self._weights, apart, heads,
            self._capacity, width**-0.5, SPLITS=self._splits, SPAN=SPAN, C=AT_A_TIME, D=width,
            num_warps=4,
        )  # fmt: skip
        join: Any = gpu_kernels.join_kernel
        join[(batch * heads,)](
            self._partial, self._weights, out, SPLITS=self._splits,
            S=triton.next_power_of_2(self._splits), D=width, num_warps=4,
        )  # fmt: skip
        return out


def attend_steps(projected: Tensor, memory: Tensor, step: int) -> Tensor:
    """As `lean_attention.attend_steps`, in one kernel."""
    batch, heads, steps, width = memory.shape[1:]
    out = torch.empty(batch, heads * width, dtype=projected.dtype, device=projected.device)
    attend: Any = gpu_kernels.attend_steps_kernel
    attend[(batch, heads)](
        projected, memory, out, memory.stride(0), heads, step, width**-0.5, STEPS=steps,
        S=triton.next_power_of_2(steps), D=width, num_warps=2,
    )  # fmt: skip
    return out
