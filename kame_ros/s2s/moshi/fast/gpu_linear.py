"""Linear layers as one Triton kernel each, with weights of 16, 8 or 4 bits."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor
from torch.nn import functional as F

from kame_ros.s2s.moshi.fast import gpu_kernels, gpu_limits
from kame_ros.s2s.moshi.fast.linear import Activation, MakeLinear, Norm
from kame_ros.s2s.moshi.fast.small_weights import GROUP, quantise_groups, quantise_rows

ROWS = gpu_limits.ROWS
PRODUCTS = {torch.float32: tl.float32, torch.bfloat16: tl.bfloat16, torch.float16: tl.float16}


class TritonLinear:
    """A linear layer with what is before and after it, in one kernel. `bits` is 16, 8 or 4."""

    def __init__(self, weight: Tensor, bits: int = 16, kind: torch.dtype = torch.int8) -> None:
        self._count, self._width = weight.shape
        self._bits = bits
        self._kind = {16: 'none', 8: 'int8', 4: 'int4'}[bits]  # fp8 is launched as int8
        self._scale: Tensor | None = None
        if bits == 8:
            self._weight, self._scale = quantise_rows(weight, kind)
        elif bits == 4:
            self._weight, self._scale = quantise_groups(weight)
        else:
            self._weight = weight.detach()

    def __call__(
        self, x: Tensor, residual: Tensor | None = None, norm: Norm | None = None
    ) -> Tensor:
        """Gives norm(x) W^T + residual, [B, out]."""
        return self._run(x, self._count, residual, norm, gated=False)

    def gated(self, x: Tensor, norm: Norm, activation: Activation) -> Tensor:
        """Gives silu(a) * b, [B, out / 2], where a and b are the halves of norm(x) W^T."""
        if activation is not F.silu:
            gate, value = self(x, norm=norm).chunk(2, dim=1)
            return activation(gate) * value
        return self._run(x, self._count // 2, None, norm, gated=True)

    def _run(
        self, x: Tensor, count: int, residual: Tensor | None, norm: Norm | None, gated: bool
    ) -> Tensor:
        batch = len(x)
        out = torch.empty(batch, count, dtype=x.dtype, device=x.device)
        launch = gpu_limits.launch(batch, self._kind, x.element_size())
        unused: Any = x
        kernel: Any = gpu_kernels.linear_kernel
        kernel[(triton.cdiv(count, ROWS),)](
            x,
            self._weight,
            unused if self._scale is None else self._scale,
            unused if norm is None else norm.weight,
            unused if residual is None else residual,
            out,
            batch,
            count,
            self._width,
            x.stride(0),
            0.0 if norm is None else norm.eps,
            BITS=self._bits,
            GROUP=GROUP,
            NORM=norm is not None,
            GATED=gated,
            RESIDUAL=residual is not None,
            B=launch.batch,
            N=ROWS,
            K=launch.depth,
            DOT=PRODUCTS[x.dtype],
            num_warps=4,
            num_stages=launch.stages,
        )
        return out


KINDS: dict[str, MakeLinear] = {
    'none': TritonLinear,
    'int8': partial(TritonLinear, bits=8, kind=torch.int8),
    'fp8': partial(TritonLinear, bits=8, kind=torch.float8_e4m3fn),
    'int4': partial(TritonLinear, bits=4),
}
