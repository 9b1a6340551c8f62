"""Linear layers as one Triton kernel each, with weights of 16, 8 or 4 bits."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor
from torch.nn import functional as F

from kame_ros.s2s.moshi import gpu_kernels
from kame_ros.s2s.moshi.linear import Activation, MakeLinear, Norm

GROUP = 128  # weights that share a scale with 4 bits
ROWS = 16  # outputs of one program: enough programs for every multiprocessor
DEPTH = 256  # inputs at a time
LEAST_BATCH = 16  # of a tensor-core product
PRODUCTS = {torch.float32: tl.float32, torch.bfloat16: tl.bfloat16, torch.float16: tl.float16}


def quantise_rows(weight: Tensor, kind: torch.dtype) -> tuple[Tensor, Tensor]:
    """Gives [N, K] in 8 bits (int8 or float8_e4m3fn) and a scale for each row, [N] float32."""
    most = 127.0 if kind == torch.int8 else torch.finfo(kind).max
    scale = weight.detach().abs().amax(dim=1).float().clamp(min=1e-12) / most
    scaled = weight.float() / scale[:, None]
    small = scaled.round().to(kind) if kind == torch.int8 else scaled.to(kind)
    return small, scale


def quantise_groups(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Gives 4-bit weights, two in a byte, [N, K / 2] uint8, and scales [N, K / GROUP] float32.

    The first half of a group lies in the low nibbles. Raises ValueError if K is no whole number of
    groups.
    """
    rows, width = weight.shape
    if width % GROUP:
        raise ValueError(f'4-bit weights need a width that {GROUP} divides, not {width}')
    groups = weight.detach().float().view(rows, -1, 2, GROUP // 2)
    scale = groups.abs().amax(dim=(2, 3)).clamp(min=1e-12) / 7
    steps = (groups / scale[:, :, None, None]).round().clamp(-8, 7).to(torch.int16) + 8
    packed = steps[:, :, 0] | steps[:, :, 1] << 4
    return packed.to(torch.uint8).view(rows, -1), scale


class TritonLinear:
    """A linear layer with what is before and after it, in one kernel. `bits` is 16, 8 or 4."""

    def __init__(self, weight: Tensor, bits: int = 16, kind: torch.dtype = torch.int8) -> None:
        self._count, self._width = weight.shape
        self._bits = bits
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
            B=max(LEAST_BATCH, triton.next_power_of_2(batch)),
            N=ROWS,
            K=GROUP if self._bits == 4 else DEPTH,
            DOT=PRODUCTS[x.dtype],
            num_warps=4,
            num_stages=4,
        )
        return out


KINDS: dict[str, MakeLinear] = {
    'none': TritonLinear,
    'int8': partial(TritonLinear, bits=8, kind=torch.int8),
    'fp8': partial(TritonLinear, bits=8, kind=torch.float8_e4m3fn),
    'int4': partial(TritonLinear, bits=4),
}
