"""Weights of 8 and 4 bits: how they are rounded, and a linear layer of plain torch that has them.

The layer widens its weights at each call and is slower than the Triton kernels, but it runs
wherever torch does: it stands in where the kernels cannot.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional as F

from kame_ros.s2s.moshi.fast.linear import MakeLinear, Norm, PlainLinear

GROUP = 32  # weights that share a scale and a lowest value with 4 bits
BLOCK = 128  # inputs whose first half lies in the low nibbles, and whose second in the high
_MOST = 15  # the largest number of 4 bits
_SHRINK = tuple(1.0 - 0.03 * step for step in range(11))  # parts of a group's range that are tried
_AT_ONCE = 1 << 20  # weights that are rounded at a time: what rounding takes beside them is small


def quantise_rows(weight: Tensor, kind: torch.dtype) -> tuple[Tensor, Tensor]:
    """Gives [N, K] in 8 bits (int8 or float8_e4m3fn) and a scale for each row, [N] float32."""
    most = 127.0 if kind == torch.int8 else torch.finfo(kind).max
    small = torch.empty(weight.shape, dtype=kind, device=weight.device)
    scale = torch.empty(len(weight), dtype=torch.float32, device=weight.device)
    for rows in _pieces(weight):
        some = weight[rows].detach().float()
        scale[rows] = some.abs().amax(dim=1).clamp(min=1e-12) / most
        some = some / scale[rows, None]
        small[rows] = some.round().to(kind) if kind == torch.int8 else some.to(kind)
    return small, scale


def quantise_groups(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Gives 4-bit weights, two in a byte, [N, K / 2] uint8, and [N, K / GROUP, 2] float16.

    The last are the scale and the lowest value of each group: w = q * scale + lowest. Of several
    ranges the one is taken, with the best line through it, that leaves the least error: 7 % of
    normal weights, where the largest value of 128 as the scale leaves 12 %. Raises ValueError if K
    is no whole number of blocks.
    """
    rows, width = weight.shape
    if width % BLOCK:
        raise ValueError(f'4-bit weights need a width that {BLOCK} divides, not {width}')
    packed = torch.empty(rows, width // 2, dtype=torch.uint8, device=weight.device)
    lines = torch.empty(rows, width // GROUP, 2, dtype=torch.float16, device=weight.device)
    for some in _pieces(weight):
        steps, lines[some] = _round_groups(weight[some].detach().float().unflatten(1, (-1, GROUP)))
        halves = steps.view(len(steps), -1, 2, BLOCK // 2)
        packed[some] = (halves[:, :, 0] | halves[:, :, 1] << 4).flatten(1)
    return packed, lines


def _round_groups(groups: Tensor) -> tuple[Tensor, Tensor]:
    """Steps [N, K / GROUP, GROUP] uint8 of groups of floats, and their lines [N, K / GROUP, 2]."""
    low, high = groups.aminmax(dim=-1, keepdim=True)
    middle, reach = (low + high) / 2, ((high - low) / 2).clamp(min=1e-6)
    mean = groups.mean(dim=-1, keepdim=True)
    best = torch.full_like(mean, torch.inf)
    line = torch.zeros(*groups.shape[:-1], 2, dtype=torch.float16, device=groups.device)
    for part in _SHRINK:
        scale = 2 * part * reach / _MOST
        steps = ((groups - middle + part * reach) / scale).round_().clamp_(0, _MOST)
        # The line that fits these steps best.
        off = steps - steps.mean(dim=-1, keepdim=True)
        scale = (off * (groups - mean)).sum(-1, keepdim=True) / off.square().sum(
            -1, keepdim=True
        ).clamp(min=1e-12)
        lowest = mean - scale * steps.mean(dim=-1, keepdim=True)
        tried = torch.cat([scale, lowest], dim=-1).half()
        left = (steps * tried[..., :1] + tried[..., 1:] - groups).square().sum(-1, keepdim=True)
        better = left < best
        best = torch.where(better, left, best)
        line = torch.where(better, tried, line)
    scale, lowest = line[..., :1].float(), line[..., 1:].float()
    steps = (groups - lowest) / torch.where(scale == 0, 1, scale)
    return steps.round_().clamp_(0, _MOST).to(torch.uint8), line


def widen_groups(packed: Tensor, lines: Tensor, dtype: torch.dtype) -> Tensor:
    """The weights [N, K] that `quantise_groups` has rounded."""
    steps = torch.stack([packed & 15, packed >> 4], dim=1).view(len(packed), 2, -1, BLOCK // 2)
    groups = steps.transpose(1, 2).reshape(*lines.shape[:2], GROUP).to(dtype)
    scale, lowest = lines.to(dtype).unbind(-1)
    return torch.addcmul(lowest[..., None], groups, scale[..., None]).flatten(1)


def _pieces(weight: Tensor) -> Iterator[slice]:
    rows = max(1, _AT_ONCE // weight.shape[1])
    return (slice(at, at + rows) for at in range(0, len(weight), rows))


class WidenedLinear(PlainLinear):
    """A linear layer of 8-bit (int8, float8) or 4-bit weights, with torch's own operations."""

    def __init__(self, weight: Tensor, bits: int = 8, kind: torch.dtype = torch.int8) -> None:
        self._bits = bits
        small = quantise_groups(weight) if bits == 4 else quantise_rows(weight, kind)
        self._weight, self._scale = small

    def __call__(
        self, x: Tensor, residual: Tensor | None = None, norm: Norm | None = None
    ) -> Tensor:
        """Gives norm(x) W^T + residual, [B, out]."""
        x = x if norm is None else norm(x)
        if self._bits == 4:
            y = F.linear(x, widen_groups(self._weight, self._scale, x.dtype))
        else:
            y = F.linear(x, self._weight.to(x.dtype)) * self._scale.to(x.dtype)
        return y if residual is None else residual + y


WIDENED: dict[str, MakeLinear] = {
    'int8': WidenedLinear,
    'fp8': partial(WidenedLinear, kind=torch.float8_e4m3fn),
    'int4': partial(WidenedLinear, bits=4),
}
