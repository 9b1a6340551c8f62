"""Puts the lean step into a generator, with weights as they are or smaller ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from kame_ros.s2s.moshi.lean_attention import RingAttention, TorchRingAttention, attend_steps
from kame_ros.s2s.moshi.lean_depth import LeanDepth
from kame_ros.s2s.moshi.lean_main import LeanMain
from kame_ros.s2s.moshi.lean_parts import Maker, NotLeanError
from kame_ros.s2s.moshi.linear import DenseLinear, Int8CpuLinear, MakeLinear
from kame_ros.s2s.moshi.model import OracleLMGen
from kame_ros.s2s.moshi.upstream import CUDAGraphed, LMGen


@dataclass(frozen=True)
class Parts:
    """What a lean step is made of."""

    linear: MakeLinear = DenseLinear
    ring_attention: Callable[..., RingAttention] = TorchRingAttention
    step_attention: Callable[[Tensor, Tensor, int], Tensor] = attend_steps


def fused_parts(quantise: str) -> Parts:
    """Parts of few Triton kernels, with weights as they are or of 8 or 4 bits.

    Raises RuntimeError without triton.
    """
    try:
        from kame_ros.s2s.moshi import gpu_attention, gpu_linear
    except ImportError as error:
        raise RuntimeError(
            'fused steps need triton, which comes with the CUDA build of torch on Linux: install '
            'it, or set quantise to none and fused to false'
        ) from error
    return Parts(
        gpu_linear.KINDS[quantise], gpu_attention.TritonRingAttention, gpu_attention.attend_steps
    )


def parts_for(device: str, quantise: str = 'none', fused: bool = False) -> Parts:
    """Chooses the parts for a kind of device, `cpu` or `cuda`.

    Raises ValueError for a combination that is not there.
    """
    if device == 'cuda' and (fused or quantise != 'none'):
        return fused_parts(quantise)
    if device == 'cpu' and quantise in ('none', 'int8') and not fused:
        return Parts(Int8CpuLinear if quantise == 'int8' else DenseLinear)
    if device == 'cuda':
        return Parts()
    what = 'fused' if fused else f'quantise {quantise}'
    raise ValueError(f'{what} is not there for the device {device}: it needs a GPU')


def install(
    gen: LMGen, parts: Parts | None = None, compile: bool = False, free: bool = False
) -> None:
    """Lets `gen`, whose streaming has begun, take its steps with far fewer operations.

    The tokens are those of moshi but for float rounding, and for what smaller weights take away.
    `free` gives up the model's own linear weights one by one, where smaller ones replace them: the
    model is then good for nothing else. Raises NotLeanError, and changes nothing, for a model with
    parts beyond Moshi's.
    """
    state: Any = gen._streaming_state
    check(gen)
    parts = parts or Parts()
    maker = Maker(parts.linear, free)
    main: Any = LeanMain(gen.lm_model, maker, parts.ring_attention)
    depth: Any = LeanDepth(gen, maker, parts.step_attention)
    if compile:
        main, depth = torch.compile(main.__call__), torch.compile(depth.__call__)
    disable = gen.lm_model.device.type != 'cuda'
    if isinstance(gen, OracleLMGen):
        gen.capture(main)
    else:
        state.graphed_main = CUDAGraphed(main, disable=disable)
    state.graphed_depth = CUDAGraphed(depth, disable=disable)


def check(gen: LMGen) -> None:
    """Raises NotLeanError if `install` would; nothing is made and no weight is moved."""

    def nothing(_weight: Tensor) -> Any:
        return None

    if gen.cfg_coef != 1.0:
        raise NotLeanError('classifier-free guidance')
    LeanMain(gen.lm_model, Maker(nothing), dry=True)
    LeanDepth(gen, Maker(nothing), dry=True)
