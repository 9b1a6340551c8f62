"""Linear layers for one token at a time: as they are, or with smaller weights."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

Activation = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Norm:
    """moshi's `RMSNorm` as one operation."""

    weight: Tensor
    eps: float

    def __call__(self, x: Tensor) -> Tensor:
        """Gives [B, dim]."""
        return F.rms_norm(x, self.weight.shape, self.weight, self.eps)


class Linear(Protocol):
    """Maps [B, in] to [B, out]. What comes before and after it is given to it, to be fused."""

    def __call__(
        self, x: Tensor, residual: Tensor | None = None, norm: Norm | None = None
    ) -> Tensor:
        """Gives norm(x) W^T + residual, [B, out]."""

    def gated(self, x: Tensor, norm: Norm, activation: Activation) -> Tensor:
        """Gives activation(a) * b, [B, out / 2], where a and b are the halves of norm(x) W^T."""


MakeLinear = Callable[[Tensor], Linear]


class PlainLinear:
    """What linear layers share that fuse nothing."""

    def __call__(
        self, x: Tensor, residual: Tensor | None = None, norm: Norm | None = None
    ) -> Tensor:
        """Gives norm(x) W^T + residual, [B, out]."""
        raise NotImplementedError

    def gated(self, x: Tensor, norm: Norm, activation: Activation) -> Tensor:
        """Gives activation(a) * b, [B, out / 2], where a and b are the halves of norm(x) W^T."""
        gate, value = self(x, norm=norm).chunk(2, dim=1)
        return activation(gate) * value


class DenseLinear(PlainLinear):
    """The weights as they are, [out, in]; shared with the model, not copied."""

    def __init__(self, weight: Tensor) -> None:
        self._weight = weight

    def __call__(
        self, x: Tensor, residual: Tensor | None = None, norm: Norm | None = None
    ) -> Tensor:
        """Gives norm(x) W^T + residual, [B, out]; the sum is part of the product."""
        x = x if norm is None else norm(x)
        if residual is None:
            return F.linear(x, self._weight)
        return torch.addmm(residual, x, self._weight.t())


@cache
def saturates() -> bool:
    """Whether 8-bit products lose what does not fit in 16 bits on this processor.

    x86 without VNNI adds pairs of products in 16 bits: two of 255 x 127 are more than those hold.
    It is tried, not looked up: the answer is the same whatever library torch was built with.
    """
    largest = _packed(torch.ones(1, 64))
    return abs(float(torch.ops.quantized.linear_dynamic(torch.ones(1, 64), largest)) - 64) > 1


class Int8CpuLinear(PlainLinear):
    """8-bit weights for each output channel, activations rounded to 8 bits as they come.

    Three to eleven times as fast as float32 on one core; the result differs by about 1 %. Where
    sums of 16 bits would saturate, activations are rounded to 7 bits: a difference of 1.7 %
    instead of 3 %, and of errors that are no noise.
    """

    def __init__(self, weight: Tensor) -> None:
        self._packed = _packed(weight.detach().float())
        self._seven_bits = saturates()

    def __call__(
        self, x: Tensor, residual: Tensor | None = None, norm: Norm | None = None
    ) -> Tensor:
        """Gives norm(x) W^T + residual, [B, out], in the dtype of `x`."""
        y = x if norm is None else norm(x)
        y = torch.ops.quantized.linear_dynamic(
            y.float(), self._packed, reduce_range=self._seven_bits
        ).to(x.dtype)
        return y if residual is None else residual + y


def _packed(weight: Tensor) -> Any:
    """Rounds float32 weights [out, in] to 8 bits, as the processor's library wants them."""
    scale = weight.abs().amax(dim=1).clamp(min=1e-12).double() / 127
    zero = torch.zeros(len(weight), dtype=torch.long)
    with warnings.catch_warnings():  # torch 2.13 says that it will go, and has nothing as fast
        warnings.simplefilter('ignore', UserWarning)
        quantised = torch.quantize_per_channel(weight, scale, zero, 0, torch.qint8)
        return torch.ops.quantized.linear_prepack(quantised, None)
