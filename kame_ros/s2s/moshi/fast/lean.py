"""Replaces a model's step by a faster one of the same results, with full or small weights."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from kame_ros.s2s.moshi.fast import gpu_limits
from kame_ros.s2s.moshi.fast.lean_attention import RingAttention, TorchRingAttention, attend_steps
from kame_ros.s2s.moshi.fast.lean_depth import LeanDepth
from kame_ros.s2s.moshi.fast.lean_main import LeanMain
from kame_ros.s2s.moshi.fast.lean_parts import Maker, NotLeanError, Read
from kame_ros.s2s.moshi.fast.linear import DenseLinear, Int8CpuLinear, MakeLinear
from kame_ros.s2s.moshi.fast.small_weights import WIDENED
from kame_ros.s2s.moshi.model import OracleLMGen
from kame_ros.s2s.moshi.weights.upstream import CUDAGraphed, LMGen

log = logging.getLogger(__name__)
# The depformer hears its own tokens, so that an error of its weights goes on and on: with 4 bits
# it keeps 8, which takes 2 % more memory.
DEPFORMER = {'int4': 'int8'}


@dataclass(frozen=True)
class Parts:
    """What a lean step is made of."""

    linear: MakeLinear = DenseLinear
    ring_attention: Callable[..., RingAttention] = TorchRingAttention
    step_attention: Callable[[Tensor, Tensor, int], Tensor] = attend_steps
    depformer_linear: MakeLinear | None = None  # None: as the others


def fused_parts(quantise: str) -> Parts:
    """Parts of few Triton kernels, with weights as they are or of 8 or 4 bits.

    Raises ImportError without triton.
    """
    from kame_ros.s2s.moshi.fast import gpu_attention, gpu_linear

    return Parts(
        gpu_linear.KINDS[quantise],
        gpu_attention.TritonRingAttention,
        gpu_attention.attend_steps,
        gpu_linear.KINDS[DEPFORMER.get(quantise, quantise)],
    )


def widened_parts(quantise: str) -> Parts:
    """Parts of torch's own operations, with the same weights."""
    if quantise == 'none':
        return Parts()
    depformer = WIDENED[DEPFORMER.get(quantise, quantise)]
    return Parts(WIDENED[quantise], depformer_linear=depformer)


def parts_for(
    device: str,
    quantise: str = 'none',
    fused: bool = False,
    dtype: torch.dtype = torch.bfloat16,
    slots: int = 1,
) -> Parts:
    """Chooses the parts for a device, `cpu`, `cuda` or `cuda:N`: asked before anything is loaded.

    The kernels of the GPU are tried there. Where they cannot run, torch's own operations stand in,
    with the same weights, and the log says why. Raises ValueError for a combination that is not
    there.
    """
    if device == 'cpu':
        if fused or quantise not in ('none', 'int8'):
            what = 'fused' if fused else f'quantise {quantise}'
            raise ValueError(f'{what} is not there for the device {device}: it needs a GPU')
        return Parts(Int8CpuLinear if quantise == 'int8' else DenseLinear)
    if not fused and quantise == 'none':
        return Parts()
    name = str(dtype).removeprefix('torch.')
    capability = torch.cuda.get_device_capability(device)
    if quantise == 'fp8' and capability < gpu_limits.FP8:
        raise ValueError(gpu_limits.problem(capability, quantise, name, slots))
    why = gpu_limits.problem(capability, quantise, name, slots) or _fails(
        device, quantise, dtype, slots
    )
    if why:
        log.warning('the fused kernels are not used, so that steps take longer: %s', why)
        return widened_parts(quantise)
    return fused_parts(quantise)


def _fails(device: str, quantise: str, dtype: torch.dtype, slots: int) -> str:
    """Why the kernels cannot run on this very device; empty: they were run, and were right."""
    try:
        from kame_ros.s2s.moshi.fast import gpu_trial
    except ImportError as error:
        return f'Triton is not installed ({error}); it comes with the CUDA build of torch on Linux'
    return gpu_trial.fails(device, quantise, dtype, slots)


def install(
    gen: LMGen,
    parts: Parts | None = None,
    compile: bool = False,
    free: bool = False,
    read: Read | None = None,
) -> None:
    """Lets `gen`, whose streaming has begun, take its steps with far fewer operations.

    The tokens are those of moshi but for float rounding, and for what smaller weights take away.
    `free` gives up the model's own linear weights one by one, where smaller ones replace them: the
    model is then good for nothing else. `read` gets the weight of a layer that was left in its
    file. Raises NotLeanError, and changes nothing, for a model with
    parts beyond Moshi's.
    """
    state: Any = gen._streaming_state
    check(gen)
    parts = parts or Parts()
    main: Any = LeanMain(gen.lm_model, Maker(parts.linear, free, read), parts.ring_attention)
    depth_maker = Maker(parts.depformer_linear or parts.linear, free, read)
    depth: Any = LeanDepth(gen, depth_maker, parts.step_attention)
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
