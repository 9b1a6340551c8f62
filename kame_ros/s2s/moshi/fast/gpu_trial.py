"""Tries the fused kernels on the GPU that they are for, with small weights, before the long load.

What is compiled here is used again: the kernels are those of the model, only the widths differ.
Imported only where triton is.
"""

from __future__ import annotations

import torch
from torch.nn import functional as F

from kame_ros.s2s.moshi.fast import gpu_attention, gpu_linear, lean_attention
from kame_ros.s2s.moshi.fast.lean_attention import RingAttention
from kame_ros.s2s.moshi.fast.linear import DenseLinear, Linear, Norm
from kame_ros.s2s.moshi.fast.small_weights import WIDENED

_WIDTH = 256
_RING = (2, 128, 64)  # heads, their width (that of Moshi), frames
_NEAR = 0.05  # of the result: what rounding to 16 bits explains


def fails(device: str, quantise: str, dtype: torch.dtype, slots: int) -> str:
    """What is wrong with the kernels on this device; empty: they give what torch gives."""
    try:
        with torch.no_grad():
            wrong = _wrong(device, quantise, dtype, slots)
    except torch.OutOfMemoryError:
        raise
    except (
        Exception
    ) as error:  # a compiler, a driver, a launch: whatever it is, there is a way back
        lines = str(error).strip().splitlines() or ['']
        return f'{type(error).__name__}: {lines[-1].strip()}'[:300]
    return f'they give wrong results for {wrong}' if wrong else ''


def _wrong(device: str, quantise: str, dtype: torch.dtype, slots: int) -> str:
    random = torch.Generator().manual_seed(0)

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=random).to(device, dtype)

    weight, x, norm = draw(2 * _WIDTH, _WIDTH) / 16, draw(slots, _WIDTH), Norm(draw(_WIDTH), 1e-5)
    rest = draw(slots, 2 * _WIDTH)
    fast = gpu_linear.KINDS[quantise](weight)
    exact: Linear = DenseLinear(weight) if quantise == 'none' else WIDENED[quantise](weight)
    heads, width, frames = _RING
    rings: list[RingAttention] = [
        kind(heads, width, frames, 10_000.0, torch.device(device))
        for kind in (gpu_attention.TritonRingAttention, lean_attention.TorchRingAttention)
    ]
    memory, projected = draw(2, slots, heads, frames, width), draw(slots, 3 * heads * width)
    offsets = torch.arange(slots, device=device) + 5
    for ring in rings:
        ring.begin(offsets, dtype)
    steps = draw(2, slots, heads, 4, width)
    pairs = {
        'a layer': (fast(x, rest, norm), exact(x, rest, norm)),
        'a gated layer': (fast.gated(x, norm, F.silu), exact.gated(x, norm, F.silu)),
        'attention': tuple(ring(projected, memory.clone()) for ring in rings),
        'attention to steps': tuple(
            attend(projected, steps.clone(), 2)
            for attend in (gpu_attention.attend_steps, lean_attention.attend_steps)
        ),
    }
    for what, (got, want) in pairs.items():
        error = (got.float() - want.float()).norm() / want.float().norm()
        if not error < _NEAR:
            return what
    return ''
